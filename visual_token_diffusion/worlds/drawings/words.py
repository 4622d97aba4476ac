"""Qualities, places, times, and what eye and mind do"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
red
  blob red 2,5 4.6,2.2 7,3.2 9.4,1.4 12.6,2.4 14.4,6 13.2,8.4 14.6,11.4 12,14.2 8.6,13.4 6,14.8 2.6,13 2.8,9.6 1.4,7.6
green
  blob green 2,5 4.6,2.2 7,3.2 9.4,1.4 12.6,2.4 14.4,6 13.2,8.4 14.6,11.4 12,14.2 8.6,13.4 6,14.8 2.6,13 2.8,9.6 1.4,7.6
blue
  blob blue 2,5 4.6,2.2 7,3.2 9.4,1.4 12.6,2.4 14.4,6 13.2,8.4 14.6,11.4 12,14.2 8.6,13.4 6,14.8 2.6,13 2.8,9.6 1.4,7.6
yellow
  blob yellow 2,5 4.6,2.2 7,3.2 9.4,1.4 12.6,2.4 14.4,6 13.2,8.4 14.6,11.4 12,14.2 8.6,13.4 6,14.8 2.6,13 2.8,9.6 1.4,7.6
orange
  blob orange 2,5 4.6,2.2 7,3.2 9.4,1.4 12.6,2.4 14.4,6 13.2,8.4 14.6,11.4 12,14.2 8.6,13.4 6,14.8 2.6,13 2.8,9.6 1.4,7.6
purple
  blob purple 2,5 4.6,2.2 7,3.2 9.4,1.4 12.6,2.4 14.4,6 13.2,8.4 14.6,11.4 12,14.2 8.6,13.4 6,14.8 2.6,13 2.8,9.6 1.4,7.6
pink
  blob pink 2,5 4.6,2.2 7,3.2 9.4,1.4 12.6,2.4 14.4,6 13.2,8.4 14.6,11.4 12,14.2 8.6,13.4 6,14.8 2.6,13 2.8,9.6 1.4,7.6
white
  blob white 2,5 4.6,2.2 7,3.2 9.4,1.4 12.6,2.4 14.4,6 13.2,8.4 14.6,11.4 12,14.2 8.6,13.4 6,14.8 2.6,13 2.8,9.6 1.4,7.6
tiny
  flat
  line grey .8 1,1 15,1 15,15 1,15 1,1
  --
  oval purple 8 12.8 0.8 0.8
small
  flat
  line grey .8 1,1 15,1 15,15 1,15 1,1
  --
  oval purple 8 11.4 2.2 2.2
medium
  flat
  line grey .8 1,1 15,1 15,15 1,15 1,1
  --
  oval purple 8 10 3.6 3.6
big
  flat
  line grey .8 1,1 15,1 15,15 1,15 1,1
  --
  oval purple 8 8.4 5.2 5.2
huge
  flat
  --
  oval purple 8 9 8 8
  flat
  line grey .8 1,1 15,1 15,15 1,15 1,1
little
  flat
  line grey .8 1,1 15,1 15,15 1,15 1,1
  box paper 6 3 14 14
  --
  oval purple 3.6 12.4 1.4 1.4
bigger
  oval purple 3 12.4 1.6 1.6
  --
  oval purple 10.6 9.6 4.2 4.2
  flat
  line ink 1 2,6 5,3
  poly ink 3.6,1.6 7,1.2 6.4,4.6
smaller
  oval purple 5.4 9.6 4.2 4.2
  --
  oval purple 13 12.4 1.6 1.6
  flat
  line ink 1 10.6,2.4 13,5.4
  poly ink 14.8,4 14.4,7.6 11.4,6.4
old
  oval skin 8 8 4.6 5
  both oval white 3.2 7 1.4 2
  blob white 3.6,9 6,10.4 8,9.8 10,10.4 12.4,9 12,13 8,15.4 4,13
  flat
  both oval ink 6 7.4 .8 .9
  both line grey .8 4.8,5.4 7,5.2
  line brown .5 6,3.8 10,3.8
  line wine .8 7,11.6 9,11.6
new
  poly red 8,.8 9.7,3 12.3,1.9 12.6,4.7 15.2,5.6 13.8,8 15.2,10.4 12.6,11.3 12.3,14.1 9.7,13 8,15.2 6.3,13 3.7,14.1 3.4,11.3 .8,10.4 2.2,8 .8,5.6 3.4,4.7 3.7,1.9 6.3,3
  flat
  put star 8 8 .5
broken
  poly orange 1.6,4 7,3 5.6,6 7.4,8.6 5.8,11 6.6,14.4 3.4,13.6
  --
  poly orange 14.4,4 10.2,3 8.8,6 10.6,8.6 9,11 9.8,14.4 12.6,13.6
clean
  blob pink 2,10 4,8.6 12,8.6 14,10 14,13 12,14.4 4,14.4 2,13
  flat
  blob white 4,10.6 12,10.6 12,12.4 4,12.4
  --
  oval sky 4.4 5 2 2
  oval sky 9 3.4 1.6 1.6
  oval sky 12.6 6 1.4 1.4
  flat
  oval white 3.8 4.4 .7 .7
lost
  oval skin 5 7 1.7 1.7
  flat
  line navy 1.6 4.4,12 4,15.6
  line navy 1.6 5.6,12 6,15.6
  line blue 2.4 5,10 5,12
  line blue 1.2 5,10 2,11 1.4,9.4
  line blue 1.2 5,10 8,11 8.6,9.4
  curve red 1.7 9.6,3.6 10.4,1.8 12.6,1.6 13.8,3.6 12.4,5.8 11.8,7.6
  oval red 11.8 10.4 1.1 1.1
pretty
  oval face 8 8.6 6.2 6
  flat
  both oval ink 5.4 8 1 1.3
  both line ink .7 3.4,7 4.6,7.4
  both line ink .7 4,5.6 5,6.4
  both oval pink 3.8 10.6 1.2 .9
  arc red 1.1 8 9.6 2.6 2.6 20 160
  put flower 12.4 5 .55
shines
  flat
  line gold 1 2,2 14,14
  line gold 1 14,2 2,14
  --
  poly yellow 8,.6 9.6,6.4 15.4,8 9.6,9.6 8,15.4 6.4,9.6 .6,8 6.4,6.4
rises
  oval yellow 8 10 4.6 4.6
  flat
  box white 0 10.6 16 16
  box leaf 0 11 16 16
  line red 1.6 8,9 8,4
  poly red 4.8,4.4 11.2,4.4 8,.6
sets
  flat
  box orange 0 0 16 16
  --
  oval red 8 11 4.6 4.6
  flat
  box navy 0 11.4 16 16
  line yellow 1.6 8,1 8,5
  poly yellow 4.8,4 11.2,4 8,7.6
glows
  flat
  oval cream 8 8 8 8
  oval yellow 8 8 5.6 5.6
  oval gold 8 8 3.6 3.6
  oval white 8 8 2 2
sees
  blob white .8,8 4,4.4 8,3.2 12,4.4 15.2,8 12,11.6 8,12.8 4,11.6
  flat
  oval blue 8 8 3.6 3.8
  oval ink 8 8 1.8 1.9
  oval white 7 6.8 .9 .9
likes
  put _face
  flat
  put heart 5 6.4 .4
  put heart 11 6.4 .4
  flat
  arc ink 1.1 8 9 3.6 3.4 10 170
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
  blob navy 3,15 2,12.6 2.8,10 5,9.8 6,12 5,14.6
  oval navy 4.6 8 1.5 1
  --
  blob blue 11,7.4 9.8,5.4 10.4,2.6 12.6,2 13.8,4 13,6.8
  oval blue 11.8 9.4 1.4 1
thinks
  oval face 5.4 11 4.4 4.4
  flat
  oval ink 4.4 10.4 .7 .8
  oval ink 7.4 10.4 .7 .8
  line ink .8 4.6,13 7,12.6
  --
  oval white 10.4 4 3 2.4
  oval white 13 4.4 2 2
  oval white 8.2 4.2 1.6 1.6
  flat
  oval ink 8.6 4.2 .6 .6
  oval ink 10.6 4.2 .6 .6
  oval ink 12.6 4.2 .6 .6
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
  line gold .8 7.4,5.8 7.4,9
  oval yellow 7.4 5.6 2.6 2.6
  box dark 6.4 8.4 8.4 10
hopes
  line skin 2 6.4,9 9.6,2
  line skin 2 9.4,9 6.2,2.4
  --
  blob skin 4,8 11,7.4 12.4,10 11,13 10.6,16.6 5,16.6 4.4,13
  flat
  line brown .6 8,9.4 8,12
  line brown .6 10,9.4 10,11.6
dreams
  flat
  box navy 0 0 16 16
  --
  oval white 10 4.6 3.4 2.8
  oval white 12.8 5.4 2.2 2.2
  oval white 7.6 5.2 2 2
  flat
  put star 10.4 4.8 .32
  --
  oval face 5 12 3.6 3.6
  flat
  arc ink .7 3.8 11.6 .9 .8 0 180
  arc ink .7 6.4 11.6 .9 .8 0 180
slowly
  blob tan 1,14.4 4,12.6 11,12.6 12.4,8 14.4,8 14.4,12 13,14.6
  line tan .8 12.8,8 12,5
  line tan .8 14,8 14.6,5.2
  --
  oval brown 6.4 8.6 4.6 4.4
  flat
  arc cream 1 6.4 8.6 2.6 2.4 0 300
quickly
  poly red 5,3 10,8 5,13
  poly red 10,3 15,8 10,13
  flat
  line grey 1 .8,5 3.4,5
  line grey 1 .8,8 4.6,8
  line grey 1 .8,11 3.4,11
softly
  blob sky 3.4,12.6 3.4,8 7,3.6 13.6,1.6 13.4,6 10.4,10.4 6,12.6
  flat
  curve blue .8 1.6,14.8 6,10 12,3.4
  line white .8 6,8.6 9.6,8.4
  line white .8 8,6 11,6
gladly
  put _face
  flat
  both arc ink 1 5.4 6.4 1.4 1.4 190 350
  arc ink 1.1 8 8 3.4 3 10 170
  --
  both blob skin 2.4,15.6 1,12.6 2,10.6 3.4,11.6 5,10.6 6,13
alone
  flat
  both oval grey 3.4 2.6 1 1
  oval grey 8 2.6 1 1
  both oval grey 3.4 5.4 1.6 1.4
  oval grey 8 5.4 1.6 1.4
  --
  oval skin 8 9.4 1.6 1.6
  blob blue 5.4,15.6 6,12.4 10,12.4 10.6,15.6
well
  box blue 1.2 7.6 4 14.4
  --
  blob skin 5,7.6 7.4,5 8,1.6 10,2 10,6 14,6.4 14.4,9 13.6,13 12,14.4 6,14.2 5,13
  flat
  line tan .6 11,8.6 14,8.6
  line tan .6 11,11 13.8,11
badly
  box red 1.2 1.6 4 8.4
  --
  blob skin 5,8.4 7.4,11 8,14.4 10,14 10,10 14,9.6 14.4,7 13.6,3 12,1.6 6,1.8 5,3
  flat
  line tan .6 11,7.4 14,7.4
  line tan .6 11,5 13.8,5
gently
  oval yellow 8 7 3 3
  oval yellow 8 4 2.2 2.2
  flat
  oval ink 7.2 3.6 .5 .6
  oval ink 8.8 3.6 .5 .6
  poly orange 7.4,4.4 8.6,4.4 8,5.4
  --
  both blob skin 8,9.6 5,9 2.4,6.8 1,8 2.4,11.4 5,14.6 8,14.8
today
  box white 2 4 14 14.4
  box red 2 2 14 5.4
  flat
  box gold 6 7.6 10 12.2
  both oval ink 5 2.4 .8 1.6
now
  oval red 4 3.6 2 1.8
  oval red 12 3.6 2 1.8
  oval white 8 9 5.4 5.4
  flat
  line ink 1.1 8,9 8,5.4
  line ink 1.1 8,9 10.6,9
  arc red 1.2 8 9 5 5 0 360
often
  oval leaf 3.2 3.2 1.5 1.5
  oval leaf 8 3.2 1.5 1.5
  oval leaf 12.8 3.2 1.5 1.5
  oval leaf 3.2 8 1.5 1.5
  oval leaf 8 8 1.5 1.5
  oval white 12.8 8 1.5 1.5
  oval white 3.2 12.8 1.5 1.5
  oval leaf 8 12.8 1.5 1.5
  oval leaf 12.8 12.8 1.5 1.5
sometimes
  oval white 3.2 3.2 1.5 1.5
  oval leaf 8 3.2 1.5 1.5
  oval white 12.8 3.2 1.5 1.5
  oval white 3.2 8 1.5 1.5
  oval white 8 8 1.5 1.5
  oval white 12.8 8 1.5 1.5
  oval leaf 3.2 12.8 1.5 1.5
  oval white 8 12.8 1.5 1.5
  oval white 12.8 12.8 1.5 1.5
always
  arc blue 1.8 4.6 8 2.8 3 45 315
  arc blue 1.8 11.4 8 2.8 3 -135 135
  line blue 1.8 6.6,5.9 9.4,10.1
  line blue 1.8 6.6,10.1 9.4,5.9
never
  oval white 8 8 6.2 6.2
  flat
  line ink 1 8,8 8,4
  line ink 1 8,8 11,8
  flat
  line red 1.8 2.6,2.6 13.4,13.4
  line red 1.8 13.4,2.6 2.6,13.4
again
  flat
  arc leaf 2.2 8 8.4 5.2 5.2 -30 250
  poly leaf 3.4,4 9,.4 9.6,6.4
soon
  poly sky 3.6,2.4 12.4,2.4 8.6,8 12.4,13.6 3.6,13.6 7.4,8
  flat
  poly gold 6,5.4 10,5.4 8,8.2
  poly gold 8,10 11.4,13.6 4.6,13.6
  --
  box brown 2.6 1.4 13.4 2.4
  box brown 2.6 13.6 13.4 14.6
one
  poly navy 6,5.4 5.2,3.6 8,1.4 10,1.4 10,14.6 7,14.6 7,4.8
no
  flat
  arc red 2.4 8 8 6 6 0 360
  line red 2.4 4,4 12,12
above
  box tan 3.4 9.6 12.6 14.6
  --
  oval red 8 3.4 2.2 2.2
below
  box tan 3.4 1.4 12.6 6.4
  --
  oval red 8 12.6 2.2 2.2
near
  box tan 1.2 6.6 7.2 13
  --
  oval red 13.2 11 1.9 1.9
  flat
  line ink .8 8.4,4 13.4,4
behind
  oval red 10.4 5.4 3.6 3.6
  --
  box tan 2 6 10.6 14.4
under
  box tan 1.2 3.4 14.8 5.6
  box tan 1.6 3.4 3 14.6
  box tan 13 3.4 14.4 14.6
  --
  oval red 8 12 2.4 2.4
beside
  box tan 1.2 5.6 8.2 14.4
  --
  oval red 12.4 11.6 2.6 2.6
inside
  oval red 8 9.4 2.6 2.6
  flat
  line brown 1.6 1.8,3 1.8,14 14.2,14 14.2,3
outside
  flat
  line brown 1.6 1.4,5 1.4,14 8,14 8,5
  line ink .9 4.6,10 4.6,3 11,3
  poly ink 10.4,1 10.4,5 13.4,3
  --
  oval red 12.6 12 2.2 2.2
around
  box tan 5.4 5.4 10.6 10.6
  flat
  arc red 1.5 8 8 6.4 6.4 -60 230
  poly red 3.2,1 2.4,6 7,4.2
over
  box tan 5 8.6 11 14.6
  --
  oval red 13.4 8.6 1.7 1.7
  flat
  arc red 1.2 8 8.4 6 6 180 320
older
  oval skin 3.8 10.6 2.4 2.4
  flat
  line ink .9 1.6,5 5,5
  --
  oval skin 11 7.4 3.4 3.8
  blob white 7.8,8.4 11,9.2 14.2,8.4 13.6,12 11,13.6 8.4,12
  flat
  oval ink 9.8 6.8 .6 .7
  oval ink 12.2 6.8 .6 .7
  oval ink 3 10.2 .5 .6
  oval ink 4.6 10.2 .5 .6
younger
  oval skin 5 7.4 3.4 3.8
  blob white 1.8,8.4 5,9.2 8.2,8.4 7.6,12 5,13.6 2.4,12
  --
  oval skin 12.4 10.6 2.4 2.4
  flat
  oval ink 3.8 6.8 .6 .7
  oval ink 6.2 6.8 .6 .7
  oval ink 11.6 10.2 .5 .6
  oval ink 13.2 10.2 .5 .6
'''
