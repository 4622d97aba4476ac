"A language with stems and endings of our own, in two scripts, with its exact entropy and its true boundaries."

import random
import time
from collections import Counter
from functools import lru_cache
from itertools import product

import torch

from ...text.segmentation import Segmenter, boundary_scores, description_length
from ...worlds.pcfg import Grammar
from ...worlds.stories import LEXICON

__all__ = ['ENDINGS', 'STEMS', 'bilingual', 'in_georgian', 'inflected', 'segmented', 'true_parts']

# Stems from the stories; an ending for each slot, in order, and how often: number and case, tense and person, degree
STEMS = dict(
    Noun=(LEXICON['noun.animal'] + LEXICON['noun.person'] + LEXICON['noun.place'])[:40],
    Verb=LEXICON['verb.move'] + LEXICON['verb.voice'] + LEXICON['verb.see'] + LEXICON['verb.take'],
    Adjective=LEXICON['adjective.colour'] + LEXICON['adjective.mood'],
)
ENDINGS = dict(
    Noun=({'': 0.7, 'lar': 0.3}, {'': 0.4, 'da': 0.2, 'ni': 0.2, 'dan': 0.1, 'ga': 0.1}),
    Verb=({'di': 0.5, 'mak': 0.2, 'ur': 0.3}, {'': 0.6, 'im': 0.2, 'siz': 0.2}),
    Adjective=({'': 0.7, 'raq': 0.3},),
)
_RULES = '''
S     -> Noun Verb [.3] | Noun Noun Verb [.3] | Phrase Verb [.2] | Phrase Noun Verb [.2]
Phrase -> Adjective Noun
'''
_LETTERS = str.maketrans('abcdefghijklmnopqrstuvwxyz', 'აბცდეფგჰიჯკლმნოპქრსტუვწხყზ')


def _forms(kind):
    "`{word: (probability, parts)}` of one kind of word; the stems fall off like 1/(rank+3)"
    stems = [stem for stem in STEMS[kind]]
    if kind == 'Verb':
        stems = list(dict.fromkeys(stem.removesuffix('s') for stem in stems))
    falling = [1 / (rank + 3) for rank in range(len(stems))]
    found = {}
    for stem, p in zip(stems, falling):
        for slots in product(*(slot.items() for slot in ENDINGS[kind])):
            parts = [stem, *(ending for ending, _ in slots if ending)]
            chance = p / sum(falling)
            for _, q in slots:
                chance *= q
            if ''.join(parts) in found:
                raise ValueError(f"two forms read {''.join(parts)}")
            found[''.join(parts)] = chance, parts
    return found


@lru_cache(1)
def inflected() -> Grammar:
    "The grammar of the language: sentences of two to four words, each a stem with its endings"
    rules = [_RULES]
    for kind in STEMS:
        rules.append(f"{kind} -> {' | '.join(f'{word} [{p!r}]' for word, (p, _) in _forms(kind).items())}")
    return Grammar('\n'.join(rules))


@lru_cache(1)
def true_parts() -> dict:
    "`{word: list of its parts}`"
    return {word: parts for kind in STEMS for word, (_, parts) in _forms(kind).items()}


def in_georgian(
    text: str,  # small Latin letters
) -> str:
    "The same letters in Georgian, three bytes each"
    return text.translate(_LETTERS)


def bilingual(
    n: int,  # sentences
    generator=None,  # torch generator on the CPU
):
    "The same `n` sentences in Latin and in Georgian letters"
    latin = [' '.join(words) for words in inflected().sample(n, generator)]
    return latin, [in_georgian(sentence) for sentence in latin]


def _scored(segment, cost, n_parts, begin, words):
    "What a segmentation is worth"
    found = boundary_scores([segment(word) for word in words], [true_parts()[word] for word in words])
    return found | dict(cost=cost, parts=n_parts, seconds=time.perf_counter() - begin)


def segmented(
    seed: int = 0,
    once: bool = True,  # count a word once, or as often as it occurs
    n: int = 3000,  # sentences
):
    """Boundaries of the words of `n` sentences by our segmenter, by the package `morfessor` if it is there, and by
    cutting as often at random"""
    words = Counter(' '.join(bilingual(n, torch.Generator().manual_seed(seed))[0]).split())
    words = dict.fromkeys(words, 1) if once else words
    begin = time.perf_counter()
    ours = Segmenter(words).train(seed=seed)
    found = dict(ours=_scored(ours.segment, ours.cost(), ours.parts, begin, words), start=Segmenter(words).cost())
    found['true cost'] = sum(description_length(words, true_parts()))
    found['random'] = boundary_scores(
        _random_cuts(words, ours, random.Random(seed)), [true_parts()[word] for word in words]
    )
    try:
        import morfessor
    except ImportError:
        return found
    begin = time.perf_counter()
    random.seed(seed)
    theirs = morfessor.BaselineModel()
    theirs.load_data([(n, word) for word, n in words.items()])
    theirs.train_batch(max_epochs=10)
    parts = sum(not node.splitloc for node in theirs._analyses.values())
    found['morfessor'] = _scored(theirs.segment, theirs.get_cost(), parts, begin, words)
    return found


def _random_cuts(words, segmenter, rng):
    "Every word cut as often as the segmenter cuts it, anywhere"
    for word in words:
        n = len(segmenter.segment(word)) - 1
        places = [0, *sorted(rng.sample(range(1, len(word)), n)), len(word)]
        yield [word[a:b] for a, b in zip(places, places[1:])]
