"""Masked writing, at random and dilated: whole windows, behind a prompt, in a gap, where single words are missing."""

# `python -m visual_token_diffusion.experiments.samplers.orders_of_gaps` goes on where it stopped; a
# minute.

import argparse
import itertools
from functools import partial

import torch

from ...samplers.base import Sampler
from ...worlds.stories import stories, story_stream
from ...worlds.windows import TextWindows
from ..resume import measure_missing
from .table import TrainedModel, measure_texts

__all__ = ['CALLS', 'GAPS', 'PLANS', 'measure', 'main']

RUN = 'orders-of-gaps'
COMMAND = 'python -m visual_token_diffusion.experiments.samplers.orders_of_gaps'
LENGTH, TEXTS = 64, 48
CALLS = (4, 8, 16)
ORDERS = ('random', 'dilated')
PLACE = torch.arange(LENGTH)
GAPS = {  # what is missing of a true text, from its places and random numbers
    'everything': lambda place, chance: place >= 0,
    'all behind 16 words': lambda place, chance: place >= 16,
    '32 words in the middle': lambda place, chance: (place >= 16) & (place < 48),
    'every other word by chance': lambda place, chance: chance < 0.5,
}
PLANS = {  # of writing everything, beside as many words in every call
    'everything, in blocks of 16': dict(block=16),
    'everything, few words at first': dict(counts='cosine'),
}


def _true_texts(model, seed):
    "(B,L) long: ids of windows of stories that are cut anywhere"
    known = {word: i for i, word in enumerate(model.word_of.tolist()) if word >= 0}
    words = next(iter(story_stream(TEXTS, 2 * LENGTH, seed=1000 + seed)))[:, 40 : 40 + LENGTH]
    return torch.tensor([[known[word] for word in row] for row in words.tolist()])


def measure(model, windows, gap, order, calls, seed) -> dict:
    "What the whole sentences of filled windows are worth, as `measure_texts` says"
    ids, generator = _true_texts(model, seed), torch.Generator().manual_seed(seed)
    chance = torch.rand(ids.shape, generator=generator)
    is_missing = GAPS['everything' if gap in PLANS else gap]
    mask = is_missing(PLACE, chance).expand_as(ids)
    sampler = Sampler.make('masked', order=order, **PLANS.get(gap, {}))
    *_, last = sampler(model.draw(generator), None, ids, mask=mask, steps=calls, generator=generator)
    return measure_texts(model.texts(last.x), windows, is_cut=True)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Measure what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    model, windows = TrainedModel(), TextWindows(stories())
    cells = itertools.product(range(args.seeds), GAPS | PLANS, CALLS, ORDERS)
    tasks = (
        (f'{gap}|{order}|{calls}|{seed}', partial(measure, model, windows, gap, order, calls, seed))
        for seed, gap, calls, order in cells
    )
    measure_missing(RUN, tasks, COMMAND)


if __name__ == '__main__':
    main()
