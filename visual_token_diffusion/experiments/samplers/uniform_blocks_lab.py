"""Blocks of uniform noise, trained on stories: what the entropy bound writes with and without such a training."""

# `python -m visual_token_diffusion.experiments.samplers.uniform_blocks_lab` goes on where it stopped; a
# minute an arm.

import argparse
import itertools
from functools import partial

import torch

from ...diffusion.base import antithetic_times
from ...diffusion.block import BlockDiffusion
from ...diffusion.uniform_blocks import Feedback, UniformBlocks
from ...samplers.base import Sampler
from ...worlds.stories import stories
from ...worlds.windows import TextWindows
from ..resume import measure_missing
from .table import measure_texts
from .story_training import WIDTH, story_denoiser, train_on_stories

__all__ = ['ARMS', 'BOUNDS', 'CALLS', 'main']

RUN = 'uniform-blocks'
COMMAND = 'python -m visual_token_diffusion.experiments.samplers.uniform_blocks_lab'
LENGTH, STEPS = 16, 1000  # words of a window, steps of training
CALLS = (4, 8, 16, 32)
BOUNDS = (0.1, 1.0)  # nats
TEXTS = 128
ARMS = {
    'masks, blocks of 8': (8, False, False),
    'uniform, blocks of 8': (8, True, False),
    'uniform, blocks of 8, self-conditioned': (8, True, True),
    'uniform, one block': (LENGTH, True, False),
}


def _flat(model, x, generator):
    "Nats a token"
    t = antithetic_times(len(x), generator)
    return model.process.flat_loss(model, x, t, generator).mean() / x.shape[1]


def _trained(name, seed):
    "`(model, process of the sampler)`"
    size, uniform, feedback = ARMS[name]
    process = UniformBlocks(len(stories().words) + 1, size)
    if not uniform:
        return train_on_stories(story_denoiser(BlockDiffusion(size), seed), seed, STEPS, length=LENGTH), process
    model = story_denoiser(process, seed)
    if feedback:
        model.feedback = Feedback(WIDTH)
    return train_on_stories(model, seed, STEPS, loss=_flat, length=LENGTH), process


@torch.no_grad()
def _written(model, process, windows, calls, bound, seed):
    "What the entropy bound writes in so many calls, and the calls that it made"
    generator = torch.Generator().manual_seed(seed)
    start = torch.zeros(TEXTS, LENGTH, dtype=torch.long)
    sampler = Sampler.make('uniform_blocks', bound=bound, steps=calls)
    steps = list(sampler(process.block_denoiser(model), process, start, generator=generator))
    return measure_texts(steps[-1].x, windows) | dict(calls=len(steps) - 1)


def _measured(name, seed, windows):
    "All measurements of an arm"
    model, process = _trained(name, seed)
    found = {}
    for calls, bound in itertools.product(CALLS, BOUNDS):
        if calls * process.size >= LENGTH:
            found[f'{calls}|{bound:g}'] = _written(model, process, windows, calls, bound, seed)
    return found


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    windows, arms = TextWindows(stories()), itertools.product(range(args.seeds), ARMS)
    tasks = ((f'{name}|{seed}', partial(_measured, name, seed, windows)) for seed, name in arms)
    measure_missing(RUN, tasks, COMMAND)


if __name__ == '__main__':
    main()
