"""Are the codes of pictures a language? Streams of tokens in several orders, with exact floors where known."""

# `python -m visual_token_diffusion.experiments.text.visual_language` goes on where it stopped;
# `--stream` and `--seeds`
# choose a part, `--wordnet` names the folder of WordNet's files.

import argparse
import math
import time
from functools import partial

import numpy as np

from ...core.results import save_run
from ...metrics.grammar_induction import InducedGrammar
from ...metrics.language_statistics import language_statistics
from ...metrics.ngram import ngram_nll
from ...metrics.power_law import compare_laws, fit_power_law, goodness
from ..resume import saved_metrics
from .visual_streams import ORDERS, SENTENCES, STREAMS, Lab, reordered, shuffled

__all__ = ['checks', 'grammar_metrics', 'main', 'measure', 'run_stream', 'share_found']

RUN = 'visual-language'
COMMAND = 'python -m visual_token_diffusion.experiments.text.visual_language'
TOKENS = 65_536  # of a stream that are counted
EPOCHS = 12  # of the induction
CONTROLLED = 'captions', 'stories', 'natural text', 'emoji names', 'vq', 'emoji pictures'  # streams also shuffled


def _held_out(train, held, vocab_size, order):
    return ngram_nll(train, held, vocab_size, order) / math.log(2)


def _with_end(rows, vocab_size):
    return [np.append(row, vocab_size) for row in rows]


def _by_place(train, held, vocab_size):
    "Bits per token of rows of one length where every place has frequencies of its own and nothing else counts"
    train, held = np.stack(train), np.stack(held)
    bits = [_held_out(*columns, vocab_size, 1) for columns in zip(train.T, held.T)]
    return float(np.mean(bits))


def grammar_metrics(stream, seed=0, epochs=EPOCHS, symbols=12, sentences=SENTENCES):
    """Bits per token of held-out sequences: single tokens, runs of two and three, each place alone, the induced
    grammar, the exact floor. Of sentences the length has to be guessed, of pictures it is known"""
    known = stream.short is None
    rows, size = (stream.rows, stream.vocab_size) if known else (stream.short, stream.short_size)
    n_train, n_held = sentences
    if len(rows) < n_train + n_held:
        n_train = n_held = len(rows) // 2
    train, held = rows[:n_train], rows[-n_held:]
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
    found,  # as from `grammar_metrics`
    which: str = 'grammar',
):
    "Of the bits between single tokens and the floor, the share that is found: 1 at the floor, 0 for single tokens"
    single, floor = found['1 tokens'], found['floor']
    return (single - found[which]) / (single - floor)


def law_metrics(counts, draws):
    "Exponent, tail, goodness and comparisons of the counts of types, or why there are none"
    try:
        fit = fit_power_law(counts, least=50, most=60)
        others = compare_laws(counts, fit)
    except ValueError as e:
        return dict(none=str(e))
    shown = {name: [c.ratio, c.p, c.verdict()] for name, c in others.items()}
    found = dict(alpha=fit.alpha, xmin=fit.xmin, tail=fit.n_tail, distance=fit.distance)
    return found | dict(goodness=goodness(counts, fit, draws, most=40), others=shown)


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
    found = dict(
        tokens=stats.tokens,
        types={n: len(stats.counted[n].keys) for n in orders},
        low={n: stats.conditional(n, False) for n in orders},
        corrected={n: stats.conditional(n) for n in orders},
        compressed=stats.compressed,
        ranks={n: _curve(stats.ranks(n)) for n in orders},
        growth={n: [x.tolist() for x in stats.growth(n, 30)] for n in orders},
        grammar=grammar_metrics(stream, seed),
    )
    found['laws'] = {n: law_metrics(stats.ranks(n), draws) for n in orders}
    return found | stream.facts


def _variants(stream):
    "{order: function of a stream and a seed}"
    if not stream.grid:
        return {'own': lambda stream, seed: stream, 'shuffled': shuffled}
    side = math.isqrt(len(stream.rows[0]))
    orders = [how for how in ORDERS if how != 'hilbert' or not side & (side - 1)]
    return {how: partial(reordered, how=how) for how in orders} | dict(shuffled=shuffled)


def run_stream(lab, name, seed):
    "{order: figures} of one stream"
    began = time.perf_counter()
    stream = STREAMS[name](lab, seed)
    found = dict(seconds=time.perf_counter() - began)
    for order, change in _variants(stream).items():
        if order == 'shuffled' and (seed or name not in CONTROLLED):
            continue
        found[order] = measure(change(stream, seed=seed), seed)
        if seed:
            found[order] = {k: v for k, v in found[order].items() if k not in ('ranks', 'growth')}
    return found


def checks(lab, names=('captions', 'stories', 'exact cells', 'vq')):
    "Yields (key, function): the grammar with more sequences, more symbols, and from three starts in every order"
    more = {'as above': {}, 'four times the sequences': dict(sentences=(4 * SENTENCES[0], SENTENCES[1]))}
    more['twice the symbols'] = dict(symbols=24)
    for name in names:
        stream = STREAMS[name](lab, 0)
        for label, options in more.items():
            yield f'{name}|{label}', partial(grammar_metrics, stream, **options)
        for order, change in _variants(stream).items():
            for start in range(3 if order != 'shuffled' else 0):
                yield f'{name}|{order}|start {start}', partial(grammar_metrics, change(stream, seed=0), start)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Make what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--stream', nargs='*', choices=list(STREAMS))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--checks', action='store_true', help='only the grammars of other sizes')
    parser.add_argument('--wordnet', help="folder of WordNet's data files")
    args = parser.parse_args(arguments)
    lab = Lab(args.wordnet)
    if args.checks:
        for key, check in checks(lab, args.stream or ('captions', 'stories', 'exact cells', 'vq')):
            if key not in saved_metrics(RUN).get('checks', {}):
                new, found = check(), saved_metrics(RUN)
                save_run(RUN, found | dict(checks=found.get('checks', {}) | {key: new}), COMMAND)
        return
    for seed in reversed(range(args.seeds)):
        for name in args.stream or STREAMS:
            key = f'{name}|{seed}'
            if key in saved_metrics(RUN):
                continue
            new = run_stream(lab, name, seed)
            save_run(RUN, saved_metrics(RUN) | {key: new}, COMMAND)
            line = {k: round(v['grammar']['grammar'], 3) for k, v in new.items() if isinstance(v, dict)}
            print(key, round(new['seconds']), line, flush=True)


if __name__ == '__main__':
    main()
