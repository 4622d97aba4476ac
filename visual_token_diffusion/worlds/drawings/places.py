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
  poly red 7.6,6.6 7.6,1.2 12,2.6 8.4,4
  flat
  oval dark 8 11.6 1.9 1.9
  box dark 6.1 11.6 9.9 14.6
tower
  box grey 5 6 11 14.8
  box grey 4 3.4 12 6.4
  box grey 4 1.4 5.6 4
  box grey 7.2 1.4 8.8 4
  box grey 10.4 1.4 12 4
  flat
  box navy 7.2 7.6 8.8 10
  box brown 6.8 12 9.2 14.8
  line dark .6 5,11 6.6,11
  line dark .6 9.6,8.6 11,8.6
village
  box cream 1.6 5.4 6.4 9
  poly red 4,1.6 7,5.4 1,5.4
  box cream 10 5.4 14.6 9
  poly orange 12.4,1.6 15.2,5.4 9.4,5.4
  --
  box cream 5 10.6 11 15
  poly blue 8,6.6 12.2,10.8 3.8,10.8
  flat
  box brown 7.2 12 8.8 15
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
  blob grey 1,15 1.6,8 5,3 8.4,1.6 12,4 14.6,9 15,15
  flat
  blob ink 4.4,15 4.8,10 8,7.2 11.2,10 11.6,15
  both oval yellow 6.9 11.4 .6 .7
  line dark .7 3.4,9 4.4,7
  line dark .7 11,5 12.4,7
garden
  flat
  box lime 0 9 16 16
  --
  box white 1 9 2.8 15
  box white 4.8 9 6.6 15
  box white 8.8 9 10.6 15
  box white 12.8 9 14.6 15
  box white 1 11 14.6 12.4
  flat
  line leaf 1 4,8.6 4,5
  line leaf 1 12,8.6 12,5
  line leaf 1 8,8.6 8,5
  --
  oval rose 3.6 4 1.8 1.8
  oval yellow 8 3.4 1.8 1.8
  oval purple 12.4 4 1.8 1.8
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
