"""Moods as faces, and what voices do"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
_face
  oval face 8 8 6.6 6.6
_note
  flat
  oval navy 6 12 3 2.4
  line navy 1.9 8.2,12 8.2,3
  line navy 2.4 8.2,3 12,6
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
  oval lilac 8 8 6.6 6.6
  flat
  both curve ink 1 3.8,6.4 5.3,7.4 6.8,6.4
  both arc purple .9 5.4 7.4 1.6 1.7 30 150
  oval wine 8 11.4 2.2 2.5
  oval rose 8 12.8 1.3 .9
brave
  poly red 4,8 1,15.6 15,15.6 12,8
  oval face 8 7 6 5.8
  flat
  poly red 2,5 14,5 13.6,8.4 9.4,8.6 8,7.4 6.6,8.6 2.4,8.4
  both oval white 5.4 6.8 1.4 1.1
  both oval ink 5.6 6.8 .6 .9
  arc ink 1 8 8.6 3 2.4 30 150
quiet
  poly dark 1.2,5.6 4,5.6 8,2 8,14 4,10.4 1.2,10.4
  flat
  line red 2 10.4,5.6 15,10.4
  line red 2 15,5.6 10.4,10.4
proud
  oval blue 8 15 6.6 5.2
  oval skin 8 5.4 3.7 3.8
  flat
  blob brown 4.2,5 4.8,2.2 8,1 11.2,2.2 11.8,5 8,3
  both oval ink 6.5 5.5 .55 .8
  curve ink .8 6,7.2 8,8.2 10,7.2
  -- .7
  poly red 9,10.2 13,10.2 12,12.4 10,12.4
  oval gold 11 13.2 1.9 1.9
lonely
  blob dark 2,5.6 3.4,3.4 5.6,3.2 8,1.2 10.4,2.2 12.8,3.2 14,5.6 12,6.4 4,6.4
  flat
  both line blue .8 3,8.4 2.4,10.6
  both line blue .8 3.4,12.4 2.8,14.6
  --
  oval sky 8 11.8 3.2 3.2
  flat
  both oval ink 6.7 11.2 .5 .8
  arc ink .8 8 14.2 1.5 1.2 210 330
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
  oval teal 5.8 10 4.6 4.4
  poly teal 5,5.6 15,5.6 15,9 9,9
  flat
  oval white 5.8 10 1.9 1.9
  box ink 8 5.6 10 7
  line gold 1.2 4,3.4 3,1.4
  line gold 1.2 7.4,3 7.6,.8
  line gold 1.2 11,3.4 12.4,1.6
'''
