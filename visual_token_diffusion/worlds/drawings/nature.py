"""Sky, weather, and what grows"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
sun
  flat
  line orange 1.6 8,1 8,15
  line orange 1.6 1,8 15,8
  both line orange 1.6 3,3 13,13
  --
  oval yellow 8 8 4 4
moon
  flat
  oval navy 8 8 8 8
  oval yellow 7.6 8 5.6 5.6
  oval navy 10.4 6.6 5 5
  oval white 12.4 10.6 .7 .7
  oval white 10.6 5 .6 .6
cloud
  flat
  box sky 0 0 16 16
  -- .8
  oval white 4.6 9.6 3 2.8
  oval white 7.6 6.6 3.8 3.8
  oval white 11.4 9.2 3 3
  box white 4.6 9 11.6 12.4
tree
  box brown 6.8 10 9.2 15
  oval leaf 8 4.8 4.2 3.6
  oval leaf 4.4 7.4 3.2 2.8
  oval leaf 11.6 7.4 3.2 2.8
  oval leaf 8 8.6 4 2.4
  flat
  both oval red 5 7.2 .8 .8
  oval red 8.6 4 .8 .8
flower
  flat
  line leaf 1.4 8,9 8,15.6
  --
  blob leaf 8.2,14.6 10,11.8 13,11.6 12,14
  --
  oval rose 8 2.8 1.9 1.9
  both oval rose 4.6 5.2 1.9 1.9
  both oval rose 6 9 1.9 1.9
  --
  oval yellow 8 6 1.6 1.6
forest
  box brown 3.2 12 4.8 15
  poly pine 4,2.4 7,8 1,8
  poly pine 4,6 7.4,12.6 .8,12.6
  box brown 11.2 12 12.8 15
  poly pine 12,2.4 15,8 9,8
  poly pine 12,6 15.2,12.6 8.6,12.6
  --
  box brown 7.2 13 8.8 16
  poly leaf 8,4.4 11,9.6 5,9.6
  poly leaf 8,7.6 11.6,14 4.4,14
river
  flat
  box lime 0 0 16 16
  curve blue 5 11,-2 10,2 5,6 6,10 11,13 10,18
  curve sky 1 10.6,0 9.6,2.6 5.4,6
  curve sky 1 6,9.6 10.4,12.6 10.6,15
  oval pine 3 3 1.6 1.6
  oval pine 13 7.6 1.6 1.6
  oval pine 3 13 1.6 1.6
hill
  flat
  box sky 0 0 16 16
  oval yellow 13 3.2 1.8 1.8
  --
  oval leaf 7 16 9 9
  flat
  oval lime 5 12 3 2.4
island
  flat
  box sky 0 0 16 16
  box blue 0 11.6 16 16
  --
  blob gold 3,13.4 5,10.8 8,10 11,10.8 13,13.4
  flat
  curve brown 1.4 8.6,11 8.4,8 7.2,5
  curve leaf 1.8 7.2,4.6 4,4 2.4,6.4
  curve leaf 1.8 7.2,4.6 10.6,4 12.4,6.6
  curve leaf 1.6 7.2,4.6 5.6,2.2 3.4,1.6
  curve leaf 1.6 7.2,4.6 9,2.2 11.4,1.8
shines
  -- .8
  poly yellow 6.4,1.4 7.8,6.2 12.4,7.6 7.8,9.2 6.4,14 5,9.2 .8,7.6 5,6.2
  poly yellow 12.6,.8 13.3,2.7 15.2,3.4 13.3,4.1 12.6,6 11.9,4.1 10,3.4 11.9,2.7
  poly yellow 12.6,9.8 13.4,12 15.4,12.6 13.4,13.3 12.6,15.4 11.8,13.3 9.8,12.6 11.8,12
rises
  -- .8
  oval yellow 6.6 11 3.6 3.6
  flat
  line gold 1.2 6.6,6 6.6,4.4
  line gold 1.2 2.6,8 1.4,6.8
  box white 0 11 16 16
  box leaf 0 11 16 16
  line red 1.8 13,9.6 13,4.4
  poly red 10.2,4.8 15.8,4.8 13,1
sets
  flat
  box orange 0 0 16 16
  oval red 6.4 11 4 4
  oval yellow 6.4 11 2.4 2.4
  box navy 0 11 16 16
  line blue 1 3,13.4 10,13.4
  line white 1.8 13,1.6 13,6
  poly white 10.2,5.6 15.8,5.6 13,9.4
glows
  flat
  oval cream 8 8 8 8
  oval yellow 8 8 5.6 5.6
  oval gold 8 8 3.6 3.6
  oval white 8 8 2 2
'''
