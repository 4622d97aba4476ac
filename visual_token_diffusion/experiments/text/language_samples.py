"""How many types tell a power law from a log-normal law, and how long ten million tokens take to count."""

# `python -m visual_token_diffusion.experiments.text.language_samples` goes on where it stopped.

import itertools
import resource
import sys
import time
from functools import partial

import numpy as np

from ...metrics.language_statistics import language_statistics
from ...metrics.power_law import compare_laws, fit_power_law, sample_lognormal, sample_power_law
from ..resume import measure_missing

__all__ = ['LAWS', 'SIZES', 'TAILS', 'counting_time', 'law_shares', 'main']

RUN = 'language-samples'
COMMAND = 'python -m visual_token_diffusion.experiments.text.language_samples'
SIZES = 100, 300, 1_000, 3_000, 10_000, 30_000
REPEATS = 20
TAILS = {'searched': None, 'everything': 1}
LAWS = {
    'power law': lambda n, seed: sample_power_law(n, 2.0, 1, seed),
    'log-normal': lambda n, seed: sample_lognormal(n, 0.0, 2.0, 1, seed),
}


def law_shares(
    law: str,  # a key of `LAWS`
    n: int,  # observations
    repeats: int = REPEATS,  # samples
    xmin: int = None,  # where the tail begins; None searches
) -> dict:
    "{word: share of the samples} for 'power law', 'log-normal' and 'undecided'"
    words = []
    for seed in range(repeats):
        counts = LAWS[law](n, seed)
        fit = fit_power_law(counts, xmin, most=60)
        words.append(compare_laws(counts, fit, ['log-normal'])['log-normal'].verdict())
    return {word: words.count(word) / repeats for word in ('power law', 'log-normal', 'undecided')}


def counting_time(tokens: int = 10_000_000, types: int = 8_192) -> dict:
    "Seconds of the processor, peak memory in GB and numbers of runs for a text with frequencies like 1/rank"
    share = 1 / np.arange(1, types + 1)
    words = np.random.default_rng(0).choice(types, tokens, p=share / share.sum())
    began = time.process_time()
    stats = language_statistics(words, types)
    seconds = time.process_time() - began
    unit = 1e9 if sys.platform == 'darwin' else 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    runs = {n: len(counts.keys) for n, counts in stats.counted.items()}
    return dict(tokens=tokens, seconds=seconds, peak=peak, runs=runs, compressed=stats.compressed)


def main(arguments=None):
    "Make what is missing"
    samples = itertools.product(LAWS, SIZES, TAILS.items())
    tasks = [(f'{law}|{n}|{tail}', partial(law_shares, law, n, xmin=xmin)) for law, n, (tail, xmin) in samples]
    measure_missing(RUN, [('counting', counting_time), *tasks], COMMAND)


if __name__ == '__main__':
    main()
