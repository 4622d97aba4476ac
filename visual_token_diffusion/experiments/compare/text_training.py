"""What comparisons of processes, heads and text units share: small language models, trained alike."""

import math
from typing import NamedTuple

import torch

from ...core.config import load_settings
from ...core.registry import seam_base
from ...metrics.ngram import unigram_nll
from ...models.generation import DILATED
from ...training.callbacks import NotFinite
from ...training.dataloaders import encode_split
from ...training.language_model import train_tokens
from .base import BrokenPart

__all__ = [
    'LM_SETTINGS', 'TrainedText', 'grammatical', 'parts_of_text', 'setting_name', 'shuffled_words',
    'trained_text', 'unigram_nats', 'word_entropy',
]

LM_SETTINGS = dict(
    ci=dict(steps=40, sentences=600, seeds=2),
    cpu=dict(steps=300, sentences=6000, width=64, depth=2, heads=2, length=32, batch=16, lr=0.003),
    gpu=dict(steps=5000, sentences=100000, width=256, depth=6, heads=4),
)


class TrainedText(NamedTuple):
    "A language model and what was measured of it"

    model: object
    numbers: dict  # of `training.language_model.measure`
    parameters: int


def setting_name(part, seam):
    "The name by which settings find a part: its own, or `module:Class`"
    base = seam_base(seam)
    own = getattr(part, 'name', None)
    return own if own and base.parts.get(own) is part else f'{part.__module__}:{part.__qualname__}'


def shuffled_words(text, seed):
    "The words of each line in random order"
    generator, lines = torch.Generator().manual_seed(seed), []
    for line in text.split('\n'):
        words = line.split(' ')
        order = torch.randperm(len(words), generator=generator).tolist()
        lines.append(' '.join(words[i] for i in order))
    return '\n'.join(lines)


def _settings(seed, cfg, parts):
    "A `RunConfig` of the comparison's sizes and these `parts`"
    fixed = {k: getattr(cfg, k) for k in ('steps', 'width', 'depth', 'heads', 'length', 'batch', 'lr')}
    fixed |= dict(seed=seed, epochs=1, monitor=0, device='cpu', valid_sequences=128) | parts
    return load_settings('cpu', [f'{k}={v}' for k, v in fixed.items()])


def parts_of_text(text):
    "`(for training, held out)`: whole lines, the last tenth is held out"
    cut = text.rfind('\n', 0, int(0.9 * len(text))) + 1
    return text[:cut], text[cut:]


def trained_text(text, seed, cfg, is_shuffled=False, **parts) -> TrainedText:
    "A model with these `parts`, trained on `text`, or on its words shuffled, and measured on the text's end"
    train, held = parts_of_text(text)
    settings = _settings(seed, cfg, parts)
    train = shuffled_words(train, seed) if is_shuffled else train
    vocab, *ids = encode_split(train, held, settings)
    try:
        model, numbers = train_tokens(vocab, *ids, 'compare', settings, progress=False)
    except NotFinite as e:
        raise BrokenPart(f'the training broke off: {e}') from None
    return TrainedText(model, numbers, sum(p.numel() for p in model.parameters()))


def unigram_nats(text, seed, cfg, unit='words'):
    "`(nats of a held-out token, tokens, bytes)` where only frequencies are known"
    train, held = parts_of_text(text)
    vocab, ids, others = encode_split(train, held, _settings(seed, cfg, dict(unit=unit)))
    return unigram_nll(ids, others, len(vocab)), len(others), len(held.encode())


def word_entropy(grammar):
    "Nats of a word or line break of a text of the grammar's sentences; exact"
    return grammar.entropy() * math.log(2) / (grammar.mean_length() + 1)


def grammatical(model, grammar, seed, n=16, length=24):
    "Share of whole lines that a model writes and the grammar accepts"
    order = 'random' if model.sampler.name in DILATED else None  # as every process is published
    texts = model.generate('', n=n, length=length, steps=length, seed=seed, order=order)
    lines = [line.strip() for text in texts for line in text.split('\n')[1:-1] if line.strip()]
    known = [line for line in lines if all(word in grammar.word_id for word in line.split())]
    fine = (torch.as_tensor(grammar.log_probs(known)) > -torch.inf).sum() if known else 0
    return float(fine) / len(lines) if lines else 0.0

