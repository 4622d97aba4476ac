"""Captions and pictures drawn together from nothing: do they agree, in how many steps, at how many bits?"""

# `python -m visual_token_diffusion.experiments.unified.pairs_together` goes on where it stopped.

import argparse
import math
import time

import torch

from ...core.results import save_run
from ...models.unified.sampling import write_both
from ...models.unified.switches import switches_of
from ...training.quiet import quietly
from ...training.unified_learner import unified_learner, unified_model
from ...worlds.captions import World
from .measures import all_pairs, trivial
from ..resume import saved_metrics

__all__ = [
    'COMMAND', 'KINDS', 'RUN', 'STEPS', 'agreement', 'exact_bits', 'joint_bits', 'main', 'run_pairs', 'scores',
    'together',
]

RUN = 'pair-animation'
COMMAND = 'python -m visual_token_diffusion.experiments.unified.pairs_together'
_ONLY_BOTH = dict(text_weight=0.0, picture_weight=0.0, joint_weight=1.0)
KINDS = dict(
    masked=switches_of('mmada', **_ONLY_BOTH),
    continuous=switches_of(
        'mmada', picture_form='continuous', picture_objective='flow', predict='x0', **_ONLY_BOTH
    ),
)
STEPS = dict(masked=(1, 2, 4, 9, 18), continuous=(1, 4, 15, 30, 60))  # network calls that are tried


def together(
    kind: str,  # of `KINDS`
    seed: int = 0,
    steps: int = 1500,  # batches of 32 pairs
    world=None,  # None takes one object
):
    "A model that has learned captions and pictures together, and nothing else"
    world = world or World(1)
    torch.manual_seed(seed)
    model = unified_model(KINDS[kind], world, depth=2)
    learn = unified_learner(world, model=model, steps=steps, seed=seed, metrics=[])
    learn.dls.valid.dataset.n = 1
    with quietly(learn):
        learn.fit_one_cycle(1, 3e-3)
    return learn.model.eval()


def exact_bits(world):
    "The entropy of scene and caption together"
    bits = world.entropies()
    return bits['scene'] + bits['caption given scene']


def joint_bits(
    model,  # a `UnifiedModel` of codes with `joint_weight`
    world,  # a `World` with one object
):
    "The bound on the bits of caption and picture together, over all pairs with their probabilities"
    ids, captions, shares = all_pairs(world)
    images = world.render(ids, model.pictures.size)
    parts = [slice(i, i + 256) for i in range(0, len(ids), 256)]
    nll = torch.cat([model.joint_nll(images[part], captions[part]) for part in parts])
    return float(nll.double() @ shares) / math.log(2)


def agreement(
    world,  # a `World`
    ids,  # (n,) long: scenes, -1 for none
    captions,  # n strings
):
    "Share of the pairs whose caption is true of the scene"
    true = {i: world.captions(i) for i in set(ids.tolist()) if i >= 0}
    right = [text in true.get(i, ()) for i, text in zip(ids.tolist(), captions)]
    return sum(right) / len(right)


def scores(
    model,  # a `UnifiedModel` with `joint_weight`
    world,  # a `World` with one object
    steps: int,  # network calls
    n: int = 512,  # pairs
    seed: int = 0,
):
    "Of n pairs drawn together: shares that agree, also with captions exchanged, and of real pictures and captions"
    *_, last = write_both(model, n, steps, torch.Generator().manual_seed(seed))
    ids, captions = world.parse(model.to_pictures(last.x)).ids, model.decode_captions(last.ids)
    known = set(all_pairs(world)[1])
    return dict(
        agree=agreement(world, ids, captions),
        exchanged=agreement(world, ids.roll(1), captions),
        picture=float((ids >= 0).double().mean()),
        caption=sum(text in known for text in captions) / n,
        cover=len(set(ids[ids >= 0].tolist())),
    )


def run_pairs(
    seeds: int = 3,
    steps: int = 1500,  # batches of 32 pairs
):
    "Train and measure what is missing in the saved run"
    world, found = World(1), saved_metrics(RUN)
    same = dict(chance=trivial(world)['match'], exact=exact_bits(world), steps=steps)
    for key in [f'{kind}|{seed}' for seed in range(seeds) for kind in KINDS]:
        if key in found:
            continue
        kind, seed = key.split('|')
        began = time.process_time()
        model = together(kind, int(seed), steps, world)
        found[key] = {str(k): scores(model, world, k) for k in STEPS[kind]}
        found[key]['bits'] = joint_bits(model, world) if kind == 'masked' else None
        found[key]['seconds'] = time.process_time() - began
        save_run(RUN, found | same, COMMAND)
        print(key, found[key], flush=True)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Train and measure what is missing, and save it"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=1500)
    args = parser.parse_args(arguments)
    run_pairs(args.seeds, args.steps)


if __name__ == '__main__':
    main()
