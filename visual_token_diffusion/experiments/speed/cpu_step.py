"""A training step of the default settings on a CPU, in the precisions that there are, in turns."""

# `python -m visual_token_diffusion.experiments.speed.cpu_step` saves the run 'cpu-step'.

import argparse
import time
from dataclasses import replace
from statistics import median

import torch

from ...core.config import load_settings
from ...core.results import save_run
from ...models.build import build_model
from ...training.dataloaders import lm_dls, split_text, valid_windows
from ...training.language_model import lm_learner
from ...training.quiet import quietly
from ...worlds.stories import story_text

__all__ = ['WAYS', 'main', 'measured', 'relative_times']

COMMAND = 'python -m visual_token_diffusion.experiments.speed.cpu_step'


WAYS = {'fp32': 'fp32', 'bf16': 'bf16', 'bf16 weights': 'bf16_weights'}  # name: precision


def _learner(cfg, text):
    vocab, train, valid = split_text(text, cfg)
    windows = valid_windows(valid, replace(cfg, valid_sequences=1))
    return lm_learner(lm_dls(train, windows, cfg, vocab), build_model(vocab, train, cfg), cfg)


def measured(
    cfg,  # `RunConfig`: `steps` of a round
    text: str,
    rounds: int = 5,  # in turns, after one that does not count
) -> dict:
    "Processor seconds of every round of training steps, way by way"
    cfg = replace(cfg, epochs=1, monitor=0)
    learners = {name: _learner(replace(cfg, precision=precision), text) for name, precision in WAYS.items()}
    took = {name: [] for name in WAYS}
    for _ in range(rounds + 1):
        for name, learn in learners.items():
            began = time.process_time()
            with quietly(learn):
                learn.fit(1)
            took[name].append(time.process_time() - began)
    return {name: seconds[1:] for name, seconds in took.items()}


def relative_times(
    took: dict,  # of `measured`
    way: str,
    other: str,
) -> list:
    "How many times as long `way` takes as `other`, round by round"
    return [a / b for a, b in zip(took[way], took[other])]


def main(arguments=None):
    "Measure and save"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='a small model, one round; saves nothing')
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cfg = load_settings('ci' if args.quick else 'cpu', ['unit=words', 'device=cpu', 'steps=4'])
    text = story_text(2000, torch.Generator().manual_seed(0))
    took = measured(cfg, text, 1 if args.quick else 5)
    if not args.quick:
        save_run('cpu-step', dict(seconds=took, steps=cfg.steps), COMMAND, cfg)
    return {name: median(relative_times(took, name, 'fp32')) for name in took}


if __name__ == '__main__':
    print(main())
