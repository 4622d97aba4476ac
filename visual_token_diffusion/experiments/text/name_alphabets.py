"Real names in many languages, what they are written in, and what a small model pays for them."

import random
import re
from collections import Counter

import torch

from ...text.basic import ByteVocab
from ...text.morphemes import MorphemeVocab, morpheme_codes, word_counts
from ...text.segmentation import learn_morphemes, merge_scores
from ...worlds.emoji_names import LANGUAGES, concepts, emoji_names
from .byte_pairs import BytePairs, learn_pairs, pieces
from .row_model import RowModel

__all__ = [
    'NAME_ALPHABETS', 'name_alphabet', 'names_of', 'relative_lengths', 'run_names', 'spelled_share', 'split_names',
]

_CODE = b'[\x42-\x49].|[\x4a-\x51]..|[\x52-\x59]...'

def names_of(
    chars,  # emoji
):
    "{language: the names of these emoji}, and the English aliases"
    return {language: emoji_names(chars, language) for language in LANGUAGES}


def split_names(
    seed: int = 0,
    share: float = 0.2,  # of the concepts that are held out
):
    "{language: names} of concepts to learn from, and of held-out ones"
    chars = [concept.char for concept in concepts()]
    random.Random(seed).shuffle(chars)
    cut = int(len(chars) * (1 - share))
    return names_of(chars[:cut]), names_of(chars[cut:])


NAME_ALPHABETS = {  # whether as published, and how often a morpheme must occur
    'utf8': None,
    'bpe': None,
    'myte': (False, 1),
    'myte, twice': (False, 2),
    'published': (True, 1),
}


def name_alphabet(
    kind: str,  # of `NAME_ALPHABETS`
    seen,  # {language: names}
    merges: int = 4000,  # of the byte pairs
    seed: int = 0,
):
    "A vocabulary: byte pairs from all languages together, or morphemes from each"
    if kind == 'utf8':
        return ByteVocab()
    if kind == 'bpe':
        words = Counter(piece for names in seen.values() for name in names for piece in pieces(name))
        return BytePairs(learn_pairs(words, merges))
    published, least = NAME_ALPHABETS[kind]
    words = (word_counts('\n'.join(names), published) for names in seen.values())
    scores = merge_scores(learn_morphemes(part, seed=seed, least=least) for part in words)
    return MorphemeVocab.from_codes(morpheme_codes(scores, published), published)


def relative_lengths(
    vocab,
    names,  # {language: names of the same things}
):
    "{language: (ids of a name, how many times those of English)}"
    mean = {language: sum(len(vocab.encode(n)) for n in part) / len(part) for language, part in names.items()}
    return {language: (n, n / mean['en']) for language, n in mean.items()}


def run_names(
    vocab,  # with `encode`, `len`
    seen,  # {language: names}
    held,  # the same of held-out concepts
    seed: int = 0,
    steps: int = 400,
    batch: int = 48,
):
    "{language: bits of a held-out name}, from one model of all languages"
    rows = [(vocab.encode(name), i) for i, part in enumerate(seen.values()) for name in part]
    rng = random.Random(seed)

    def draw(step):
        part = rng.choices(rows, k=batch)
        return [row for row, _ in part], [i for _, i in part]

    torch.manual_seed(seed)
    model = RowModel(len(vocab), len(seen)).fit(draw, steps)
    bits = {}
    for i, (language, part) in enumerate(held.items()):
        bits[language] = float(model.bits([vocab.encode(name) for name in part], [i] * len(part)).mean())
    return bits


def spelled_share(
    vocab,  # a `MorphemeVocab`
    names,  # list of strings
):
    "The share of the bytes of names, but blanks, that are not in a code: letters that are spelled"
    data = b''.join(vocab.encode_bytes(name).replace(b' ', b'') for name in names)
    coded = sum(len(code) for code in re.findall(_CODE, data))
    return 1 - coded / len(data)
