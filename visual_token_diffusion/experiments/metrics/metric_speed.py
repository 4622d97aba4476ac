"""How long the metrics and units of text take, against what was promised."""

# `python -m visual_token_diffusion.experiments.metrics.metric_speed` measures them; `--only vendi ...`
# chooses.

import argparse
import time
from typing import NamedTuple

import numpy as np
import torch

from ...core.results import load_run, save_run
from ...metrics.vendi import vendi_score

__all__ = ['GOALS', 'Goal', 'main', 'measure']

RUN = 'metric-speed'
COMMAND = 'python -m visual_token_diffusion.experiments.metrics.metric_speed'


class Goal(NamedTuple):
    "What is promised of one part: a time that must not be reached, or a rate that must be"

    what: str
    unit: str
    value: float
    least: bool  # whether more is better

    def is_met(self, measured):
        "Whether a measured value keeps the promise"
        return measured >= self.value if self.least else measured <= self.value


GOALS = {
    'vendi': Goal('Vendi score, 10,000 samples of 64 features', 's', 1, False),
    'patcher': Goal('patches by entropy, entropies given', 'MB/s', 10, True),
    'morphemes': Goal('MYTE encoder, 50,000 kinds of words never seen before', 'MB/s', 1, True),
    'language statistics': Goal('language statistics of 10 million tokens', 's', 120, False),
}


def _seconds(call, rounds=1):
    "The least seconds of processor time of some calls, those of all threads together"
    took = []
    for _ in range(rounds):
        began = time.process_time()
        call()
        took.append(time.process_time() - began)
    return min(took)


def _vendi():
    features = torch.randn(10_000, 64, generator=torch.Generator().manual_seed(0))
    return _seconds(lambda: vendi_score(features), 5)


def _patcher():
    from ...text.patching import EntropyPatcher, patching_speed

    return patching_speed(EntropyPatcher())


def _random_words(n, kinds, seed=0):
    "Text of `n` words; frequencies fall with the rank as in natural text"
    rng = np.random.default_rng(seed)
    letters, lengths = np.array(list('etaoinshrdlucmfwypvbgk')), rng.integers(2, 11, kinds)
    words = [''.join(rng.choice(letters, k)) for k in lengths]
    ranks = np.minimum(rng.zipf(1.3, n), kinds) - 1
    return ' '.join(words[i] for i in ranks)


def _morphemes():
    from ...text.morphemes import MorphemeVocab

    vocab = MorphemeVocab.from_text(_random_words(50_000, 5_000))
    text = _random_words(300_000, 50_000, 1)
    return len(text.encode()) / 1e6 / _seconds(lambda: vocab.encode_bytes(text))


def _language_statistics():
    from ...metrics.language_statistics import language_statistics

    rng = np.random.default_rng(0)
    ids = np.minimum(rng.zipf(1.2, 10_000_000), 50_000) - 1
    return _seconds(lambda: language_statistics(torch.from_numpy(ids)))


_MEASURES = {
    'vendi': _vendi, 'patcher': _patcher, 'morphemes': _morphemes, 'language statistics': _language_statistics,
}


def measure(
    name: str,  # one of `GOALS`
):
    "Seconds, or megabytes a second, of one part. Raises `ValueError`, also where the part is not there"
    if name not in GOALS:
        raise ValueError(f"speeds are measured of {', '.join(GOALS)}; got '{name}'")
    try:
        return _MEASURES[name]()
    except ImportError as e:
        raise ValueError(f"{name}: not measured, its module is missing ({e})") from None


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Measure, print and keep"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', nargs='*', default=list(GOALS), choices=list(GOALS))
    args = parser.parse_args(arguments)
    try:
        found = load_run(RUN)['metrics']
    except ValueError:
        found = {}
    for name in args.only:
        goal = GOALS[name]
        try:
            found[name] = dict(value=measure(name), unit=goal.unit, goal=goal.value)
        except ValueError as e:
            print(e)
            continue
        save_run(RUN, found, COMMAND)
        kept = 'kept' if goal.is_met(found[name]['value']) else 'not kept'
        print(f"{goal.what}: {found[name]['value']:.3g} {goal.unit} ({goal.value:g} promised: {kept})", flush=True)


if __name__ == '__main__':
    main()
