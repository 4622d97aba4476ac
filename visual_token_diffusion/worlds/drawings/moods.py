"""Moods as faces, and what voices do"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
_face
  oval face 8 8 6.6 6.6
_note
  oval ink 6 12 2.4 1.9
  line ink 1.3 7.8,12 7.8,4
  line ink 1.8 7.8,4 11,6
happy
  put _face
  flat
  both oval ink 5.4 6.4 1 1.3
  poly white 3.8,9 12.2,9 11,11.8 8,13 5,11.8
  arc ink 1 8 9 4.2 4 0 180
  line ink 1 3.8,9 12.2,9
sad
  oval sky 8 8 6.6 6.6
  flat
  both oval ink 5.4 7.4 1 1.2
  both line ink .9 3.6,5.2 6.2,4
  arc ink 1.1 8 13 3.2 2.6 200 340
  oval blue 4 11 1.2 1.9
angry
  oval red 8 8 6.6 6.6
  flat
  both line ink 1.4 3.2,4.6 7,6.8
  both oval ink 5.6 7.6 .9 .9
  poly white 4.8,12 5.6,10.4 10.4,10.4 11.2,12
  line ink .9 4.8,12.2 5.6,10.4 10.4,10.4 11.2,12.2 4.8,12.2
tired
  oval lime 8 8 6.6 6.6
  flat
  both line ink 1.2 3.8,6.6 7,7
  both arc purple .9 5.4 7 1.6 1.8 20 160
  oval wine 8 11.4 1.7 2
brave
  poly red 4,8 1,15.6 15,15.6 12,8
  oval face 8 7 6 5.8
  flat
  poly red 2,5 14,5 13.6,8.4 9.4,8.6 8,7.4 6.6,8.6 2.4,8.4
  both oval white 5.4 6.8 1.4 1.1
  both oval ink 5.6 6.8 .6 .9
  arc ink 1 8 8.6 3 2.4 30 150
quiet
  put _face
  flat
  both oval ink 5.4 6.4 1 1.2
  --
  line skin 1.6 8,9.4 8,15
  oval skin 8 15.4 2.6 1.8
proud
  oval face 8 6.4 5.8 5.4
  flat
  both arc ink .9 5.6 6 1.4 1.4 190 350
  arc ink 1 8 7 2.8 2.4 20 160
  --
  poly blue 5.4,11.4 7.4,14 8.6,14 10.6,11.4
  oval gold 8 13.8 1.5 1.5
lonely
  flat
  arc grey .8 8 8 7.2 7.2 0 30
  arc grey .8 8 8 7.2 7.2 60 90
  arc grey .8 8 8 7.2 7.2 120 150
  arc grey .8 8 8 7.2 7.2 180 210
  arc grey .8 8 8 7.2 7.2 240 270
  arc grey .8 8 8 7.2 7.2 300 330
  --
  oval sky 8 9 3.4 3.4
  flat
  both oval ink 6.7 8.6 .6 .7
  arc ink .8 8 11.4 1.4 1.1 200 340
sings
  oval face 7 9 5.6 5.6
  flat
  line ink .9 3.4,7.4 5.6,8
  line ink .9 8.4,8 10.6,7.4
  oval wine 7 11.4 1.9 2.2
  put _note 12.4 4.6 .6
laughs
  put _face
  flat
  both arc ink 1 5.2 6.6 1.4 1.6 190 350
  poly wine 3.6,8.6 12.4,8.6 11,12.2 8,13.4 5,12.2
  box white 4.4 8.4 11.6 9.6
  both oval blue 1.9 8.6 1.2 1.7
cries
  put _face
  flat
  both line ink 1 3.6,5.6 6.6,6.6
  both box blue 4 7 6 14.6
  oval wine 8 11 1.5 1.9
whistles
  oval face 6.6 9 5.6 5.6
  flat
  oval ink 4.6 7.4 .8 1
  oval ink 8.6 7.4 .8 1
  oval rose 10 11.4 1.5 1.5
  oval ink 10.4 11.4 .7 .7
  line grey .9 12.4,11.4 15,11.4
  line grey .9 12.2,9.8 14.2,8.6
  line grey .9 12.2,13 14.2,14.2
  put _note 13.4 4.4 .5
'''
