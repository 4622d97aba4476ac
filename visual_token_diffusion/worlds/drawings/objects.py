"""Things that are held, used and played with, and plain shapes"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
ball
  oval white 8 8 6.4 6.4
  flat
  poly red 8,8 8,1.6 12,3 14.2,6.4
  poly blue 8,8 14.2,9.8 12,13 8.4,14.4
  poly yellow 8,8 6.6,14.2 3,12 1.6,8.6
  poly leaf 8,8 1.8,6.4 4,3 6.6,1.8
  oval white 8 8 1.2 1.2
boat
  poly brown 1.2,11 14.8,11 12.6,14.6 3.4,14.6
  box brown 7.5 1.4 8.5 11
  poly white 9.4,1.8 9.4,9.6 14.2,9.6
  poly red 6.6,3 6.6,9.6 2,9.6
car
  poly red 1,8.4 3.4,7.6 5.2,3.8 11,3.8 13,7.6 15,8.6 15,12 1,12
  flat
  poly sky 5,7.4 6,5 7.6,5 7.6,7.4
  poly sky 8.8,7.4 8.8,5 10.4,5 11.6,7.4
  --
  both oval grey 4.6 12.4 1.4 1.4
box
  poly tan 2,7 14,7 14,14.4 2,14.4
  poly tan 2,7 .8,4.4 6,3.4 8,6
  poly tan 14,7 15.2,4.4 10,3.4 8,6
  flat
  poly brown 2.8,7 8,5 13.2,7
  box cream 7 7 9 10
book
  poly blue .8,3.6 15.2,3.6 15.2,13.6 .8,13.6
  flat
  poly white 8,4 2.2,2.4 2.2,11.2 8,12.8 13.8,11.2 13.8,2.4
  line ink .9 8,4 8,13
  both line grey .8 3.8,5 6.4,5.7
  both line grey .8 3.8,7.2 6.4,7.9
  both line grey .8 3.8,9.4 6.4,10.1
cup
  arc blue 1.4 11.4 9.6 2.6 2.4 -90 90
  poly blue 2.4,6 11.6,6 11,14.4 3,14.4
  flat
  oval brown 7 6.2 4.4 1
  curve grey .9 5.6,4 4.8,3 5.8,2 5,.8
  curve grey .9 8.8,4 8,3 9,2 8.2,.8
lamp
  box brown 7.4 9 8.6 13
  oval brown 8 13.8 3.6 .9
  --
  poly yellow 5,1.6 11,1.6 14,9 2,9
  flat
  poly cream 6.4,2.2 8,2.2 7,8.4 4,8.4
chair
  box brown 3 1.4 4.8 14.6
  box brown 3 8 12.8 9.8
  box brown 11 9 12.8 14.6
drum
  oval red 8 12 5.6 2.4
  box red 2.4 7 13.6 12
  oval cream 8 7 5.6 2.2
  flat
  line yellow .8 2.8,8.6 5.4,13.8 8,9.4 10.6,13.8 13.2,8.6
  --
  line tan .9 2,1.4 7,6
  line tan .9 14,1.4 9,6
key
  oval gold 4.6 5 3.4 3.4
  line gold 1.6 6,6.4 13.6,14
  line gold 1.6 11,11.4 13,9.6
  line gold 1.6 13.2,13.6 15,11.8
  --
  oval white 4.2 4.6 .4 .4
hat
  box dark 4 2 12 11
  oval dark 8 11.6 6.8 1.6
  flat
  box red 4 7.6 12 10
bell
  oval gold 8 13.4 1.6 1.4
  blob gold 8,1.8 11,3.4 11.8,8.4 14.2,12.2 8,12.6 1.8,12.2 4.2,8.4 5,3.4
  flat
  curve cream 1 6.4,5 5.8,8.4
circle
  oval teal 8 8 6.2 6.2
square
  box teal 2 2 14 14
triangle
  poly teal 8,2 14.2,13.6 1.8,13.6
cross
  box teal 6.2 1.2 9.8 14.8
  box teal 1.2 6.2 14.8 9.8
diamond
  poly teal 8,1.2 13.6,8 8,14.8 2.4,8
ring
  arc gold 2.2 8 10 4.4 4.4 0 360
  -- .8
  poly sky 5.8,1.6 10.2,1.6 11.4,3.4 8,6 4.6,3.4
star
  poly gold 8,1.2 10,5.9 15,6.3 11.2,9.6 12.4,14.5 8,11.8 3.6,14.5 4.8,9.6 1,6.3 6,5.9
heart
  poly red 8,14.6 1.8,8 1.6,4.8 3.4,2.6 6,2.6 8,5 10,2.6 12.6,2.6 14.4,4.8 14.2,8
'''
