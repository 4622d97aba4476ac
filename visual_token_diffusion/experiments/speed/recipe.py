"""What each part of the default recipe gains on the stories: one change after another, paired by seed."""

# `python -m visual_token_diffusion.experiments.speed.recipe` measures all arms with three seeds and
# goes on where it stopped.

import argparse
import math
import time

import torch

from ...core.config import load_settings
from ...core.results import save_run
from ...models.build import validation_nelbo
from ...training.language_model import train_text
from ...worlds.stories import stories, story_text
from ..resume import saved_metrics

__all__ = ['ARMS', 'STEPS', 'main', 'measure', 'table', 'unseen_windows']

RUN = 'recipe'
COMMAND = 'python -m visual_token_diffusion.experiments.speed.recipe'

OLD = dict(optimizer='adamw', loss_weights='bound', precision='fp32', sentences=20000)

# Every arm has the changes of those before it.
STEPS = {
    'AdamW, weights of the bound, float32': {},
    'more stories': dict(sentences=100000),
    'flat weights': dict(loss_weights='flat'),
    'Muon': dict(optimizer='muon'),
    'bfloat16': dict(precision='bf16'),
    'twice the steps': dict(steps=2400),
}


def _arms():
    arms, settings = {}, dict(OLD)
    for name, change in STEPS.items():
        settings = settings | change
        arms[name] = settings
    return arms


ARMS = _arms()


def unseen_windows(vocab, length, n=768):
    "(n,length) long: windows of stories that no training has seen"
    ids = torch.tensor(vocab.encode(story_text(9000, torch.Generator().manual_seed(991))))
    return ids[: len(ids) // length * length].view(-1, length)[:n]


def measure(
    arm: str,  # name in `ARMS`
    seed: int,
    profile: str = 'cpu',
):
    "Bound in nats per token, seconds of processor time, and the settings of an arm"
    overrides = [f'{name}={value}' for name, value in ARMS[arm].items() if profile == 'cpu' or name != 'steps']
    cfg = load_settings(profile, ['unit=words', f'seed={seed}', 'monitor=0', *overrides])
    text = story_text(cfg.sentences, torch.Generator().manual_seed(seed))
    began = time.process_time()
    model, _ = train_text(text, cfg, progress=False)
    seconds = time.process_time() - began
    bound, error = validation_nelbo(model, unseen_windows(model.vocab, cfg.length))
    return dict(nelbo=bound, standard_error=error, seconds=seconds)


def table(
    values: dict,  # 'arm|seed' -> what `measure` says
) -> list:
    "Rows for a table: the mean bound of an arm, its gain over the arm before, paired by seed, and seconds"
    rows, last = [], None
    for arm in ARMS:
        seeds = {int(key.split('|')[1]): v for key, v in values.items() if key.split('|')[0] == arm}
        if not seeds:
            continue
        both = [seed for seed in seeds if last and seed in last]
        gains = torch.tensor([last[seed]['nelbo'] - seeds[seed]['nelbo'] for seed in both], dtype=torch.double)
        mean = sum(v['nelbo'] for v in seeds.values()) / len(seeds)
        row = dict(arm=arm, seeds=len(seeds), nats_per_token=round(mean, 4))
        row['gain'] = round(gains.mean().item(), 4) if both else None
        row['standard_error'] = round((gains.std() / len(both) ** 0.5).item(), 4) if len(both) > 1 else None
        row['seconds'] = round(sum(v['seconds'] for v in seeds.values()) / len(seeds))
        rows.append(row)
        last = seeds
    return rows


def main(arguments=None):
    "Measure what is missing; saves after every training"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--profile', default='cpu')
    parser.add_argument('--arms', nargs='*', default=list(ARMS), choices=list(ARMS))
    args = parser.parse_args(arguments)
    values = saved_metrics(RUN).get('values', {}) if args.profile == 'cpu' else {}
    grammar = stories()
    entropy = grammar.entropy() * math.log(2) / (grammar.mean_length() + 1)
    for seed in range(args.seeds):
        for arm in args.arms:
            key = f'{arm}|{seed}'
            if key in values:
                continue
            values[key] = measure(arm, seed, args.profile)
            print(key, values[key], flush=True)
            if args.profile == 'cpu':
                save_run(RUN, dict(values=values, entropy=entropy), COMMAND)
    return values


if __name__ == '__main__':
    main()
