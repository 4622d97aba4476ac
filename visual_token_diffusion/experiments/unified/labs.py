"""One switch at a time: the experiments that the published unified models ask for, at our size."""

# `python -m visual_token_diffusion.experiments.unified.labs masks` runs what is missing of a
# lab; `--arm`, `--seeds` and `--steps` choose a part.

import argparse
import math
from functools import lru_cache, partial
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from fastai.callback.core import Callback

from ...core.registry import near_miss
from ...core.results import save_run
from ...metrics.codes import code_entropy
from ...models.unified.switches import switches_of
from ...quantizers.vq import VectorQuantizer
from ...tokenizers.vit import ViTTokenizer
from ...training.unified_learner import unified_model, world_pictures
from ...worlds.captions import World
from ..resume import saved_metrics
from ..tokenizers.runs import BETA, two_stages
from ..tokenizers.runs import SIZES as SCENE_SIZES
from .measures import trivial, writing
from .table import SIZES, STEPS, check_steps, run_switches

__all__ = ['Arm', 'LABS', 'Snapshots', 'ceiling', 'coarse_codes', 'count', 'fitted_width', 'main', 'run_lab_arm']

COMMAND = 'python -m visual_token_diffusion.experiments.unified.labs'
STAGES = 1500, 800  # steps of the tokenizers with few bits


class Arm(NamedTuple):
    "A row of an experiment"

    preset: str
    changes: dict = {}  # of its switches
    sizes: dict = {}  # of the network, in place of those of the table
    bits: int = 0  # of the codes of a picture, by a trained tokenizer; 0 takes the exact ones
    calls: tuple = ()  # numbers of network calls at which pictures are written, too
    at: tuple = ()  # steps of training at which pictures are written, too


_X0 = dict(predict='x0')
_CODES = dict(picture_form='codes', picture_objective='masked')
_CALLS, _FEW = (1, 2, 4, 9), (2, 8, 30)
_AT = 1500, 3000, 6000, 9000
LABS = {
    'masks': {
        'omni': Arm('show_o', calls=_CALLS),
        'causal': Arm('show_o', dict(attention='causal'), calls=_CALLS),
        'prefix': Arm('show_o', dict(attention='prefix'), calls=_CALLS),
        'full, masked words': Arm('show_o', dict(attention='full', text_objective='masked'), calls=_CALLS),
    },
    'weights': {
        **{f'weight {w:g}': Arm('transfusion', dict(_X0, picture_weight=w), calls=_FEW) for w in (0.5, 1, 5, 20)},
        'codes': Arm('transfusion', dict(_CODES, noise_before_text=0.0, picture_weight=1.0), calls=_CALLS),
    },
    'prediction': {
        name: Arm('transfusion', dict(predict=name)) for name in ('eps', 'v', 'x0')
    },
    'noise': {
        'clean': Arm('transfusion', dict(_X0, noise_before_text=0.0)),
        'up to half': Arm('transfusion', dict(_X0, noise_before_text=0.5)),
        'any': Arm('transfusion', dict(_X0, noise_before_text=1.0)),
        'any, hidden beside the clean copy': Arm(
            'transfusion', dict(_X0, noise_before_text=1.0, attention='hidden_noise')
        ),
    },
    'encoders': {
        f'{bits} bits, {name}': Arm('janus', dict(reading_encoder=kind), sizes, bits)
        for bits in (4, 6, 9)
        for name, kind, sizes in (
            ('shared', 'shared', {}),
            ('separate', 'separate', {}),
            ('shared, as large', 'shared', dict(width=0)),
        )
    },
    'alignment': {
        name: Arm('janus_flow', dict(alignment=kind), calls=_FEW, at=(200, 400))
        for name, kind in (('off', 'none'), ('on', 'representation'), ('shuffled', 'shuffled'))
    },
    'heads': {
        'regression': Arm('emu2'),
        'codes': Arm('emu2', dict(picture_form='codes', picture_objective='next_token')),
        'flow': Arm('emu2', dict(picture_objective='next_flow'), calls=_FEW),
    },
    'longer': {  # for `--steps 12000`: about eight minutes of one core a model
        'emu2': Arm('emu2', at=_AT),
        'emu2, flow head': Arm('emu2', dict(picture_objective='next_flow'), at=_AT),
        'janus_flow': Arm('janus_flow', at=_AT),
        'llada_o': Arm('llada_o', at=_AT),
        'transfusion': Arm('transfusion', at=_AT),
        'transfusion, x0': Arm('transfusion', _X0, at=_AT),
    },
    'halves': {  # 44 features: .49 of the parameters of 64
        'joint': Arm('mmada'),
        'reads only, half': Arm('mmada', dict(picture_weight=0.0), dict(width=44)),
        'writes only, half': Arm('mmada', dict(text_weight=0.0), dict(width=44)),
        'reads only, as large': Arm('mmada', dict(picture_weight=0.0)),
        'writes only, as large': Arm('mmada', dict(text_weight=0.0)),
    },
}


