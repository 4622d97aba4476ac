"""Are the codes of pictures a language? Twelve streams of tokens, in several orders, with exact floors where known."""

# `python -m visual_token_diffusion.experiments.visual_language` goes on where it stopped; `--stream` and `--seeds`
# choose a part, `--wordnet` names the folder of WordNet's files.

import argparse
import math
import time
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from ..core.results import load_run, save_run
from ..metrics.codes import code_entropy, joint_ids
from ..metrics.grammar_induction import InducedGrammar
from ..metrics.language_statistics import language_statistics
from ..metrics.ngram import ngram_nll
from ..metrics.power_law import compare_laws, fit_power_law, goodness
from ..quantizers.lfq import LFQ
from ..quantizers.multi_codebook import MultiCodebookQuantizer
from ..quantizers.shared_index import SharedIndexQuantizer
from ..quantizers.text_aligned import TextAlignedQuantizer
from ..quantizers.vq import VectorQuantizer
from ..tokenizers.base import ImageTokenizer
from ..tokenizers.teacher import train_teacher
from ..worlds.captions import World
from ..worlds.emoji import EmojiWorld
from ..worlds.stories import stories
from .benchmark_data import wordnet_text
from .tokenizer_arms import PooledTeacher
from .tokenizer_runs import train_tokenizer
from .tokenizer_table import WORLDS, carry_over

__all__ = ['ORDERS', 'STREAMS', 'TOKENIZERS', 'Lab', 'Stream', 'grammar_figures', 'grid_order', 'main', 'measure', 'reordered', 'share_found', 'shuffled']

