"""What is built, and where people go"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
house
  box cream 3 7 13 14.4
  poly red 8,1.4 15,7.6 1,7.6
  flat
  box brown 6.6 9.6 9.4 14.4
  box sky 10.4 9 12 10.8
  box sky 4 9 5.6 10.8
castle
  box grey 4 7 12 14.6
  poly grey 1.6,14.6 1.6,4 2.8,4 2.8,5 3.6,5 3.6,4 4.8,4 4.8,14.6
  poly grey 14.4,14.6 14.4,4 13.2,4 13.2,5 12.4,5 12.4,4 11.2,4 11.2,14.6
  flat
  line ink 1 7.5,6.4 7.5,1
  poly red 7.5,.6 11,2.1 7.5,3.6
  oval brown 8 11.4 2 2
  box brown 6 11.4 10 14.6
  both box navy 2.6 7 3.8 9
tower
  box grey 5 6.4 11 14.8
  box grey 4.2 6.4 11.8 8
  --
  poly red 8,.8 13,6 3,6
  flat
  box navy 7 9 9 11
  oval navy 8 9 1 1
  box brown 6.8 12.6 9.2 14.8
  line dark .7 5.4,12 6.4,12
  line dark .7 9.8,10 10.8,10
village
  flat
  box lime 0 12 16 16
  put house 3.9 4.6 .5
  put house 12.1 4.6 .5
  put house 8 11.3 .56
bridge
  flat
  box sky 0 10 16 16
  line blue .8 1,14 4,14
  line blue .8 11,13 15,13
  --
  poly tan 0.6,8.6 4,6 8,5 12,6 15.4,8.6 15.4,13 13,13 12,10.4 8,8.6 4,10.4 3,13 .6,13
  flat
  curve brown 1 .6,6 4,3.2 8,2.2 12,3.2 15.4,6
  both line brown .8 4,3.2 4,6
  line brown .8 8,2.2 8,5
road
  flat
  box lime 0 5 16 16
  box sky 0 0 16 5
  poly dark 7,5 9,5 14.6,16 1.4,16
  line white 1 8,6.4 8,7.4
  line white 1.2 8,9.4 8,11
  line white 1.5 8,13.4 8,16
cave
  flat
  box lime 0 14 16 16
  --
  poly grey .8,14.6 2.6,7.6 5,6.6 6.6,2.4 9.4,1.6 11.4,4.6 13.6,6.4 15.2,14.6
  flat
  poly dark 6.6,2.4 9.4,1.6 11.4,4.6 9,5
  blob ink 4.6,14.8 5.2,10.4 8,8.2 11,10.4 11.8,14.8
  line dark .8 3,11 4,8.6
  line dark .8 12.6,8 13.2,10.6
garden
  flat
  box leaf 0 11 16 16
  line pine 1 8,12 8,5
  both line pine 1 3,13 3,7
  both line pine 1.2 3,12 4.6,10.4
  line pine 1.2 8,11.4 9.8,9.4
  both oval lime 5.6 13.6 1 .8
  -- .6
  poly rose 1,3.6 2.2,5 3,3.4 3.8,5 5,3.6 4.8,7 3,8.4 1.2,7
  poly yellow 6,1 7.2,2.4 8,.8 8.8,2.4 10,1 9.8,4.4 8,5.8 6.2,4.4
  poly purple 11,3.6 12.2,5 13,3.4 13.8,5 15,3.6 14.8,7 13,8.4 11.2,7
field
  flat
  box sky 0 0 16 5
  box gold 0 5 16 16
  line tan 1.2 8,5 8,16
  both line tan 1.2 6.6,5 3,16
  both line tan 1.2 5,5 -2,14
  both line tan 1.2 3.2,5 -4,10
  line pine 1 0,5 16,5
'''
