"Byte pairs learned from words (Sennrich and others, 2016): the usual way, to compare others with."

import heapq
import re
from collections import Counter, defaultdict

from ...text.units import from_bytes, to_bytes

__all__ = ['BytePairs', 'join_pairs', 'learn_pairs', 'pieces']

_piece = re.compile(r' ?[^ \n]+|\s')


def pieces(
    text: str,
) -> list:
    "Words with the blank before them; no pair crosses their ends"
    return _piece.findall(text)


def _join(symbols, pair, new):
    "`symbols` with every occurrence of a pair as one new symbol, from the left"
    joined, i = [], 0
    while i < len(symbols):
        is_pair = tuple(symbols[i : i + 2]) == pair
        joined.append(new if is_pair else symbols[i])
        i += 1 + is_pair
    return joined


def learn_pairs(
    counts,  # {piece: how often}
    n: int,  # most merges
) -> list:
    "`n` pairs of symbols in order, the most frequent first; fewer where no pair is there twice"
    words = [list(to_bytes(piece)) for piece in counts]
    often = list(counts.values())
    pairs, where = Counter(), defaultdict(set)
    for i, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += often[i]
            where[pair].add(i)
    merges, heap = [], [_ranked(pair, count) for pair, count in pairs.items()]
    heapq.heapify(heap)
    while heap and len(merges) < n:
        entry = heapq.heappop(heap)
        best = entry[2]
        if -entry[0] != pairs[best] or best not in where:
            continue  # counted anew since
        if pairs[best] < 2:
            break
        new = 256 + len(merges)
        merges.append(best)
        changed = set()
        for i in where.pop(best):
            old = words[i]
            words[i] = _join(old, best, new)
            for pair in zip(old, old[1:]):
                pairs[pair] -= often[i]
                changed.add(pair)
            for pair in zip(words[i], words[i][1:]):
                pairs[pair] += often[i]
                where[pair].add(i)
                changed.add(pair)
        for pair in changed:
            heapq.heappush(heap, _ranked(pair, pairs[pair]))
    return merges


def _ranked(pair, count):
    "For the heap: the most frequent first, then the pair with the higher numbers"
    return -count, (-pair[0], -pair[1]), pair


def join_pairs(first, second):
    "Two lists of merges as one; those of the second come after, with numbers of their own"
    moved = len(first)
    return list(first) + [tuple(i + moved * (i > 255) for i in pair) for pair in second]


class BytePairs:
    "Text as numbers: 256 bytes and one for each pair"

    def __init__(
        self,
        merges,  # from `learn_pairs`
    ):
        self.rank = {pair: i for i, pair in enumerate(merges)}
        self.parts = [bytes([byte]) for byte in range(256)]
        for a, b in merges:
            self.parts.append(self.parts[a] + self.parts[b])
        self.cache = {}

    def __len__(self):
        return len(self.parts)

    def _merged(self, piece):
        symbols = list(to_bytes(piece))
        while len(symbols) > 1:
            best = min(zip(symbols, symbols[1:]), key=lambda pair: self.rank.get(pair, 1 << 30))
            if best not in self.rank:
                break
            symbols = _join(symbols, best, 256 + self.rank[best])
        return symbols

    def encode(self, text):
        ids = []
        for piece in pieces(text):
            if piece not in self.cache:
                self.cache[piece] = self._merged(piece)
            ids.extend(self.cache[piece])
        return ids

    def decode(self, ids):
        return from_bytes(b''.join(self.parts[i] for i in ids))
