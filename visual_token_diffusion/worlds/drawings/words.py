"""Qualities, places, times, and what eye and mind do"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
red
  blob red 1.6,6.4 3.6,3 6.6,3.6 9,1.2 12.4,2 12.8,5.4 14.8,8 13.6,11.6 10.8,11.6 9.6,14.6 6.4,14.6 5.6,12 2.6,11.4
  oval red 13.6 13.8 1 1
green
  blob green 1.6,6.4 3.6,3 6.6,3.6 9,1.2 12.4,2 12.8,5.4 14.8,8 13.6,11.6 10.8,11.6 9.6,14.6 6.4,14.6 5.6,12 2.6,11.4
  oval green 13.6 13.8 1 1
blue
  blob blue 1.6,6.4 3.6,3 6.6,3.6 9,1.2 12.4,2 12.8,5.4 14.8,8 13.6,11.6 10.8,11.6 9.6,14.6 6.4,14.6 5.6,12 2.6,11.4
  oval blue 13.6 13.8 1 1
yellow
  blob yellow 1.6,6.4 3.6,3 6.6,3.6 9,1.2 12.4,2 12.8,5.4 14.8,8 13.6,11.6 10.8,11.6 9.6,14.6 6.4,14.6 5.6,12 2.6,11.4
  oval yellow 13.6 13.8 1 1
orange
  blob orange 1.6,6.4 3.6,3 6.6,3.6 9,1.2 12.4,2 12.8,5.4 14.8,8 13.6,11.6 10.8,11.6 9.6,14.6 6.4,14.6 5.6,12 2.6,11.4
  oval orange 13.6 13.8 1 1
purple
  blob purple 1.6,6.4 3.6,3 6.6,3.6 9,1.2 12.4,2 12.8,5.4 14.8,8 13.6,11.6 10.8,11.6 9.6,14.6 6.4,14.6 5.6,12 2.6,11.4
  oval purple 13.6 13.8 1 1
pink
  blob pink 1.6,6.4 3.6,3 6.6,3.6 9,1.2 12.4,2 12.8,5.4 14.8,8 13.6,11.6 10.8,11.6 9.6,14.6 6.4,14.6 5.6,12 2.6,11.4
  oval pink 13.6 13.8 1 1
white
  blob white 1.6,6.4 3.6,3 6.6,3.6 9,1.2 12.4,2 12.8,5.4 14.8,8 13.6,11.6 10.8,11.6 9.6,14.6 6.4,14.6 5.6,12 2.6,11.4
  oval white 13.6 13.8 1 1
tiny
  flat
  line grey .8 1,1 15,1 15,15 1,15 1,1
  both line dark 1 3.4,3.4 5.4,5.4
  both line dark 1 3.4,12.6 5.4,10.6
  oval purple 8 8 1 1
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
  oval paper 9.6 7.4 5 6.4
  oval grey 9.6 7.4 5 5.8
  -- .8
  oval purple 3.8 12.4 1.6 1.6
bigger
  oval purple 3 13 1.6 1.6
  oval purple 11 10.4 4.2 4.2
  flat
  line ink 1.2 1.6,8 4.4,4.4
  poly ink 2.6,3.6 6.4,2 6,6.2
smaller
  oval purple 5 10.4 4.2 4.2
  oval purple 13 13 1.6 1.6
  flat
  line ink 1.2 9.6,3.4 12.6,7
  poly ink 14.6,5.6 14.2,9.8 10.4,8.4
old
  oval skin 8 8 4.4 5
  flat
  both oval silver 3.4 7 1.2 2.2
  --
  blob silver 3.4,8.6 5.6,10.2 8,9.6 10.4,10.2 12.6,8.6 12.4,13 8,15.4 3.6,13
  flat
  both oval ink 6.5 7.4 .65 1
  both line silver 1 5,5.4 7,5
  line wine 1 7,11.8 9,11.8
new
  poly blue 2.8,2.8 13.2,2.8 13.2,13.2 2.8,13.2
  poly blue 8,.6 15.4,8 8,15.4 .6,8
  flat
  poly yellow 8,3.6 9.3,6.5 12.4,6.8 10.1,8.9 10.8,12 8,10.4 5.2,12 5.9,8.9 3.6,6.8 6.7,6.5
broken
  arc blue 1.4 11.8 10.4 2.4 2.2 -90 90
  poly blue 1.6,4.4 4,7.4 5.6,5.6 7.4,9 9.6,6.4 11.8,8 11,14.6 2.6,14.6
  flat
  line ink .9 7.4,9 6.2,11 8,12.4 7,14.6
  -- .8
  poly blue 7.2,1.4 10,1 10.4,4 8.4,5.4
  poly blue 13,2.6 15.2,4.4 12.8,5.4
clean
  blob pink 2,11 4,9.6 12,9.6 14,11 14,13.4 12,14.6 4,14.6 2,13.4
  flat
  line white 1.2 5,12 11,12
  -- .6
  oval sky 4.4 5.4 2.4 2.4
  oval sky 9 3 1.6 1.6
  oval sky 12.4 6.6 1.8 1.8
  flat
  oval white 3.8 4.8 .8 .8
lost
  put _head 4.6 7
  flat
  line navy 1.6 4,12 3.6,15.4
  line navy 1.6 5.2,12 5.6,15.4
  line blue 2.4 4.6,10 4.6,12
  line blue 1.3 4.6,9.8 1.8,11 1.2,9
  line blue 1.3 4.6,9.8 7.4,11 8,9
  curve red 1.9 9.4,4 10.2,2 12.4,1.6 13.8,3.4 12.6,5.6 11.6,8
  oval red 11.6 11 1.2 1.2
pretty
  oval face 7.4 8.8 6 6
  flat
  oval ink 4.5 8 .9 1.3
  oval ink 9.5 8 .9 1.3
  line ink .7 2.6,7 3.8,7.4
  line ink .7 3.2,5.6 4,6.6
  oval pink 3.2 10.8 1.2 .9
  oval pink 11.4 10.8 1.2 .9
  curve red 1.2 5,11.4 7.4,12.6 9.8,11.4
  put _bloom 12.4 4
slowly
  blob tan 1,14.4 4,12.6 11,12.6 12.2,9 14.4,8.6 14.6,12 13,14.6
  flat
  line ink .8 12.8,9 12,5.6
  line ink .8 14,9 14.8,6
  --
  oval nut 6.4 8.8 4.2 4.2
  flat
  arc cream 1.1 6.4 8.8 2.4 2.4 -20 270
quickly
  poly red 5,3 10,8 5,13
  poly red 10,3 15,8 10,13
  flat
  line grey 1 .8,5 3.4,5
  line grey 1 .8,8 4.6,8
  line grey 1 .8,11 3.4,11
softly
  poly sky 3.2,13 2.8,9.4 4.4,8.8 4.4,6.6 6.4,6 7,3.6 9.4,3.4 13.8,1.4 13.2,5.4 11.4,6.6 11.2,8.6 9,9.6 8.6,11.6 6,12
  flat
  curve navy 1 1.6,14.8 6,10 12,3.4
gladly
  put _face 8 7.4
  flat
  both arc ink 1.1 5.4 6.4 1.4 1.4 190 350
  poly wine 4.6,8.6 11.4,8.6 10,11.2 8,11.8 6,11.2
  -- .7
  both blob skin 2.4,15.6 1,13 1.6,11 3.4,11 5,10.6 6,13 5,15.6
alone
  flat
  oval grey 2.5 2 1.3 1.3
  oval grey 6.5 2 1.3 1.3
  oval grey 10.5 2 1.3 1.3
  box grey 1 3.6 4 6
  box grey 5 3.6 8 6
  box grey 9 3.6 12 6
  -- .7
  oval skin 12 9 1.6 1.6
  blob blue 9.4,15.4 10,12.2 14,12.2 14.6,15.4
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
  flat
  box leaf 1 1 5 5
  box leaf 6 1 10 5
  box leaf 11 1 15 5
  box leaf 1 6 5 10
  box silver 6 6 10 10
  box leaf 11 6 15 10
  box leaf 1 11 5 15
  box leaf 6 11 10 15
  box silver 11 11 15 15
sometimes
  flat
  box silver 1 1 5 5
  box leaf 6 1 10 5
  box silver 11 1 15 5
  box silver 1 6 5 10
  box silver 6 6 10 10
  box silver 11 6 15 10
  box leaf 1 11 5 15
  box silver 6 11 10 15
  box silver 11 11 15 15
always
  curve blue 2.4 8,8 4.8,5.4 2.4,6.4 2.4,9.6 4.8,10.6 8,8 11.2,5.4 13.6,6.4 13.6,9.6 11.2,10.6 8,8
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
  flat
  oval lime 8 8 7.8 7.8
  -- .8
  box tan 2.8 4.4 8.4 11.6
  oval red 11.8 10 1.5 1.5
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
  flat
  box cream 1.6 1.6 14.4 14.4
  line brown 1.8 1.6,1.6 14.4,1.6 14.4,14.4 1.6,14.4 1.6,1.6
  --
  oval red 8 8.4 3 3
outside
  flat
  line brown 1.8 1.4,4.4 1.4,14.4 8,14.4 8,4.4
  box cream 2.4 4.4 7 13.4
  line ink 1.2 4.6,10 4.6,2.4 10,2.4
  poly ink 10,.2 10,4.6 13.4,2.4
  --
  oval red 12.4 11.6 2.4 2.4
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
  oval skin 3.6 5.4 2.4 2.6
  flat
  blob brown 1.2,5 1.8,3 3.6,2.4 5.6,3 6,5 3.6,4
  --
  oval skin 10 7.4 3.8 4.2
  --
  blob silver 6,8.6 10,9.6 14,8.6 13.8,12 10,14.8 6.2,12
  flat
  oval ink 8.5 7 .6 1
  oval ink 11.5 7 .6 1
younger
  oval skin 4 5 2.6 2.8
  oval silver 4 7.4 2.6 2
  --
  oval skin 10 9.6 4.4 4.4
  flat
  blob brown 5.4,9 6,6 10,4.6 14,6 14.6,9 10,7
  oval ink 8.5 10 .65 1.05
  oval ink 11.5 10 .65 1.05
  curve ink .9 8.4,12.4 10,13 11.6,12.4
_bloom
  -- .6
  oval rose 8 5.9 1.5 1.5
  both oval rose 6 7.4 1.5 1.5
  both oval rose 6.8 9.6 1.5 1.5
  oval yellow 8 8 1.2 1.2
'''
