"""The training of `vtd train` without settings, from the left and with masks, and what it reaches on held-out text."""

# `python -m visual_token_diffusion.experiments.speed.default_training` goes on where it stopped; README
# shows its numbers. `--texts WordNet` needs Debian's package wordnet-base.

import argparse
import itertools
import math
import os
import time
from functools import partial

import torch

from ...core.config import load_settings
from ...models.build import validation_nelbo
from ...models.visual_token_lm import VisualTokenLM
from ...training.dataloaders import split_text, valid_windows
from ...training.language_model import USUAL_PROCESS, train_text
from ...worlds.stories import stories, story_text
from ..resume import measure_missing
from .benchmark_data import wordnet_text
from .recipe import unseen_windows

__all__ = ['ARMS', 'TEXTS', 'main', 'measure', 'shipped']

RUN = 'default-training'
COMMAND = 'python -m visual_token_diffusion.experiments.speed.default_training'
ARMS = {'from the left': USUAL_PROCESS, 'masked': 'masked'}  # what `vtd train` does, and what it does on request
TEXTS = ['stories', 'WordNet']


def _entropy():
    "Nats per token of an endless text of stories"
    grammar = stories()
    return grammar.entropy() * math.log(2) / (grammar.mean_length() + 1)  # the line break is certain


def measure(
    arm: str,  # name in `ARMS`
    seed: int,
    text: str = 'stories',  # or 'WordNet'
    profile: str = 'cpu',
) -> dict:
    "What `vtd train` measures, seconds of the clock and of all processors, and for stories their entropy"
    is_known = text == 'stories'
    unit = ['unit=words'] if is_known else []
    cfg = load_settings(profile, [*unit, f'process={ARMS[arm]}', f'seed={seed}'])
    began, used = time.perf_counter(), time.process_time()
    corpus = story_text(cfg.sentences, torch.Generator().manual_seed(seed)) if is_known else wordnet_text()
    model, found = train_text(corpus, cfg, progress=False)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - used
    found |= dict(seconds=seconds, cpu_seconds=cpu_seconds, threads=torch.get_num_threads(), cores=os.cpu_count())
    if not is_known:
        return found
    same, error = validation_nelbo(model, unseen_windows(model.vocab, cfg.length))
    return found | dict(same_windows=same, same_windows_se=error, entropy=_entropy())


def shipped(seed: int) -> dict:
    "What the packaged model, which has learned from more text, reaches on the held-out stories of a training"
    cfg = load_settings('cpu', ['unit=words', f'seed={seed}'])
    vocab, _, held_out = split_text(story_text(cfg.sentences, torch.Generator().manual_seed(seed)), cfg)
    model, windows = VisualTokenLM.from_pretrained(), valid_windows(held_out, cfg)
    known = {token: i for i, token in enumerate(model.vocab.tokens)}
    ids = torch.tensor([[known[vocab.tokens[i]] for i in row] for row in windows.tolist()])
    nats, error = validation_nelbo(model, ids)
    return dict(nelbo=nats, nelbo_se=error)


def _tasks(args):
    "Keys of all that is measured, with what measures it"
    for seed in range(args.seeds):
        for text, arm in itertools.product(args.texts, args.arms):
            yield f'{text}|{arm}|{seed}', partial(measure, arm, seed, text)
        if 'stories' in args.texts:
            yield f'stories|packaged|{seed}', partial(shipped, seed)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Measure what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--texts', nargs='*', default=['stories'], choices=TEXTS)
    parser.add_argument('--arms', nargs='*', default=list(ARMS), choices=list(ARMS))
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    measure_missing(RUN, _tasks(args), COMMAND)


if __name__ == '__main__':
    main()
