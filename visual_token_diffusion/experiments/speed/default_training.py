"""The training of `vtd train` without settings, and what it reaches on held-out stories."""

# `python -m visual_token_diffusion.experiments.speed.default_training` makes the saved run; README
# shows its numbers.

import argparse
import math

import torch

from ...core.config import load_settings
from ...core.results import save_run
from ...training.language_model import train_text
from ...worlds.stories import stories, story_text

__all__ = ['main', 'measure']

RUN = 'default-training'
COMMAND = 'python -m visual_token_diffusion.experiments.speed.default_training'


def measure(
    profile: str = 'cpu',
):
    "`(metrics, settings)`: nats per token of the model, of a unigram and a bigram model, and the exact entropy"
    cfg = load_settings(profile, ['unit=words'])
    text = story_text(cfg.sentences, torch.Generator().manual_seed(cfg.seed))
    _, metrics = train_text(text, cfg, progress=False)
    grammar = stories()
    entropy = grammar.entropy() * math.log(2) / (grammar.mean_length() + 1)  # the line break is certain
    return metrics | dict(entropy=entropy), cfg


def main(arguments=None):
    "Train and save"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--profile', default='cpu')
    args = parser.parse_args(arguments)
    metrics, cfg = measure(args.profile)
    if args.profile == 'cpu':
        save_run(RUN, metrics, COMMAND, cfg)
    return metrics


if __name__ == '__main__':
    print(main())
