"""Persons: told apart by what they wear, hold and grow"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
_eyes
  flat
  both oval ink 6.5 8 .7 .8
_smile
  flat
  arc ink .7 8 8.6 1.8 1.8 30 150

king
  oval wine 8 17 6.5 4
  oval skin 8 8.5 4 4
  blob brown 4.2,8.5 5.5,9.8 8,9.2 10.5,9.8 11.8,8.5 11.2,12 8,14.4 4.8,12
  --
  poly gold 3.8,5.8 3,1.2 5.8,3.2 8,.8 10.2,3.2 13,1.2 12.2,5.8
  put _eyes
queen
  blob brown 3.2,6 8,3 12.8,6 13.4,13 11,14 5,14 2.6,13
  oval purple 8 17.5 6.5 4
  oval skin 8 8.8 3.6 4
  --
  poly gold 4.4,5.2 3.6,1.2 6.2,3.2 8,.8 9.8,3.2 12.4,1.2 11.6,5.2
  flat
  oval rose 8 3.8 .8 .8
  put _eyes 8 8.3
  flat
  oval red 8 11 1.2 .7
witch
  oval dark 8 17.5 5.5 4
  oval leaf 8 9.5 3.6 3.8
  both poly brown 4,8 5.5,7 4.5,13 2.5,13
  --
  poly purple 1,7 15,7 15,8 1,8
  poly purple 4.2,7 8.6,.8 10.5,1.4 11.8,7
  flat
  line gold 1.2 4.4,6 11.6,6
  both oval ink 6.4 9.4 .7 .8
  poly lime 8,9.6 9.4,11 7.6,11
  line ink .7 6.5,12.2 9.5,12.2
child
  oval yellow 8 15.5 3.6 3.6
  oval skin 8 7.5 5 4.8
  flat
  curve brown 1.1 8,3 7,1.4 9,.9 9.6,2
  both oval ink 6 7.8 .8 .9
  oval rose 8 10.2 1.3 1.1
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
  both oval tan 2.6 9 1.6 3.4
  oval rose 8 17.5 5.5 4.5
  oval tan 8 7.2 4.6 4.6
  oval skin 8 8.6 3.7 3.7
  flat
  blob tan 4,7.6 5,4 8,3 11,4 12,7.6 9,5.4
  --
  both poly pink 2.6,6.2 1,4.4 1,7 2.6,6.2 4.2,7.2 4.2,4.6
  put _eyes 8 8.6
  put _smile 8 8.6
farmer
  oval blue 8 17.5 5.5 4
  oval skin 8 8.8 3.8 4
  --
  oval gold 8 5.6 7 1.2
  poly gold 4.8,5.2 5.4,2 10.6,2 11.2,5.2
  flat
  line red 1 5,4.6 11,4.6
  put _eyes 8 8.4
  flat
  line ink .7 9,11 6.8,11
  line leaf .9 9.4,11 12.6,9.6
sailor
  oval white 8 17.5 5.8 4.2
  flat
  line blue 1 4,15.2 12,15.2
  --
  oval skin 8 9 3.9 4
  --
  poly white 3.4,4.6 4,1.8 12,1.8 12.6,4.6
  box navy 4 4.4 12 6
  put _eyes 8 8.8
  put _smile 8 8.8
painter
  oval paper 8 17.5 5.5 4
  oval skin 8 8.8 3.8 4
  --
  blob wine 2.4,5.2 4,2.4 9,1.4 13,3 13.6,5.4 8,5.8
  put _eyes 8 8.4
  flat
  blob ink 8,10.6 10.4,9.8 11,11 8,11.4 5,11 5.6,9.8
  --
  line tan 1 12,15 14.4,10
  oval red 14.4 9 .8 1.2
doctor
  oval white 8 17.5 6.2 4.6
  flat
  line blue .9 6,13.4 8,16 10,13.4
  --
  oval skin 8 8.4 3.8 4.2
  --
  poly white 4,5.4 4,1.4 12,1.4 12,5.4
  flat
  box red 7.3 1.6 8.7 5.2
  box red 6.2 2.7 9.8 4.1
  put _eyes 8 8.2
  put _smile 8 8.2
teacher
  box pine 1 1 15 10
  flat
  line white .9 3,3.4 5.6,3.4
  line white .9 3,5.6 5,5.6
  --
  oval orange 9 17.5 5 4
  oval skin 9 9.4 3.4 3.7
  blob grey 5.4,8.6 6.6,5.6 9,4.9 11.4,5.6 12.6,8.6 10,7.2 8,7.2
  flat
  both oval ink 7.2 9.2 .1 .1
  oval white 7.6 9.2 1.3 1.3
  oval white 10.6 9.2 1.3 1.3
  arc ink .5 7.6 9.2 1.4 1.4 0 360
  arc ink .5 10.6 9.2 1.4 1.4 0 360
  oval ink 7.6 9.2 .5 .6
  oval ink 10.6 9.2 .5 .6
baker
  oval white 8 17.5 5.6 4
  oval skin 8 9.6 3.7 3.8
  --
  both oval white 5 3.6 2.6 2.3
  oval white 8 3 2.8 2.4
  box white 4.6 3.6 11.4 6.6
  flat
  line grey .6 4.8,6.4 11.2,6.4
  put _eyes 8 9.4
  flat
  blob brown 8,11.2 10,10.8 10.6,12 8,11.9 5.4,12 6,10.8
friend
  oval blue 4.4 15.5 3.2 4
  oval orange 11.6 15.5 3.2 4
  line blue 1.8 6,13.4 9,13.4
  oval skin 4.6 8.2 2.8 2.9
  oval skin 11.4 8.2 2.8 2.9
  flat
  blob brown 2,7.6 3,5.4 5.6,5.2 7.2,7.4 4,6.8
  blob ink 8.8,7.4 10.4,5.2 13,5.4 14,7.6 12,6.8
  --
  poly red 5.9,2.4 7,1.4 8,2.2 9,1.4 10.1,2.4 8,4.6
singer
  oval purple 8 17.5 5.5 4
  oval ink 8 6.4 4.6 4
  oval skin 8 8.8 3.8 4
  flat
  both line ink .7 5.8,7.6 7,8
  oval wine 8 10.6 1.5 1.8
  --
  line dark 1.2 13,15 11.4,12.4
  oval grey 10.8 11.6 1.3 1.3
hunter
  oval pine 8 17.5 5.5 4
  oval skin 8 9 3.8 4
  blob brown 4.4,10 8,11.4 11.6,10 11,12.6 8,13.6 5,12.6
  --
  poly leaf 1.4,7 4.6,5.6 5.4,2 10,3 11.4,5.6 14.6,6.4
  curve red 1.2 10.6,5 12,2.6 13.8,1
  put _eyes 8 8.8
giant
  box orange 4 6 11 12
  box blue 4 11.5 7 17
  box blue 8 11.5 11 17
  line skin 1.6 3,7 2,12
  line skin 1.6 12,7 13,10
  oval skin 7.5 3.2 2.6 2.6
  flat
  blob brown 5,2.6 6,.8 9,.8 10,2.6 7.5,2
  oval ink 6.6 3.2 .5 .6
  oval ink 8.6 3.2 .5 .6
  --
  box white 12.6 13.6 15.2 16.5
  poly red 11.9,13.6 13.9,11.4 15.9,13.6
'''