RUN = 'visual-language'
COMMAND = 'python -m visual_token_diffusion.experiments.visual_language'
SIDE, TYPES = 4, 64  # codes along each side of a picture, and entries of a codebook
STEPS = 800, 500  # of both stages of a tokenizer
TOKENS = 65_536  # of a stream that are counted
EPOCHS = 12  # of the induction
SENTENCES = 600, 600  # sequences that a grammar is induced from, and judged on
LONGEST = 16  # tokens of such a sequence
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
    return Stream(list(codes.numpy()[order]), vocab_size, floor, grid, facts=facts)


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
_chunks = partial(MultiCodebookQuantizer, DIM, 8, 2, beta=BETA)
TOKENIZERS = {  # how to build it, its quantizer, and whether its codes are a grid
    'vq': (_grid('vit', latent_dim=DIM), _plain, True),
    'magvit2': (_grid('vit', latent_dim=DIM), partial(LFQ, 6, beta=BETA, entropy_weight=0.4 * BETA), True),
    'fqgan': (_taught('fqgan', STD, latent_dim=DIM), _chunks, True),
    'unitok': (_grid('unitok', latent_dim=DIM, contrastive=STD**2), _chunks, True),
    'tokenflow': (_taught('tokenflow', STD, latent_dim=DIM), partial(SharedIndexQuantizer, 8, 8, TYPES, beta=BETA), True),
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
    carry_over(lab.once(('first', family, seed, type(world)), first), second)
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


def _held_out(train, held, vocab_size, order):
    return ngram_nll(train, held, vocab_size, order) / math.log(2)


def _with_end(rows, vocab_size):
    return [np.append(row, vocab_size) for row in rows]


def _by_place(train, held, vocab_size):
    "Bits per token of rows of one length where every place has frequencies of its own and nothing else counts"
    train, held = np.stack(train), np.stack(held)
    return float(np.mean([_held_out(train[:, i], held[:, i], vocab_size, 1) for i in range(train.shape[1])]))


def grammar_figures(stream, seed=0, epochs=EPOCHS, symbols=12, sentences=SENTENCES):
    """Bits per token of held-out sequences: single tokens, runs of two and three, each place alone, the induced grammar,
    the exact floor. Of sentences the length has to be guessed, of pictures it is known"""
    rows, size = (stream.rows, stream.vocab_size) if stream.short is None else (stream.short, stream.short_size)
    n_train, n_held = sentences
    if len(rows) < n_train + n_held:
        n_train = n_held = len(rows) // 2
    train, held = rows[:n_train], rows[-n_held:]
    known = stream.short is None
    found = {}
    if known:
        found = {f'{n} tokens': _held_out(train, held, size, n) for n in (1, 2, 3)}
        found['by place'] = _by_place(train, held, size)
    else:
        ended = [_with_end(part, size) for part in (train, held)]
        more = 1 + len(held) / sum(map(len, held))
        found = {f'{n} tokens': more * _held_out(*ended, size + 1, n) for n in (1, 2, 3)}
    grammar = InducedGrammar(size, symbols, seed=seed).fit(train, epochs, seed=seed)
    return found | dict(grammar=grammar.bits_per_token(held, given_length=known), floor=stream.floor)


def share_found(
    figures,  # as from `grammar_figures`
    which: str = 'grammar',
):
    "Of the bits between single tokens and the floor, the share that is found: 1 at the floor, 0 for single tokens"
    single, floor = figures['1 tokens'], figures['floor']
    return (single - figures[which]) / (single - floor)


def law_figures(counts, draws):
    "Exponent, tail, goodness and comparisons of the counts of types, or why there are none"
    try:
        fit = fit_power_law(counts, least=50, most=60)
        others = compare_laws(counts, fit)
    except ValueError as e:
        return dict(none=str(e))
    good = goodness(counts, fit, draws, most=40) if draws else None
    shown = {name: [c.ratio, c.p, c.decided()] for name, c in others.items()}
    return dict(alpha=fit.alpha, xmin=fit.xmin, tail=fit.n_tail, distance=fit.distance, goodness=good, others=shown)


def _curve(counts, points=40):
    "Counts at ranks that are evenly spaced in the logarithm"
    ranks = np.unique(np.geomspace(1, len(counts), points).round().astype(int))
    return [ranks.tolist(), counts[ranks - 1].tolist()]


def measure(stream, seed=0, draws=20):
    "All figures of a stream: statistics of its first `TOKENS` tokens, laws, compression, grammar"
    lengths = np.cumsum([len(row) for row in stream.rows])
    rows = stream.rows[: int(np.searchsorted(lengths, TOKENS)) + 1]
    stats = language_statistics(rows, stream.vocab_size)
    orders = [n for n in range(1, 5) if len(stats.counted[n].keys)]
    half = len(rows) // 2
    found = dict(
        tokens=stats.tokens,
        types={n: len(stats.counted[n].keys) for n in orders},
        low={n: stats.conditional(n, False) for n in orders},
        corrected={n: stats.conditional(n) for n in orders},
        high={n: _held_out(rows[:half], rows[half:], stream.vocab_size, n) for n in orders},
        compressed=stats.compressed,
        ranks={n: _curve(stats.ranks(n)) for n in orders},
        growth={n: [x.tolist() for x in stats.growth(n, 30)] for n in orders},
        grammar=grammar_figures(stream, seed),
    )
    found['laws'] = {n: law_figures(stats.ranks(n), draws) for n in orders}
    return found | stream.facts


class Lab:
    "Worlds, teachers and first stages, made once"

    def __init__(self, wordnet=None, steps=STEPS):
        self.wordnet, self.steps, self.kept = wordnet or '/usr/share/wordnet', steps, {}

    def once(self, key, make):
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def world(self):
        return self.once('world', WORLDS['two objects']['make'])

    def emoji(self):
        return self.once('emoji', WORLDS['emoji']['make'])

    def teacher(self):
        return self.once('teacher', lambda: PooledTeacher(train_teacher(self.world(), 300), SIDE))


def _variants(stream):
    "{order: function of a stream and a seed}"
    if not stream.grid:
        return {'own': lambda s, seed: s, 'shuffled': shuffled}
    side = math.isqrt(len(stream.rows[0]))
    orders = [how for how in ORDERS if how != 'hilbert' or not side & (side - 1)]
    return {how: partial(lambda s, seed, how: reordered(s, how, seed), how=how) for how in orders} | dict(shuffled=shuffled)


def run_stream(lab, name, seed):
    "{order: figures} of one stream"
    began = time.perf_counter()
    stream = STREAMS[name](lab, seed)
    found = dict(seconds=time.perf_counter() - began)
    for order, change in _variants(stream).items():
        if order == 'shuffled' and seed:
            continue
        found[order] = measure(change(stream, seed), seed)
        if seed:
            found[order] = {k: v for k, v in found[order].items() if k not in ('ranks', 'growth')}
    return found


def _before():
    try:
        return load_run(RUN)['metrics']
    except ValueError:
        return {}


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Make what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--stream', nargs='*', default=list(STREAMS), choices=list(STREAMS))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--wordnet', help="folder of WordNet's data files")
    args = parser.parse_args(arguments)
    lab, found = Lab(args.wordnet), _before()
    for seed in range(args.seeds):
        for name in args.stream:
            key = f'{name}|{seed}'
            if key in found:
                continue
            found[key] = run_stream(lab, name, seed)
            save_run(RUN, found, COMMAND)
            line = {k: round(v['grammar']['grammar'], 3) for k, v in found[key].items() if isinstance(v, dict)}
            print(key, round(found[key]['seconds']), line, flush=True)


if __name__ == '__main__':
    main()
