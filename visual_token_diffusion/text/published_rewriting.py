"The rewriting of MYTE's published code: letters taken apart, capitals marked. It does not bring every string back."

import unicodedata
from functools import lru_cache

from .byte_trie import ByteTrie

__all__ = ['published_rewriting', 'published_tries']

_SCALARS = (range(0xD800), range(0xE000, 0x110000))  # all characters but surrogates


def _rewritten(char):
    "The canonical decomposition, with the marker behind every part that has a small form of one character"
    out = ''
    for part in unicodedata.normalize('NFD', char):
        small = part.lower()
        out += small + 'A' if small != part and len(small) == 1 else part
    return out


@lru_cache(1)
def published_rewriting() -> dict:
    """`{bytes: bytes}`: the rules of the published map, and those of the capitals that Unicode has since got
    (Limisiewicz and others, 2024, https://arxiv.org/abs/2403.10691); several rules end alike"""
    pairs = ((char, _rewritten(char)) for part in _SCALARS for char in map(chr, part))
    return {char.encode(): out.encode() for char, out in pairs if char != out}


@lru_cache(1)
def published_tries() -> tuple:
    "Two tries, there and back; of rules that end alike the last counts, as in the published code"
    rules = published_rewriting()
    return ByteTrie(rules), ByteTrie({out: source for source, out in rules.items()})
