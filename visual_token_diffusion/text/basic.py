"""Three plain vocabularies: one that takes everything, one that takes what it has seen, one that people would write."""

from collections import Counter

from .given import visible
from .units import from_bytes, iter_units, joiner, to_bytes
from .vocab import Vocab

__all__ = ['ByteVocab', 'LetterVocab', 'WordVocab']


class ByteVocab(Vocab):
    "The 256 bytes"

    name = 'bytes'

    def __init__(self):
        super().__init__([f'<{i:02x}>' for i in range(256)])

    def encode(self, text):
        return list(to_bytes(text))

    def decode(self, ids):
        return from_bytes(bytes(ids))

    def label(self, i):
        if i in b'\n\t\r':
            return visible(chr(i))
        return chr(i) if 32 < i < 127 else self.tokens[i]


def _most_common(counts, max_size, min_count):
    "Keys by falling count, ties in alphabetical order, so that the same corpus always gives the same list"
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [key for key, count in ordered if count >= min_count][:max_size]


class LetterVocab(Vocab):
    "The characters of a corpus and `<unk>`"

    name, unk = 'letters', '<unk>'
    lossless, fitted = False, True

    def __init__(self, tokens):
        super().__init__(tokens)
        if self.unk not in self.index:
            raise ValueError(f"a vocabulary of {self.name} needs the token {self.unk}")
        self.unk_id = self.index[self.unk]

    @classmethod
    def from_text(cls, text, max_size=0, min_count=1):
        return cls([cls.unk] + _most_common(Counter(cls.pieces(text)), (max_size or 49408) - 1, min_count))

    @staticmethod
    def pieces(text):
        return text

    def encode(self, text):
        return [self.index.get(p, self.unk_id) for p in self.pieces(text)]

    def decode(self, ids):
        return ''.join('\ufffd' if i == self.unk_id else self.tokens[i] for i in ids)

    def label(self, i):
        return visible(self.tokens[i])

    def unknown(self, text):
        "The pieces of `text` that this vocabulary does not have, each once, in order"
        return [p for p in dict.fromkeys(self.pieces(text)) if p not in self.index or p == self.unk]


class WordVocab(LetterVocab):
    "The words of a corpus, punctuation, the line break and `<unk>`"

    name = 'words'

    @staticmethod
    def pieces(text):
        "Yields the units and line breaks of `text`"
        for unit, space in iter_units(text):
            for _ in range(space.count('\n')):
                yield '\n'
            if unit:
                yield unit

    def decode(self, ids):
        parts, last = [], ''
        for token in (self.tokens[i] for i in ids):
            parts.append(token if token == '\n' else joiner(last, token[0]) + token)
            last = '' if token == '\n' else token[-1]
        return ''.join(parts)