@lru_cache
def coarse_codes(
    bits: int,  # of a whole picture: fewer than its 8.17 lose something
    seed: int = 0,
):
    "A trained tokenizer of scenes into one token, from a checkpoint"

    def make(quantizer):
        return ViTTokenizer(quantizer, n_latents=1, latent_dim=16, **SCENE_SIZES)

    learn, _ = two_stages(make, partial(VectorQuantizer, 16, 2**bits, beta=BETA), World(1), seed, STAGES)
    with TemporaryDirectory() as folder:
        learn.model.save_pretrained(folder)
        return ViTTokenizer.from_pretrained(folder)


def fitted_width(
    switches,  # `Switches`
    world,  # a `World`
    pictures,  # a tokenizer
    target: int,  # parameters
):
    "The width, a multiple of four, with which a model comes nearest to so many parameters"

    def distance(width):
        model = unified_model(switches, world, 24, pictures, **SIZES | dict(width=width))
        return abs(math.log(count(model) / target))

    return min(range(48, 132, 4), key=distance)


def count(
    model,  # a module
):
    "Number of parameters that learn"
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


class Snapshots(Callback):
    "Writes pictures at some steps of a training, and leaves it as it was"

    def __init__(
        self,
        world,  # a `World`
        at=(),  # numbers of steps
    ):
        self.world, self.at = world, at
        self.found = {}

    def after_batch(self):
        if self.training and self.train_iter in self.at:
            model = self.learn.model.eval()
            with torch.random.fork_rng([]):
                self.found[str(self.train_iter)] = writing(model, self.world, each=1)
            model.train()


def _sizes(arm, switches, world, pictures):
    "Sizes of the network of an arm; a width of 0 stands for as many parameters as with an encoder for reading"
    if arm.sizes.get('width') != 0:
        return arm.sizes
    larger = unified_model(switches_of(switches, reading_encoder='separate'), world, 24, pictures, **SIZES)
    return arm.sizes | dict(width=fitted_width(switches, world, pictures, count(larger)))


def run_lab_arm(
    arm,  # an `Arm`
    seed: int = 0,
    steps: int = STEPS,  # batches of 32 pairs
    world=None,  # None takes one object
):
    "The measurements of the table, with the ceiling of coarse codes, and pictures at other calls and steps"
    world = world or World(1)
    switches = switches_of(arm.preset, **arm.changes)
    pictures = coarse_codes(arm.bits) if arm.bits else None
    snapshots = Snapshots(world, arm.at)
    sizes = _sizes(arm, switches, world, pictures or world_pictures(switches, world))
    model, found = run_switches(switches, seed, steps, world, pictures, cbs=[snapshots], **sizes)
    found['at'] = snapshots.found
    found['by_calls'] = {str(n): writing(model, world, each=1, steps=n) for n in arm.calls}
    if arm.bits:
        found['ceiling'] = ceiling(pictures, world)
        found['excess'].pop('picture')  # a code is not a scene: its floor is another
    return found


@torch.no_grad()
def ceiling(
    pictures,  # a tokenizer
    world,  # a `World` with one object
):
    "Of all scenes: the share that survives the tokenizer, and the bits of its code"
    ids = torch.arange(len(world))
    codes = pictures.encode(world.render(ids, pictures.size))
    back = world.parse(pictures.decode(codes).clamp(0, 1)).ids
    return dict(exact=float((back == ids).double().mean()), bits=code_entropy(codes))


def _elsewhere(arm, seed, steps):
    "What another lab has measured of the same arm, or nothing"
    for lab, arms in LABS.items():
        for name, other in arms.items():
            alike = switches_of(other.preset, **other.changes) == switches_of(arm.preset, **arm.changes)
            enough = set(arm.calls) <= set(other.calls) and set(arm.at) <= set(other.at)
            if alike and enough and (other.sizes, other.bits) == (arm.sizes, arm.bits):
                found = saved_metrics(f'unified-{lab}')
                if found.get('steps') == steps and f'{name}|{seed}' in found:
                    return found[f'{name}|{seed}']
    return None


def _chosen(parser, args):
    "Arms of the lab by name; leaves with one line and exit code 2 where there is none of a name"
    arms = LABS[args.lab]
    unknown = [name for name in args.arm or () if name not in arms]
    if unknown:
        parser.error(f"the lab {args.lab} has no arm '{unknown[0]}'; {near_miss(unknown[0], arms)}")
    return {name: arm for name, arm in arms.items() if name in (args.arm or arms)}


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing of a lab, one seed of all arms after the other"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('lab', choices=list(LABS))
    parser.add_argument('--arm', nargs='*', help='names of arms; without it all')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=STEPS)
    args = parser.parse_args(arguments)
    arms = _chosen(parser, args)
    run = f'unified-{args.lab}'
    found = saved_metrics(run)
    check_steps(parser, found, args.steps)
    for seed in range(args.seeds):
        for name, arm in arms.items():
            key = f'{name}|{seed}'
            if key in found:
                continue
            found[key] = _elsewhere(arm, seed, args.steps) or run_lab_arm(arm, seed, args.steps)
            save_run(run, found | dict(trivial=trivial(World(1)), steps=args.steps, **SIZES), f'{COMMAND} {args.lab}')
            row = found[key]
            print(key, row['excess'], row['writing'], row['reading'], flush=True)


if __name__ == '__main__':
    main()
