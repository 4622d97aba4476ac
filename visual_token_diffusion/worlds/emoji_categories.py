"""Thirteen categories of emoji, by ranges of code points. The table is ours; neither package brings one."""

# An emoji belongs to the category of its first character: a range begins at each number (hexadecimal) and ends before
# the next.

import bisect

__all__ = ['CATEGORIES', 'category']

CATEGORIES = ('faces', 'people', 'animals', 'plants', 'food', 'places', 'travel', 'sky', 'activities', 'objects',
              'clothes', 'symbols', 'flags')

_RANGES = """
0 symbols 231A objects 23CF symbols 23F0 objects 23F8 symbols 2600 sky 260E objects 2611 symbols 2614 sky 2615 food
2618 plants 261D people 2620 symbols 2639 faces 2640 symbols 265F activities 2668 symbols 2692 objects 2695 symbols
2696 objects 269B symbols 26B0 objects 26BD activities 26C4 sky 26CE symbols 26CF objects 26D1 clothes 26D3 objects
26D4 symbols 26E9 places 26F3 activities 26F4 travel 26F7 activities 26FA places 26FD travel 2702 objects
2705 symbols 2708 travel 2709 objects 270A people 270F objects 2714 symbols 2744 sky 2747 symbols 2B50 sky
2B55 symbols 1F004 activities 1F170 symbols 1F1E6 flags 1F200 symbols

1F300 sky 1F302 clothes 1F303 places 1F308 sky 1F309 places 1F30A sky 1F30B places 1F30C sky 1F32D food 1F331 plants
1F336 food 1F337 plants 1F33D food 1F33E plants 1F345 food 1F380 activities 1F382 food 1F383 activities 1F385 people
1F386 activities 1F392 clothes 1F396 activities 1F399 objects 1F39F activities 1F3A4 objects 1F3A6 symbols
1F3A7 objects 1F3A8 activities 1F3A9 clothes 1F3AA activities 1F3BD clothes 1F3BE activities 1F3C1 flags
1F3C2 activities 1F3CD travel 1F3CF activities 1F3D4 places 1F3E7 symbols 1F3E8 places 1F3EE objects 1F3EF places
1F3F3 flags 1F3F5 plants 1F3F7 objects 1F3F8 activities 1F3FA objects 1F400 animals

1F440 people 1F451 clothes 1F463 people 1F479 faces 1F47C people 1F47D faces 1F481 people 1F484 objects 1F485 people
1F488 objects 1F48B symbols 1F48C objects 1F48D clothes 1F48F people 1F490 plants 1F491 people 1F492 places
1F493 symbols 1F4A1 objects 1F4A2 symbols 1F4A3 objects 1F4A4 symbols 1F4A9 faces 1F4AA people 1F4AB symbols
1F4B0 objects 1F4BA travel 1F4BB objects 1F4F3 symbols 1F4F7 objects 1F500 symbols 1F507 objects 1F518 symbols
1F525 sky 1F526 objects 1F52F symbols 1F54A animals 1F54B places 1F54E objects 1F573 symbols 1F574 people
1F576 clothes 1F577 animals 1F579 activities 1F57A people 1F587 objects 1F590 people 1F5A4 symbols 1F5A5 objects
1F5E1 objects 1F5E3 people 1F5E8 symbols 1F5F3 objects 1F5FA places

1F600 faces 1F645 people 1F648 animals 1F64B people 1F680 travel 1F6A3 activities 1F6A4 travel 1F6A9 flags
1F6AA objects 1F6AB symbols 1F6AC objects 1F6AD symbols 1F6B2 travel 1F6B3 symbols 1F6B4 activities 1F6B6 people
1F6B7 symbols 1F6BD objects 1F6BE symbols 1F6BF objects 1F6C0 people 1F6C1 objects 1F6C2 symbols 1F6CB objects
1F6CC people 1F6CD objects 1F6D0 symbols 1F6D2 objects 1F6D5 places 1F6DC symbols 1F6DD places 1F6DE travel
1F6E0 objects 1F6E3 travel 1F6F7 activities 1F6F8 travel 1F7E0 symbols

1F90C people 1F90D symbols 1F90F people 1F910 faces 1F918 people 1F920 faces 1F926 people 1F927 faces 1F930 people
1F938 activities 1F940 plants 1F941 activities 1F942 food 1F945 activities 1F950 food 1F970 faces 1F977 people
1F978 faces 1F97B clothes 1F980 animals 1F9AF objects 1F9B4 people 1F9BA clothes 1F9BB people 1F9BC travel
1F9BE people 1F9C0 food 1F9CC people 1F9D0 faces 1F9D1 people 1F9E1 symbols 1F9E2 clothes 1F9E7 activities
1F9EA objects 1F9F8 activities 1F9F9 objects

1FA70 clothes 1FA75 symbols 1FA78 objects 1FA80 activities 1FA8B sky 1FA8C objects 1FA90 sky 1FA91 objects
1FA95 activities 1FA96 clothes 1FA97 activities 1FA99 objects 1FAA8 places 1FAA9 objects 1FAB0 animals 1FAB4 plants
1FAB6 animals 1FAB7 plants 1FAB8 animals 1FABB plants 1FABC animals 1FABE plants 1FABF animals 1FAC0 people
1FACC animals 1FAD0 food 1FADF symbols 1FAE0 faces 1FAE6 people 1FAE7 symbols 1FAE8 faces 1FAEF symbols 1FAF0 people
""".split()

_STARTS = [int(number, 16) for number in _RANGES[::2]]
_NAMES = _RANGES[1::2]


def category(char:str # an emoji
            ) -> str:
    "One of `CATEGORIES`"
    return _NAMES[bisect.bisect(_STARTS, ord(char[0]))-1]
