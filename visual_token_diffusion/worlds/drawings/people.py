"""Persons: told apart by what they wear, hold and grow"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
_eyes
  flat
  both oval ink 6.5 8 .65 1.05
_smile
  flat
  curve ink .9 6,11 7,11.7 9,11.7 10,11
king
  oval wine 8 17 6.5 4
  oval skin 8 8.5 4 4
  flat
  blob brown 4.2,8.6 5.5,10.2 8,9.8 10.5,10.2 11.8,8.6 11.4,12 8,14.4 4.6,12
  --
  poly gold 3.8,5.2 3,1 5.8,3 8,.8 10.2,3 13,1 12.2,5.2
  put _eyes
  flat
  oval red 8 11.4 1.2 .6
queen
  blob brown 3.2,6 8,3 12.8,6 13.4,13 11,14 5,14 2.6,13
  oval purple 8 17.5 6.5 4
  flat
  oval skin 8 9 3.6 4
  --
  poly gold 4.4,4.8 3.4,1 6.2,3 8,.8 9.8,3 12.6,1 11.6,4.8
  flat
  oval rose 8 3.8 .8 .8
  put _eyes 8 8.4
  flat
  oval red 8 11.6 1.2 .6
witch
  oval dark 8 17.5 5.5 4
  oval leaf 8 9.5 3.6 3.8
  both poly rust 4,8 5.5,7 4.5,13 2.5,13
  --
  poly purple 1,6.4 15,6.4 15,7.6 1,7.6
  poly purple 4.2,6.6 8.6,.8 10.5,1.4 11.8,6.6
  flat
  line gold 1.4 4.6,5.7 11.4,5.7
  both oval ink 6.5 9.4 .65 1
  line ink .9 6.5,12.5 9.5,12.5
  poly lime 8,9.4 9.4,11.2 7.4,11.2
child
  oval yellow 8 15.5 3.6 3.6
  oval skin 8 7.5 5 4.8
  flat
  curve brown 1.2 8,3 7,1.4 9,.9 9.6,2
  both oval ink 5.5 8 .7 1.1
  oval rose 8 10.6 1.4 1
boy
  oval blue 8 17.5 5.5 4.5
  oval skin 8 8.8 3.9 4
  both box brown 4 6 5 8.6
  --
  poly red 4,6.6 4.4,3.6 6.4,2 9.6,2 11.6,3.6 12,6.6
  poly red 4,5.8 4,6.8 .9,6.8 1.2,5.8
  put _eyes 8 8.6
  put _smile 8 8.4
girl
  both blob gold 3,6 4,9 3.4,12.6 1.6,13 1,9
  oval rose 8 17.5 5.5 4.5
  oval gold 8 7 4.6 4.8
  flat
  oval skin 8 9 3.8 3.8
  blob gold 4,8 4.4,4.4 8,3 11.6,4.4 12,8 10,6.6 8,5.4 6,6.6
  both oval rose 3 6.4 1.4 1.4
  put _eyes 8 8.6
  put _smile 8 8.4
farmer
  oval red 8 17.5 5.5 4
  flat
  both line blue 1.4 5.4,13 5.4,17
  box blue 5 15 11 17
  --
  oval skin 8 8.8 3.8 4
  --
  oval gold 8 5.4 7 1.1
  poly gold 4.8,5.2 5.4,1.6 10.6,1.6 11.2,5.2
  flat
  line red 1.2 5,4.1 11,4.1
  put _eyes 8 8.4
  flat
  line ink .9 7,11 9,11
  line leaf 1 9.4,11 13.4,9.6
sailor
  oval navy 8 17.5 6 4.6
  flat
  poly white 5.6,13 10.4,13 8,16.4
  both line white .7 3,15.4 5,13.6
  --
  oval skin 8 9 3.9 4
  --
  poly white 3.4,4.4 4,1.6 12,1.6 12.6,4.4
  flat
  box navy 3.4 4 12.6 6
  put _eyes 8 8.4
  put _smile 8 8.6
painter
  oval navy 8 17.5 5.5 4
  oval skin 8 8.4 3.8 4
  --
  blob wine 2.4,5 4,2.4 9,1.2 13,2.8 13.6,5.2 8,5.4
  put _eyes 8 8
  flat
  curve ink 1 5.4,10 8,9.8 10.6,10
  -- .8
  blob tan 7,13 10,11.4 14,11.6 15.4,13.6 13,15.6 9,15.4
  flat
  oval red 9.4 13.4 1 .9
  oval yellow 11.8 12.8 .9 .8
  oval blue 13.6 13.8 .9 .8
doctor
  oval white 8 17.5 6.2 4.6
  flat
  line blue 1 6,13.4 8,16 10,13.4
  --
  oval skin 8 8.4 3.8 4.2
  --
  poly white 4,5 4,1.2 12,1.2 12,5
  flat
  box red 7.3 1.4 8.7 5
  box red 6 2.5 10 3.9
  put _eyes 8 8
  put _smile 8 8.2
teacher
  box pine 1 1 15 10
  flat
  line white 1.1 2.5,2.5 8,2.5
  line white 1.1 2.5,4.5 6,4.5
  line white 1.1 2.5,6.5 5,6.5
  --
  oval blue 10.5 17 4.6 4
  oval grey 10.5 6.6 3.4 3
  oval grey 10.5 3.4 1.5 1.2
  flat
  oval skin 10.5 9 3.2 3.2
  oval ink 9 8.5 1.05 1.05
  oval ink 12 8.5 1.05 1.05
  oval white 9 8.5 .5 .5
  oval white 12 8.5 .5 .5
  line red .9 9.6,11 11.4,11
  -- .5
  line tan .9 6,15 3,8.6
baker
  oval white 8 17.5 5.6 4
  oval skin 8 9.4 3.7 3.8
  --
  both oval white 5 3.6 2.6 2.3
  oval white 8 3 2.8 2.4
  box white 4.6 3.6 11.4 6.2
  flat
  line grey .6 4.8,6 11.2,6
  put _eyes 8 8.8
  flat
  curve brown 1.2 5.6,11 8,10.6 10.4,11
  -- .8
  blob tan 3,15.4 4,13.8 12,13.8 13,15.4 12,16.6 4,16.6
  flat
  line brown .6 6,14.4 6.8,15.8
  line brown .6 9,14.4 9.8,15.8
friend
  oval blue 4.4 15.5 3.2 4
  oval orange 11.6 15.5 3.2 4
  oval skin 4.6 8.8 3 3
  oval skin 11.4 8.8 3 3
  flat
  blob brown 1.4,8.2 2.4,6 4.6,5.2 7,6.2 7.4,8 4.4,7
  blob ink 14.6,8.2 13.6,6 11.4,5.2 9,6.2 8.6,8 11.6,7
  both oval ink 3.5 9 .55 1
  both oval ink 5.5 9 .55 1
  -- .8
  poly red 5.9,2.2 7,1 8,2 9,1 10.1,2.2 8,4.6
singer
  oval purple 7 17.5 5.5 4
  oval ink 7 6.4 4.6 4
  flat
  oval skin 7 9 3.8 4
  line ink .9 4.5,8.5 5.6,8.5
  line ink .9 8.4,8.5 9.5,8.5
  oval wine 7 11 1.1 1.4
  -- .8
  line dark 1.4 14,16 11.8,13
  oval silver 11.2 12.2 1.5 1.5
  put _note 13.2 4.4 .5
hunter
  oval pine 7 17.5 5 4
  oval skin 7 9 3.8 4
  flat
  blob brown 3.4,10 7,11 10.6,10 10,12.6 7,13.6 4,12.6
  --
  poly leaf .8,6.6 3.6,5.4 4.4,2 9,3 10.4,5.4 13,6.2
  curve red 1 9.4,4.6 10.6,2.4 12.6,1
  put _eyes 7 8.8
  flat
  arc brown 1.3 11.4 12 3.4 5 -80 80
  line dark .5 12,7.2 12,16
giant
  poly orange 4,6 12,6 11,11.4 5,11.4
  both line skin 1.6 3.4,6.8 2.4,10.6
  both box blue 5.2 11 7.4 15.4
  oval skin 8 4 3 3
  flat
  blob brown 4.8,4 5.2,1.4 8,.6 10.8,1.4 11.2,4 8,2.6
  both oval ink 6.5 4.5 .5 .7
  -- .5
  box white 12.4 13.4 15 15.6
  poly red 11.6,13.4 13.7,11 15.8,13.4
  box brown 1.9 14 2.7 15.6
  poly leaf 2.3,10.6 4.2,14 .4,14
'''
