"""What is done: figures in a pose, and hands"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
runs
  put _head 10.8 3
  flat
  line navy 1.8 7.6,9.4 11,11 10.4,14.6
  line navy 1.8 7.6,9.4 5.4,12.6 1.8,12.8
  line blue 2.2 9.6,5.6 7.6,9.4
  line blue 1.4 9.4,5.8 11.8,8.2 14.4,6.8
  line blue 1.4 9.4,5.8 6.4,5.6 4.6,8
  line grey .8 .8,3.5 4.4,3.5
  line grey .8 .8,6.5 3,6.5
  line grey .8 .8,9.5 4,9.5
walks
  flat
  line navy 1.8 8,9.6 10.4,12 12,15
  line navy 1.8 8,9.6 6.6,12.6 4,15
  line blue 2.2 8,6 8,9.6
  line blue 1.4 8,6 10.4,7.6 12,9.6
  line blue 1.4 8,6 5.6,7.8 4.6,10.2
  put _head 8 3
jumps
  flat
  oval grey 8 15 4 .8
  both line blue 1.4 7.4,6.4 5,5 3.4,2
  both line navy 1.8 7.6,9.4 4.6,9.8 4.2,12.6
  line blue 2.4 8,6.4 8,9.4
  put _head 8 3.4
hides
  oval skin 8 6 4 4
  flat
  blob brown 4,6 4.6,2.6 8,1.6 11.4,2.6 12,6 8,4.2
  both oval ink 6.4 6.6 .8 1
  --
  oval leaf 3.6 12 3 3
  oval leaf 12.4 12 3 3
  oval leaf 8 11.4 4 2.8
  box leaf 3.4 11.6 12.6 16
waits
  flat
  line navy 1.6 3.7,10.4 3.5,15
  line navy 1.6 5.1,10.4 5.3,15
  line blue 3 4.4,7.8 4.4,10
  put _head 4.4 4.4
  --
  oval white 11.4 6 3.6 3.6
  flat
  line red 1 11.4,6 11.4,3.4
  line red 1 11.4,6 13.2,7
sleeps
  box brown .9 6 2.3 14.6
  box brown 13.7 9 15.1 14.6
  box brown 1 12 15 13.4
  --
  oval white 4.6 9.8 2.4 1.6
  oval skin 5 8.8 1.9 1.9
  blob blue 6.4,9 10,8.2 13.8,9.6 13.8,12 6.2,12
  flat
  line ink .5 4.4,8.6 5.6,8.6
  line navy 1.2 7.5,1.5 10.5,1.5 7.5,5.5 10.5,5.5
  line navy .8 12.5,3.5 14.5,3.5 12.5,6.4 14.5,6.4
sits
  flat
  line brown 1.4 3.6,5.6 3.6,15
  line brown 1.4 3.6,11 9.8,11 9.8,15
  line navy 1.9 6,9.4 11,9.6 11.6,14.8
  line navy 1.4 11.6,14.8 13.4,14.8
  line blue 2.4 6,5.8 6,9.4
  line blue 1.3 6,6.2 8.2,8.2 10.4,7.6
  put _head 6.4 2.8
dances
  flat
  line navy 1.7 6.6,9.6 6,12.4 6.8,15
  line navy 1.7 6.6,9.6 9.6,11.4 12.4,9.8
  line rose 2.4 6.4,6.2 6.6,9.6
  line rose 1.4 6.4,6.2 3.6,5 2.4,1.6
  line rose 1.4 6.4,6.2 9,7.6 11.4,5.6
  put _head 6.4 3.2
  put _note 13 3.6 .42
carries
  box tan 3 1 13 5
  flat
  box cream 7 1 9 2.8
  put _head 8 7.6
  flat
  both line blue 1.4 7.4,11 4.4,9.4 4,5.8
  both line navy 1.7 7.4,12.6 6.4,15.4
  line blue 2.4 8,10.6 8,12.4
wants
  flat
  line navy 1.7 4.8,12 3.6,15.4
  line navy 1.7 4.8,12 6.4,15.4
  line blue 2.4 4.6,9 4.8,12
  line blue 1.4 4.6,8.8 7.6,8 10,5.6
  line blue 1.4 4.6,9 7.8,9.8 10.6,8
  put _head 4.6 6
  put apple 12.4 3.4 .42
takes
  oval red 4.4 9 3.2 3.2
  --
  blob skin 16.6,7 12,6.4 8,5 6.4,5.6 7,7 10,8 7,8.6 6.6,10 9,10.6 7.6,11.6 8,12.8 12,12.6 16.6,12
  flat
  line blue 1.2 6,2.4 13,2.4
  poly blue 12.6,.4 12.6,4.4 15.6,2.4
drops
  blob skin 4,-1 12,-1 11.6,3 11.4,6 10,6 9.8,3.6 9,3.6 8.8,6.4 7.4,6.4 7.2,3.6 6.4,3.6 6,6 4.6,5.6 4.4,3
  put ball 8 12 .48
  flat
  both line grey .9 3.5,8 3.5,12
paints
  flat
  curve red 3 2,13.6 5,12.6 8,14 11,13
  --
  poly tan 8.6,8 13.6,1.4 15,2.6 10.2,9.4
  poly grey 7.4,9 8.8,7.6 10.6,9.2 9.4,10.4
  blob red 5.4,13.4 6.4,10.4 8,9 9.4,10.4 8.2,12.4
sells
  box brown 2 10 14 14.6
  box cream 3 6 13 10
  --
  poly white 3,1.6 13,1.6 15,6 1,6
  flat
  poly red 3,1.6 5,1.6 4,6.2 1,6.2
  poly red 7,1.6 9,1.6 9.6,6.2 6.6,6.2
  poly red 11,1.6 13,1.6 15,6.2 12.2,6.2
  oval red 5 9 1.1 1.1
  oval yellow 8 9 1.1 1.1
  oval leaf 11 9 1.1 1.1
hits
  poly yellow 11,1 12,4.6 15.4,3.4 13.6,7 15.8,9.4 12.8,10 13,14 10,11.4 7,13.6 8,9 5.6,6 9,5.4
  --
  blob skin -1,6.6 3,6.6 5,5 9,5.2 10.4,7 10.2,10.4 8,11.6 4,11.4 2.6,10 -1,10
  flat
  line brown .6 7,7 10,7
  line brown .6 7,8.6 10,8.6
  line brown .6 7,10 9.6,10
eats
  poly face 8,8 13,3.4 9.4,1.6 5.6,1.6 2.4,4.2 1.2,8 2.4,11.8 5.6,14.4 9.4,14.4 13,12.6
  flat
  oval ink 7.2 4.8 .9 1.1
  put apple 12.4 8.4 .42
cooks
  flat
  blob orange 4,16 4,13.6 5.6,11.6 8,13.4 10.4,11.6 12,13.6 12,16
  blob yellow 6,16 6.6,14.4 8,14 9.4,14.4 10,16
  --
  poly dark 3,6 13,6 12.4,11.6 3.6,11.6
  box dark 2.4 5.4 13.6 6.8
  both line dark 1 2,7.6 1.2,7.6
  flat
  both curve grey .9 5.6,4 4.8,3 5.8,2 5,.6
smells
  blob skin 8,1 9.8,1.4 10,6 12.6,9 12.6,11 11,11.8 9.6,11.2 8,11.8 6.4,11.2 5,11.8 3.4,11 3.4,9 6,6 6.2,1.4
  flat
  both oval brown 6.2 10.6 1.1 .8
  curve leaf 1.1 4,15.4 3,14.4 4.4,13.4
  curve leaf 1.1 8,15.6 7,14.4 8.4,13.2
  curve leaf 1.1 12,15.4 11,14.4 12.4,13.4
tastes
  blob red .8,6 4.6,3.2 8,4.4 11.4,3.2 15.2,6 12.6,10 8,11 3.4,10
  flat
  blob wine 2.6,6.2 8,6.4 13.4,6.2 11.4,8.8 8,9.4 4.6,8.8
  box white 4.4 6 11.6 7.4
  --
  blob rose 5.8,8.4 8,8.4 10.2,8.4 11,12 9.6,14.6 8,15 6.4,14.6 5,12
  flat
  line wine .7 8,9.4 8,12.6
sees
  blob white .8,8 4,4.4 8,3.2 12,4.4 15.2,8 12,11.6 8,12.8 4,11.6
  flat
  oval blue 8 8 3.6 3.8
  oval ink 8 8 1.8 1.9
  oval white 7 6.8 .9 .9
likes
  put _face
  flat
  put heart 4.8 6.4 .44
  put heart 11.2 6.4 .44
  flat
  curve ink 1.1 4.6,10.4 6,12 8,12.6 10,12 11.4,10.4
finds
  oval sky 6.6 6.6 5 5
  flat
  put star 6.6 6.6 .45
  --
  line brown 2 11,11 14.4,14.4
  flat
  arc dark 1.4 6.6 6.6 5 5 0 360
watches
  both oval white 4.4 8 3 5
  flat
  oval ink 5.6 8.6 1.6 2.4
  oval ink 12.8 8.6 1.6 2.4
follows
  flat
  line navy 1.5 11.6,9.6 13.4,12 14.4,15
  line navy 1.5 11.6,9.6 10.8,12.4 9,14.8
  line blue 2.4 11.6,6 11.6,9.4
  line blue 1.2 11.6,6 14,8.4
  put _head 11.8 3
  flat
  line navy 1.5 4.4,10.6 6,12.6 7,15
  line navy 1.5 4.4,10.6 3.6,13 1.8,14.8
  line red 2.4 4.4,7.4 4.4,10.4
  line red 1.2 4.4,7.4 8,8
  put _head 4.6 4.6
thinks
  oval face 5.5 11 4.5 4.4
  flat
  oval ink 4.5 10 .6 1
  oval ink 7.5 10 .6 1
  line ink .9 4.6,13 7.2,12.5
  -- .8
  oval white 11.5 3.6 3 2.6
  oval white 13.4 4.4 1.8 2
  oval white 8.6 4.4 2 1.8
  flat
  oval ink 9.5 4.5 .55 .6
  oval ink 11.5 4.5 .55 .6
  oval ink 13.5 4.5 .55 .6
says
  blob white 2,2.4 8,1.4 14,2.4 15,6 14,10 8,11 7,11 3.6,15 4,10.6 2,10 1,6
  flat
  line blue 1.1 4,4.6 12,4.6
  line blue 1.1 4,7.4 10,7.4
knows
  oval sky 7.4 6.4 5.6 5.4
  poly sky 4,9 11,9 10.6,15.4 4.4,15.4
  poly sky 12,6 14.6,9.4 12,10
  flat
  oval yellow 7.4 5.8 3 3
  box yellow 6.2 7 8.6 9
  box dark 6.2 9 8.6 10.6
hopes
  flat
  box navy 0 0 16 16
  line lilac 1.4 9,7.4 2,14
  line lilac 1.2 8,5 1.6,9.4
  line lilac 1.2 11,9.4 7,14.4
  put star 10.4 5.6 .6
dreams
  flat
  box navy 0 0 16 16
  oval white 9.4 5 3.6 3.2
  oval white 13 5.4 2.2 2.6
  oval white 6.4 5.4 2 2.2
  oval white 6.4 9 .8 .8
  put star 9.8 5 .42
  flat
  oval face 5 13 3.8 3.6
  line ink .9 2.6,12.5 4.4,12.5
  line ink .9 5.6,12.5 7.4,12.5
_head
  -- .6
  oval skin 8 8 1.8 1.8
'''
