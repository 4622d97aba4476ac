"""Rows of two texts and the uncertainty of their next bytes, from every source that a patcher could ask."""

from functools import lru_cache
from typing import NamedTuple

import torch

from ...core.config import load_settings
from ...metrics.next_byte import ngram_entropies
from ...metrics.ngram import NGram
from ...models.byte_model import ByteModel
from ...text.patches import OFFSET, PAD, byte_tokens, token_text
from ...text.patching import Patcher
from ...text.vocab import Vocab
from ...training.byte_learner import byte_dls, byte_learner
from ...training.quiet import quietly
from ...worlds.byte_entropies import exact_rows
from ...worlds.stories import stories
from ..speed.benchmark_data import wordnet_text

__all__ = [
    'LENGTH', 'ROWS', 'Rows', 'bpe_rows', 'entropies', 'fit', 'fitted', 'mean_length', 'ngram', 'patcher_of',
    'small_model', 'text_rows',
]

LENGTH = 64  # bytes in a row
ROWS = 6000, 512  # for training, held out
SMALL = dict(width=32, depth=1, heads=2)  # the byte model that says entropies


class Rows(NamedTuple):
    "Rows of a text, each beginning with a line"

    train: torch.Tensor  # (n,1+length) long
    valid: torch.Tensor  # (m,1+length) long
    exact: tuple = (None, None)  # entropies of both, nats, where the grammar is known
    floor: float = float('nan')  # bits per byte that the grammar itself needs for the held-out rows


def _story_rows(length, n):
    "Rows of stories"
    train, valid = (exact_rows(stories(), k, length, torch.Generator().manual_seed(s)) for s, k in enumerate(n))
    floor = float(-valid.log_probs.mean() / torch.tensor(2.0).log())
    return Rows(train.tokens, valid.tokens, (train.entropies, valid.entropies), floor)


def _line_rows(text, length, n):
    "Rows of `length` bytes that each begin with a line; what is left of the last line is dropped"
    rows, data = [], b''
    for line in text.encode().splitlines(keepends=True):
        data += line
        if len(data) >= length:
            rows.append(byte_tokens(data[:length], errors='keep'))
            data = b''
        if len(rows) == sum(n):
            break
    if len(rows) < sum(n):
        raise ValueError(f'the text gives {len(rows)} rows of {length} bytes, and {sum(n)} are needed')
    return Rows(*torch.stack(rows).split(list(n)))


@lru_cache
def text_rows(
    name: str,  # 'stories' or 'wordnet'
    length: int = LENGTH,
    n=ROWS,  # rows for training, held out
) -> Rows:
    "Rows of a text. Raises `ValueError` where WordNet is not installed"
    if name == 'stories':
        return _story_rows(length, n)
    return _line_rows(wordnet_text(), length, n)


@lru_cache
def ngram(
    name: str,  # of a text
    order: int = 4,
) -> NGram:
    "A Kneser-Ney model of a text's rows"
    return NGram([row[1:].tolist() for row in text_rows(name).train], 256 + OFFSET, order)


def fit(
    model,  # a `BLT` or a `ByteModel`
    train,  # (tokens, starts) of `ByteRows`
    valid,
    steps: int,
    seed: int = 0,
    batch: int = 16,
    lr: float = 3e-3,  # highest learning rate
    n_bytes: int = LENGTH,
    cbs=None,
):
    "`(model in evaluation mode, held-out bits per byte)` after a training by a Learner"
    options = [f'steps={steps}', 'epochs=1', f'batch={batch}', f'lr={lr}', f'seed={seed}', 'device=cpu']
    cfg = load_settings(overrides=options)
    learn = byte_learner(byte_dls(train, valid, cfg), model, cfg, n_bytes, cbs)
    with quietly(learn):
        learn.fit(1)
    return model.eval(), float(learn.recorder.values[-1][-1])


@lru_cache
def small_model(
    name: str,  # of a text
    steps: int = 400,
    seed: int = 0,
):
    "`(ByteModel, held-out bits per byte)`: the model that says entropies"
    rows = text_rows(name)
    torch.manual_seed(seed)
    return fit(ByteModel(**SMALL), (rows.train, None), (rows.valid, None), steps, seed, lr=8e-3)


def entropies(name, source, seed=0):
    "Entropies (n,1+length) of training rows and held-out rows, nats"
    rows = text_rows(name)
    if source == 'exact':
        return rows.exact
    if source == '4-gram':
        return tuple(ngram_entropies(ngram(name), tokens) for tokens in rows[:2])
    return tuple(small_model(name, seed=seed)[0].entropies(tokens) for tokens in rows[:2])


def mean_length(starts):
    "Positions per patch"
    return starts.numel() / int(starts.sum())


def fitted(make, tokens, entropies, length):
    "Of the patchers `make(size)` the one whose mean patch comes nearest to `length`"
    sizes = [1 + 0.1 * i for i in range(1, 120)]
    lengths = {size: mean_length(make(size)(tokens, entropies, next_byte=False)) for size in sizes}
    return make(min(sizes, key=lambda size: abs(lengths[size] - length)))


@lru_cache
def bpe_rows(
    name: str,  # of a text
):
    "`(training rows, held-out rows, tokens)`: rows as CLIP's byte pairs, padded; tokens of training and all bytes"
    vocab, rows = Vocab.make('clip'), text_rows(name)
    train, valid = ([vocab.encode(token_text(row)) for row in part] for part in rows[:2])
    known = sorted({*range(512), *(i for row in train for i in row)})
    number = {i: k for k, i in enumerate(known)}
    train, valid = ([_spelled(vocab, row, number) for row in part] for part in (train, valid))
    return _padded(train), _padded(valid), len(known)


def _spelled(vocab, row, number):
    "Numbers of a row's tokens; one that training lacks is spelled in bytes, the last with its end mark"
    single, found = {vocab.token_bytes(i): i for i in range(256)}, []
    for i in row:
        ids = [i] if i in number else [single[bytes([b])] for b in vocab.token_bytes(i)]
        if i not in number and vocab.tokens[i].endswith(vocab.end):
            ids[-1] += 256
        found += [number[k] for k in ids]
    return found


def _padded(rows):
    "(n,1+longest) long: start, tokens, padding"
    longest = max(map(len, rows))
    padded = [[1, *(i + OFFSET for i in row)] + [PAD] * (longest - len(row)) for row in rows]
    return torch.tensor(padded)


def patcher_of(name, tokens, entropies, length, most):
    "A patcher of entropies or of none with the mean length `length`"
    if name in ('stride', 'random'):
        part = dict(stride='static').get(name, name)
        return fitted(lambda size: Patcher.make(part, size, max_patch_length=most), tokens, entropies, length)
    return Patcher.make(name, max_patch_length=most)
