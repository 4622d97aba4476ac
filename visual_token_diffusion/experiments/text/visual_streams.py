"""Streams of tokens for the page on the language of pictures: words, and the codes of eight tokenizers in any order."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from ...metrics.codes import code_entropy
from ...quantizers.lfq import LFQ
from ...quantizers.multi_codebook import MultiCodebookQuantizer
from ...quantizers.shared_index import SharedIndexQuantizer
from ...quantizers.text_aligned import TextAlignedQuantizer
from ...quantizers.vq import VectorQuantizer
from ...tokenizers.base import ImageTokenizer
from ...tokenizers.teacher import train_teacher
from ...worlds.stories import stories
from ..speed.benchmark_data import wordnet_text
from ..tokenizers.arms import PooledTeacher
from ..tokenizers.runs import train_tokenizer
from ..tokenizers.table import WORLDS, carry_over

__all__ = ['ORDERS', 'SENTENCES', 'STREAMS', 'TOKENIZERS', 'Lab', 'Stream', 'grid_order', 'reordered', 'shuffled']

SIDE, TYPES = 4, 64  # codes along each side of a picture, and entries of a codebook
STEPS = 800, 500  # of both stages of a tokenizer
LONGEST = 16  # tokens of a sequence that a grammar is induced from
SENTENCES = 600, 600  # sequences that it is induced from, and judged on
ORDERS = 'raster', 'hilbert', 'random'


class Stream(NamedTuple):
    "Sequences of tokens"

    rows: list  # of arrays of whole numbers
    vocab_size: int
    floor: float = None  # exact bits per token of sequences of at most `LONGEST`; None where nobody knows
    grid: bool = False  # rows are square grids of codes
    short: list = None  # rows for the grammar, where they differ; with `short_size` types
    short_size: int = 0
    facts: dict = {}


def _hilbert(side):
    "Places along the curve; side is a power of two"
    if side == 1:
        return [(0, 0)]
    half, inner = side // 2, _hilbert(side // 2)
    first = [(x, y) for y, x in inner]
    middle = [(y + half, x) for y, x in inner] + [(y + half, x + half) for y, x in inner]
    return first + middle + [(half - 1 - x, side - 1 - y) for y, x in inner]


def grid_order(
    how: str,  # 'raster', 'hilbert' or 'random': one permutation for all pictures
    side: int = SIDE,
    seed: int = 0,
) -> np.ndarray:
    "(side*side,) places, row by row, in the order in which they are read. Raises `ValueError`"
    if how not in ORDERS:
        raise ValueError(f"codes are read in one of {', '.join(ORDERS)}; got '{how}'")
    if how == 'random':
        return np.random.default_rng(seed).permutation(side * side)
    if how == 'raster':
        return np.arange(side * side)
    if side & (side - 1):
        raise ValueError(f'the curve of Hilbert needs a power of two along each side, got {side}')
    return np.array([y * side + x for y, x in _hilbert(side)])


def reordered(stream, how, seed=0):
    "The stream with the codes of every picture in another order"
    order = grid_order(how, math.isqrt(len(stream.rows[0])), seed)
    return stream._replace(rows=list(np.stack(stream.rows)[:, order]))


def shuffled(stream, seed=0):
    "Control: all tokens of the stream dealt anew, with rows as long as before"
    rng = np.random.default_rng(seed)

    def deal(rows):
        ends = np.cumsum([len(row) for row in rows])[:-1]
        return np.split(rng.permutation(np.concatenate(rows)), ends)

    short = None if stream.short is None else deal(stream.short)
    return stream._replace(rows=deal(stream.rows), short=short, floor=None)


def _numbered(sentences):
    "(rows, words): numbers by the order in which words come first"
    number = {}
    rows = [np.array([number.setdefault(word, len(number)) for word in words]) for words in sentences]
    return rows, list(number)


def _of_grammar(grammar, seed):
    "Sentences of a `Grammar`, and the exact bits per token of those that are not too long"
    sentences = grammar.sample(16_000, torch.Generator().manual_seed(seed))
    number = grammar.word_id
    rows = [np.array([number[word] for word in words]) for words in sentences]
    short = [words for words in sentences if len(words) <= LONGEST]
    held = short[-SENTENCES[1] :]
    nats = -grammar.log_probs(held).sum() + len(held) * math.log(len(short) / len(sentences))
    floor = nats / math.log(2) / sum(map(len, held))
    short = [np.array([number[word] for word in words]) for words in short]
    return Stream(rows, len(grammar.words), floor, short=short, short_size=len(grammar.words))


def captions(lab, seed):
    return _of_grammar(lab.world().grammar(), seed)


def story_sentences(lab, seed):
    return _of_grammar(stories(), seed)


def _of_words(sentences, most, seed):
    "Sentences of real words; for the grammar short ones, with the `most` frequent words and one for all others"
    order = np.random.default_rng(seed).permutation(len(sentences))
    rows, words = _numbered([sentences[i] for i in order])
    counts = np.bincount(np.concatenate(rows), minlength=len(words))
    rank = np.empty(len(words), int)
    rank[(-counts).argsort(kind='stable')] = np.arange(len(words))
    short = [rank[row].clip(max=most) for row in rows if 2 <= len(row) <= LONGEST]
    return Stream(rows, len(words), short=short, short_size=min(most + 1, len(words)))


def natural_text(lab, seed):
    text = wordnet_text(lab.wordnet).lower()
    sentences = [line.partition(';')[0].split() for line in text.splitlines()[:12_000]]
    return _of_words([words for words in sentences if words], 255, seed)


def emoji_names(lab, seed):
    world = lab.emoji()
    return _of_words([concept.name.split() for concept in world.concepts], 255, seed)


def exact_cells(lab, seed):
    "What is in each of the nine cells, as one token: a tokenizer that errs in nothing"
    world = lab.world()
    objects = world.objects(torch.arange(len(world)))
    looks = 1 + objects[..., 0] * 8 + objects[..., 1] * 2 + objects[..., 2]
    grid = torch.zeros(len(world), world.cells, dtype=torch.long).scatter(1, objects[..., 3], looks)
    return _of_codes(grid, seed, 33, grid=True)


def _of_codes(codes, seed, vocab_size=TYPES, grid=False, floor=True, **facts):
    "Codes (n,N) of all pictures of a world, in random order"
    floor = code_entropy(codes) / codes.shape[1] if floor else None
    order = np.random.default_rng(seed).permutation(len(codes))
    return Stream(list(codes.cpu().numpy()[order]), vocab_size, floor, grid, facts=facts)


def _grid(name, **options):
    "Function of (quantizer or None, sizes, teacher): the registered tokenizer with a code for each patch"

    def make(quantizer, sizes, teacher):
        return ImageTokenizer.make(name, quantizer, **options, **sizes)

    return make


def _taught(name, std, **options):
    "The same with the published weights of the teacher, for standardized pixels"

    def make(quantizer, sizes, teacher):
        more = dict(options)
        if name == 'fqgan':
            more |= dict(disentangle=0.1 * std**2, semantic=0.5 * std**2)
        if name == 'tokenflow':
            more |= dict(sides=[SIDE], teacher_weight=std**2)
        return ImageTokenizer.make(name, quantizer, teacher=teacher, **more, **sizes)

    return make


STD = WORLDS['two objects']['std']
BETA = 0.25 * STD**2
DIM = 16
_ROW = dict(n_latents=SIDE * SIDE, latent_dim=DIM)


def _words():
    rows = torch.randn(TYPES, 32, generator=torch.Generator().manual_seed(0))
    return TextAlignedQuantizer(DIM, rows, beta=BETA)


_plain = partial(VectorQuantizer, DIM, TYPES, beta=BETA)
_shared = partial(SharedIndexQuantizer, 8, 8, TYPES, beta=BETA)
_chunks = partial(MultiCodebookQuantizer, DIM, 8, 2, beta=BETA)
TOKENIZERS = {  # how to build it, its quantizer, and whether its codes are a grid
    'vq': (_grid('vit', latent_dim=DIM), _plain, True),
    'magvit2': (_grid('vit', latent_dim=DIM), partial(LFQ, 6, beta=BETA, entropy_weight=0.4 * BETA), True),
    'tokenflow': (_taught('tokenflow', STD, latent_dim=DIM), _shared, True),
    'unitok': (_grid('unitok', latent_dim=DIM, contrastive=STD**2), _chunks, True),
    'fqgan': (_taught('fqgan', STD, latent_dim=DIM), _chunks, True),
    'tatok': (_taught('tatok', STD, latent_dim=DIM), _words, True),
    'textok': (_grid('textok', **_ROW), _plain, False),
    'flextok': (_grid('flextok', **_ROW), _plain, False),
}


def _fit(lab, name, world, sizes, seed, steps):
    "The trained tokenizer: free latents first, shared where the first stage is the same"
    make, quantizer, _ = TOKENIZERS[name]
    teacher = lab.teacher() if name in ('fqgan', 'tokenflow', 'tatok') else None
    torch.manual_seed(seed)
    second = make(quantizer(), sizes, teacher)

    def first():
        torch.manual_seed(seed)
        return train_tokenizer(make(None, sizes, teacher), world, steps[0], seed, valid=64).model

    family = 'vq' if name == 'magvit2' else name
    carry_over(lab.cached(('first', family, seed, type(world)), first), second)
    return train_tokenizer(second, world, steps[1], seed, 64, 1e-3, valid=64).model.eval()


@torch.no_grad()
def _codes(model, world, captions=False):
    "((n,N) long: one number for each place; share of pictures that come back exactly, of the first 1,024)"
    parts = []
    ids = torch.randperm(len(world), generator=torch.Generator().manual_seed(0))
    for some in ids.split(1024):
        images = world.render(some, model.size)
        said = [world.caption(some, torch.Generator().manual_seed(1))] if model.reads_captions else []
        parts.append(model.encode(images, *said))
        if len(parts) == 1:
            back = model.decode(parts[0], *said).clamp(0, 1)
            exact = float((world.parse(back).ids == some).double().mean())
    codes = torch.cat(parts)
    joint = torch.zeros(codes.shape[:2], dtype=torch.long)
    sizes = model.quantizer.codebook_sizes
    for m in range(codes.shape[2]):
        joint = joint * sizes[m] + codes[..., m]
    return joint, exact


def tokenizer_codes(lab, seed, name, steps=None):
    world = lab.world()
    sizes = dict(size=24, patch=24 // SIDE, width=64, depth=1, mean=0.15, std=STD)
    codes, exact = _codes(_fit(lab, name, world, sizes, seed, steps or lab.steps), world)
    return _of_codes(codes, seed, grid=TOKENIZERS[name][2], exact=exact)


def emoji_codes(lab, seed):
    world = lab.emoji()
    sizes = dict(size=24, patch=24 // SIDE, width=64, depth=1, mean=0.73, std=0.33)
    codes, exact = _codes(_fit(lab, 'vq', world, sizes, seed, lab.steps), world)
    return _of_codes(codes, seed, grid=True, floor=False, exact=exact)


STREAMS = {
    'captions': captions,
    'stories': story_sentences,
    'natural text': natural_text,
    'emoji names': emoji_names,
    'exact cells': exact_cells,
    **{name: partial(tokenizer_codes, name=name) for name in TOKENIZERS},
    'emoji pictures': emoji_codes,
}


class Lab:
    "Worlds, teachers and first stages, made once"

    def __init__(self, wordnet=None, steps=STEPS):
        self.wordnet, self.steps = wordnet or '/usr/share/wordnet', steps
        self.kept = {}

    def cached(self, key, make):
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def world(self):
        return self.cached('world', WORLDS['two objects']['make'])

    def emoji(self):
        return self.cached('emoji', WORLDS['emoji']['make'])

    def teacher(self):
        return self.cached('teacher', lambda: PooledTeacher(train_teacher(self.world(), 300), SIDE))
