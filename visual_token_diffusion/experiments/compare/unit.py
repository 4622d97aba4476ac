"""Text units: does every text come back, and how many bits does a byte take with a model of each unit's tokens?"""

import math
from os.path import commonprefix

from ...core.registry import seam_base
from ...text.vocab import Vocab
from .base import BrokenPart, Comparison, Measure, Measurement, SkippedPart
from .text_training import LM_SETTINGS, parts_of_text, setting_name, trained_text, unigram_nats

__all__ = ['UnitComparison', 'check_unit']

TRICKY = 'the cat sleeps.\nThe  dog\tsees “two” moons – naïve, 42!\n'


def _letters(text):
    "What is left without spaces and capitals"
    return ''.join(text.split()).lower()


def check_unit(
    vocab,  # a `Vocab`
    text: str,  # of the world
):
    "Ids within the vocabulary, and texts that come back where it says so. Raises `BrokenPart` in one line"
    for said in (text, TRICKY) if vocab.lossless else (text,):
        ids = list(vocab.encode(said))
        if not all(isinstance(i, int) and 0 <= i < len(vocab) for i in ids):
            raise BrokenPart(f'encode should give ids within 0..{len(vocab) - 1}')
        back = vocab.decode(ids)
        if not isinstance(back, str):
            raise BrokenPart(f'decode should give text, got {type(back).__name__}')
        if not vocab.lossless:  # spaces may change, and what is unknown; but nothing after that
            if _letters(back) == _letters(said):
                continue
            said, back = back, vocab.decode(vocab.encode(back))
        if back != said:
            place = len(commonprefix([said, back]))
            old, new = said[place : place + 20], back[place : place + 20]
            raise BrokenPart(f'a text does not come back: {old!r} becomes {new!r}')


class UnitComparison(Comparison):
    "Units of text"

    seam = 'unit'
    about = 'Text units (vocabularies): does the text come back, and how many bits does a byte take with each?'
    worlds = 'stories', 'text'
    baseline = 'words'
    control = 'words in random order'
    trivial = 'bytes by their frequency'
    measures = (
        Measure('bits', 'bits of a byte'),
        Measure('tokens', 'tokens of a byte', ''),
        Measure('size', 'vocabulary', ''),
    )
    settings = LM_SETTINGS

    def names(self):
        return seam_base('vocabulary').names()

    def find(self, name):
        return seam_base('vocabulary').part(name)

    def check(self, part):
        if not (isinstance(part, type) and issubclass(part, Vocab)):
            raise ValueError(f'it is not a Vocab; derive it from {Vocab.__module__}.Vocab')

    def measure(self, part, options, world, seed, cfg):
        if options:
            raise SkippedPart('a unit is collected from the text and takes no options here; derive a class')
        text = world.text(cfg.sentences, seed)
        train, held = parts_of_text(text)
        check_unit(part.from_text(train), train[: train.rfind('\n', 0, 2000) + 1])
        return self._measured(trained_text(text, seed, cfg, unit=setting_name(part, 'vocabulary'), **_PARTS), held)

    def measure_control(self, world, seed, cfg):
        text = world.text(cfg.sentences, seed)
        made = trained_text(text, seed, cfg, is_shuffled=True, unit='words', **_PARTS)
        return self._measured(made, parts_of_text(text)[1])

    def _measured(self, made, held):
        numbers = dict(
            bits=made.numbers['bits_per_byte'],
            tokens=len(made.model.vocab.encode(held)) / len(held.encode()),
            size=len(made.model.vocab),
        )
        return Measurement(numbers, facts=dict(parameters=f'{made.parameters:,}'))

    def measure_trivial(self, world, seed, cfg):
        nats, n, n_bytes = unigram_nats(world.text(cfg.sentences, seed), seed, cfg, 'bytes')
        return dict(bits=nats / math.log(2) * n / n_bytes, tokens=1.0)

    def floors(self, world, cfg):
        if not world.grammar:
            return {}
        text = world.text(20000, seed=99)
        lines = text.count('\n')
        return dict(bits=world.grammar.entropy() * lines / len(text.encode()))


_PARTS = dict(process='autoregressive', head='flat')
