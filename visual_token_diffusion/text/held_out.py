"Where a text is cut in two: paragraphs to measure on, spread over the whole, and the rest to learn from."

import re
from functools import partial

__all__ = ['held_out_ranges', 'ranges_between', 'ranges_of_parts']

_LEAST = 2000  # characters held out of a part; a blank line is looked for no further
_blank_line = re.compile(r'\n\s*\n')


def _border(text, i, reach):
    "The first place from `i` on, within `reach`, where a paragraph begins; else a line; else a word; else `i`"
    blank = _blank_line.search(text, max(i - 1, 0), i + reach)
    if blank:
        return blank.end()
    after = (text.find(sign, max(i - 1, 0), i + reach) + 1 for sign in '\n ')
    return next((place for place in after if place), i)


def ranges_of_parts(
    size: int,  # of the whole
    share: float,  # of it that is held out
    parts: int,  # equal parts whose ends are held out; 1 holds out the end of the whole
    least: int,  # held out of a part; a border is looked for no further
    border,  # function of a place and a reach: the first place from there on where something begins
) -> list:
    "`(start, end)` from border to border, in order; a short whole has fewer parts, so that each gives `least`"
    n = max(1, min(parts, int(size * share) // least))
    reach, ranges = min(int(size * share / n) // 2, least), []
    for k in range(1, n + 1):
        start = border(int((k - share) * size / n), reach)
        end = border(k * size // n, reach) if k < n else size
        if start < end:
            ranges.append((start, end))
    return ranges


def held_out_ranges(
    text: str,
    share: float,  # of the text that is held out
    parts: int = 50,  # equal parts whose ends are held out; 1 holds out the end of the text
) -> list:
    "`(start, end)` of whole paragraphs, in order; a short text has fewer parts, so that each gives 2,000 characters"
    return ranges_of_parts(len(text), share, parts, _LEAST, partial(_border, text))


def ranges_between(
    ranges: list,  # `(start, end)` in order
    size: int,  # of the whole
) -> list:
    "What `ranges` leave of 0 to `size`, in order"
    starts = [0, *(end for _, end in ranges)]
    ends = [*(start for start, _ in ranges), size]
    return [(start, end) for start, end in zip(starts, ends) if start < end]
