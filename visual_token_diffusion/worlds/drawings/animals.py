"""Animals: most of them a face, some from the side"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
cat
  poly orange 2.4,8 2,1.6 7,4.2
  poly orange 13.6,8 14,1.6 9,4.2
  oval orange 8 9 6 5.4
  flat
  both poly pink 3.4,5.6 3.2,3.2 5.6,4.6
  line rust 1 8,4 8,5.6
  both line rust .9 6.5,4.4 6.5,5.4
  both oval ink 5.5 8 .75 1.15
  poly rose 6.8,9.8 9.2,9.8 8,11.2
  both line ink .6 1,9.4 3.6,10
  both line ink .6 1,12.6 3.6,11.8
  both arc ink .8 7.1 11.2 1 1.2 20 150
dog
  oval tan 8 8.6 5 5.6
  oval cream 8 11 3.2 3
  --
  both blob brown 4.6,2.6 2.4,2.6 1,6 1.2,10.4 3,10.6 4,7
  flat
  both oval ink 6 7 .8 1.1
  oval ink 8 9.4 1.5 1.1
  box rose 7 11.4 9 13.4
  oval rose 8 13.4 1 1
bird
  poly navy 4,8 .8,5.6 1.4,10.4
  oval blue 7.6 9.6 5 4
  oval blue 11 5.8 3 3
  poly orange 13.4,4.8 15.6,6.2 13.2,7
  both line orange .8 6.8,13 6.8,15
  flat
  blob navy 4,8.6 8,8 9,9.4 6.4,11.6
  oval white 12 5 1.1 1.1
  oval ink 12.4 5 .6 .9
fish
  poly orange 5,8 1,3.6 1.6,8 1,12.4
  oval orange 9 8 5.6 4.2
  poly yellow 7,4.6 9,1.8 11,4.4
  flat
  line white 1.3 7,5 6.4,8 7,11
  oval white 12 7 1.2 1.2
  oval ink 12.4 7 .65 1
horse
  blob nut 6,16.5 5.4,10 6,4.6 8.4,2.8 11,5 14.4,10 13.6,12.6 11.4,12.6 9.8,10.4 10.4,16.5
  poly nut 7,4 7.2,.8 9.4,3.4
  flat
  blob ink 7.4,1.4 4.6,3.6 3.4,8 3.4,15 5.8,14.4 6,9 7.6,5
  oval ink 9.5 6.5 .8 1
  oval ink 13 10.8 .6 .6
  line brown .7 11.4,12.4 13,12
cow
  both poly cream 3.4,4.4 1.4,3.4 1.2,.9 3.2,2.6 5,3
  both oval white 2.2 6.8 1.7 1.1
  oval white 8 8 4.4 5.6
  --
  oval pink 8 12.4 4.4 2.6
  flat
  blob ink 3.9,7 5.2,3.4 7.2,2.8 7.4,6 5.6,9
  oval ink 10 7.4 .8 1
  oval white 5.8 7.2 .7 .9
  both oval wine 6.4 12.4 .7 .8
sheep
  both box dark 4.6 12 6 15.2
  both oval white 4 10 2.4 2.6
  both oval white 5.6 6 2.2 2
  oval white 8 5 2.2 1.8
  oval white 8 9 5 4.4
  --
  oval dark 12.6 7 1.9 2.5
  oval dark 10.8 5.4 1 .6
  flat
  oval white 12.5 6.5 .6 .8
  both arc grey .7 6 9 1.2 1.2 20 160
fox
  both poly rust 2.2,8 1.6,1.2 6.6,4.4
  poly rust 1.4,7.6 4,4.4 12,4.4 14.6,7.6 8,15
  flat
  both poly ink 2.2,3.6 1.8,1.6 3.8,2.8
  both poly white 1.8,8.4 5.4,9.4 7.6,13.8
  both oval ink 5.5 7 .7 1.1
  oval ink 8 13.8 1.2 1.1
bear
  both oval brown 3.4 4 2.2 2.2
  oval brown 8 8.8 6 5.6
  flat
  both oval tan 3.4 4 1 1
  oval tan 8 11 2.8 2.4
  both oval ink 5.5 7 .7 1.1
  oval ink 8 10 1.3 .9
  line ink .7 8,10.4 8,12
mouse
  both oval grey 3.6 5 2.8 2.8
  blob grey 8,4.6 12.2,7.4 11,12 8,14 5,12 3.8,7.4
  flat
  both oval pink 3.6 5 1.7 1.7
  both oval ink 6.5 9 .65 1.1
  oval rose 8 12.8 1.1 .9
  both line ink .5 6.6,12.4 3,11.6
frog
  both oval leaf 4.4 4.2 2.4 2.6
  oval leaf 8 9.6 6.6 4.8
  flat
  both oval white 4.4 4 1.5 1.7
  both oval ink 4.6 4.2 .8 1
  arc ink .9 8 8.6 4.6 3.4 10 170
duck
  blob yellow 1.4,8 4,9.4 7,9 12,8 13.4,10.6 11,14 6,14.4 2.6,12.4
  oval yellow 10.4 5.2 3.2 3.2
  poly orange 13,5 15.6,5.8 15.4,7 12.8,7
  flat
  curve gold 1 5,10.6 7.4,12 9.6,10.6
  oval ink 10.8 4.6 .7 .8
wolf
  both poly dark 2.4,7.4 2,1 6.4,4
  poly dark 1.2,8.6 3.6,4.4 12.4,4.4 14.8,8.6 11,12 8,15 5,12
  flat
  poly paper 2.6,9.2 6,9.4 8,8.4 10,9.4 13.4,9.2 10.6,11.6 8,14.6 5.4,11.6
  both poly yellow 4.4,6.8 6.8,7.8 5.2,8.4
  oval ink 8 13 1.3 1
  both poly ink 5.8,11.8 6.8,11.8 6.3,13.2
rabbit
  both oval white 5.4 4 1.6 3.4
  oval white 8 10.4 4.8 4.4
  flat
  both oval pink 5.4 4 .9 2.5
  both oval ink 5.5 10 .7 1.1
  oval rose 8 11.4 1.1 .8
  box paper 7.1 12.6 8.9 14.2
  line ink .8 6.4,12.5 9.6,12.5
snake
  curve leaf 2.4 13,13.6 4,13.6 3.4,10.4 12,9 12,5.8 7,5.6
  oval leaf 5.4 4.6 2.8 2.1
  line red .6 2.6,5 .8,5.6
  flat
  oval ink 4.8 4 .7 .7
owl
  both poly brown 3,6 2.6,1 6.4,3.4
  blob brown 8,2.6 13,5 13.4,11 10.6,15 5.4,15 2.6,11 3,5
  flat
  oval tan 8 12 3 2.8
  both oval white 5 7 2.1 2.1
  both oval ink 5.1 7 1.05 1.05
  poly orange 7,8.2 9,8.2 8,10.6
'''
