"""A first guess at what an unknown word means: the known word that it shares most letters with."""

from collections import Counter, defaultdict
from functools import lru_cache
from math import sqrt

__all__ = ['CharNGramIndex', 'char_ngrams']


@lru_cache(1 << 16)
def char_ngrams(
    word: str,  # any string
    low: int = 3,
    high: int = 5,  # shortest and longest
) -> frozenset:
    "Runs of `low` to `high` characters of `<word>` (Bojanowski and others, 2017)"
    marked = f'<{word.lower()}>'
    spans = ((i, i + n) for n in range(low, high + 1) for i in range(len(marked) - n + 1))
    return frozenset(marked[start:end] for start, end in spans)


class CharNGramIndex:
    "Which of the known words shares most letter groups with another"

    def __init__(
        self,
        words,  # strings
        low: int = 3,  # characters of the shortest groups
    ):
        self.low = low
        groups = [char_ngrams(word, low) for word in words]
        self.sizes = [max(len(group), 1) for group in groups]
        self.words_with = defaultdict(list)
        for i, group in enumerate(groups):
            for ngram in group:
                self.words_with[ngram].append(i)

    def __call__(
        self,
        word: str,
        default=0,  # where no known word shares a group
    ):
        "Number of the known word with the largest cosine, the first of equals"
        shared = Counter()
        for ngram in char_ngrams(word, self.low):
            shared.update(self.words_with.get(ngram, ()))
        if not shared:
            return default
        return max(shared, key=lambda i: (shared[i] ** 2 / self.sizes[i], -i))

    def cosines(
        self,
        word: str,
    ) -> dict:
        "Number of each known word that shares a group, and their cosine"
        groups, shared = char_ngrams(word, self.low), Counter()
        for ngram in groups:
            shared.update(self.words_with.get(ngram, ()))
        return {i: count / sqrt(self.sizes[i] * len(groups)) for i, count in shared.items()}
