"""Editing by models that were trained on their own mistakes, on random ones, and on none."""

# `python -m visual_token_diffusion.experiments.samplers.own_mistakes_lab` goes on where it stopped;
# about two minutes a seed.

import argparse
import copy

import torch

from ...core.results import save_run
from ...diffusion.base import antithetic_times
from ...diffusion.masked import MaskedDiffusion
from ...diffusion.own_mistakes import editing_loss, plant_mistakes
from ...samplers.base import Sampler
from ...worlds.stories import stories
from ...worlds.windows import TextWindows
from ..resume import saved_metrics
from .table import measure_texts
from .story_training import process_loss, story_denoiser, train_on_stories

__all__ = ['ARMS', 'CALLS', 'EDITS', 'main']

RUN = 'own-mistakes'
COMMAND = 'python -m visual_token_diffusion.experiments.samplers.own_mistakes_lab'
ARMS = ('masks', 'right tokens', 'random tokens', 'own mistakes')
LENGTH = 16  # words of a window
STEPS, MORE = 1500, 500  # with masks, then in four ways
CALLS = (2, 4, 8, 16)
EDITS = (None, 0.9, 0.5)  # thresholds
SHARE = 0.15  # of the visible tokens
TEXTS = 128


def _loss(arm):
    "The loss of an arm, as `train_on_stories` takes it"
    if arm == 'masks':
        return process_loss
    share = 0.0 if arm == 'right tokens' else SHARE
    vocab_size = len(stories().words) + 1

    def loss(model, x, generator):
        noisy = model.process.corrupt(x, antithetic_times(len(x), generator), generator=generator)
        source = None if arm == 'random tokens' else model
        x_t = plant_mistakes(source, x, noisy.mask, share, generator, vocab_size)
        return editing_loss(model, x, x_t, noisy).mean() / x.shape[1]

    return loss


@torch.no_grad()
def _written(model, windows, calls, edits, seed):
    "What editing writes, with so many calls until all is written, and how often it changed its mind"
    generator = torch.Generator().manual_seed(seed)
    start = torch.zeros(TEXTS, LENGTH, dtype=torch.long)
    options = dict(steps=calls, edit_threshold=edits, threshold=1.0, edit_steps=16)
    sampler = Sampler.make('editing', **options)
    steps = list(sampler(model.process.predictor(model), model.process, start, generator=generator))
    changes = [(step.changed & ~last.mask).double().mean() for last, step in zip(steps, steps[1:])]
    edited = float(sum(changes))
    return measure_texts(steps[-1].x, windows) | dict(calls=len(steps) - 1, edited=edited)


def _measured(seed, windows):
    "All measurements of a seed: one model trained with masks, then on in four ways"
    base = train_on_stories(story_denoiser(MaskedDiffusion(), seed), seed, STEPS, length=LENGTH)
    found = {}
    for arm in ARMS:
        model = train_on_stories(copy.deepcopy(base), seed + 500, MORE, 1e-3, _loss(arm), length=LENGTH)
        for calls in CALLS:
            for edits in EDITS:
                found[f'{arm}|{calls}|{edits}|{seed}'] = _written(model, windows, calls, edits, seed)
    return found


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    found, windows = saved_metrics(RUN), TextWindows(stories())
    for seed in range(args.seeds):
        if not any(key.endswith(f'|{seed}') for key in found):
            found |= _measured(seed, windows)
            save_run(RUN, found, COMMAND)
            print(f'seed {seed} done', flush=True)


if __name__ == '__main__':
    main()
