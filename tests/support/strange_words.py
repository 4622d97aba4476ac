"Strings that nobody would type, for everything that should take any string."

import random
import string
import sys
import unicodedata
from functools import lru_cache


@lru_cache
def printable():
    return [chr(i) for i in range(sys.maxunicode + 1) if chr(i).isprintable()]


@lru_cache
def joiners():
    "Characters without a width of their own"
    marks = ('Mn', 'Mc', 'Me', 'Cf')
    return [chr(i) for i in range(sys.maxunicode + 1) if unicodedata.category(chr(i)) in marks]


def random_words(n, seed, most=16):
    "Strings of up to `most` characters: all of printable Unicode, ASCII, marks without width, mixtures"
    rng = random.Random(seed)
    every, odd = printable(), joiners()
    letters = string.printable
    surrogates = [chr(i) for i in range(0xD800, 0xE000)]
    mixed = [*every[:500], *odd[:300]]
    pools = [every, letters, odd, [*letters, *odd], mixed, surrogates + list(letters)]
    sizes = (min(most, int(rng.expovariate(0.25))) for _ in range(n))
    return [''.join(rng.choices(rng.choice(pools), k=k)) for k in sizes]
