"""Food"""

__all__ = ['DRAWINGS']

DRAWINGS = '''
apple
  blob red 8,4.8 11.6,4 14,7.4 12.6,12.4 10,14.6 8,14 6,14.6 3.4,12.4 2,7.4 4.4,4
  curve brown 1 8,5 8.2,3 9,1.4
  --
  blob leaf 9,3 11,1.2 13.6,1.4 12,3.4
  flat
  oval white 5 7.6 .8 1.4
bread
  blob brown 1.6,7 2.6,3.6 5.4,2.8 8,3.2 10.6,2.8 13.4,3.6 14.4,7 13,8 13,13.6 3,13.6 3,8
  flat
  blob tan 3,6.6 4,4.6 8,4.8 12,4.6 13,6.6 11.6,7.4 11.6,12.4 4.4,12.4 4.4,7.4
cake
  box pink 2.4 8 13.6 14.4
  flat
  box cream 2.4 11 13.6 12.4
  blob white 2.4,7.6 13.6,7.6 13.6,9.6 11.8,9 10,10.4 8,9.2 6,10.4 4.2,9 2.4,9.6
  --
  box blue 7.3 4.4 8.7 7.6
  oval yellow 8 2.6 1 1.4
cheese
  poly yellow 1.4,10 9.6,2.8 14.4,7 14.4,13.6 1.4,13.6
  flat
  poly gold 1.4,10 14.4,7.4 14.4,13.6 1.4,13.6
  oval orange 5 11.8 1.1 1.1
  oval orange 11.4 10.4 1.4 1.4
  oval orange 8.6 12.8 .8 .8
soup
  poly blue 1.6,8 14.4,8 13,12 10.4,14.4 5.6,14.4 3,12
  oval orange 8 8 6.4 1.8
  flat
  both curve grey .8 5.4,5.4 4.6,4 5.6,2.8 4.8,1
  curve grey .8 8,5.4 7.2,4 8.2,2.8 7.4,1
berry
  blob rose 8,15 4,11.4 2.6,7.4 5,5 8,5.4 11,5 13.4,7.4 12,11.4
  --
  poly leaf 8,6.6 5.6,7.4 5.4,5.4 3,4 6.4,3.6 8,1.2 9.6,3.6 13,4 10.6,5.4 10.4,7.4
  flat
  both oval cream 5.6 9 .5 .7
  oval cream 8 10 .5 .7
  both oval cream 6.6 12 .5 .7
honey
  blob gold 3,6 13,6 14.4,9.6 13,14.4 3,14.4 1.6,9.6
  box tan 3 2 13 5
  flat
  blob orange 2.6,6 13.4,6 13,8 11.6,9.6 10.4,8 8.6,11.6 7,8.4 5.4,9.2 3.6,8
  oval cream 4.4 11.6 .7 1.4
egg
  blob cream 8,1.6 12,6 13,10.4 11,13.8 8,14.6 5,13.8 3,10.4 4,6
  flat
  oval white 6 8 1 2
'''
