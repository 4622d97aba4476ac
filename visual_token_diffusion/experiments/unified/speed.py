"""What a step of the unified learner costs beside its backbone, a mask beside none, a picture, a caption, no cache."""

# `python -m visual_token_diffusion.experiments.unified.speed` goes on where it stopped;
# `--seeds` is the number of repeats, which take turns.

import argparse
import statistics
import time
from contextlib import contextmanager
from copy import deepcopy
from functools import partial

import torch
from fastai.callback.core import Callback

from ...models.unified.sampling import read, write
from ...models.unified.segments import segment_mask, simplest_mask
from ...models.unified.switches import PRESETS
from ...networks.transformer import Backbone
from ...quantizers.vq import VectorQuantizer
from ...tokenizers.base import ImageTokenizer
from ...training.quiet import quietly
from ...training.unified_learner import unified_learner, unified_model
from ...worlds.captions import World
from ..resume import measure_missing
from .measures import network_calls

__all__ = [
    'LAYOUTS', 'STEPPED', 'STEPS', 'cache_speedups', 'main', 'mask_costs', 'parts_of_a_step', 'seconds_apiece',
    'step_beside_backbone', 'tasks_of',
]

COMMAND = 'python -m visual_token_diffusion.experiments.unified.speed'
STEPS = {  # by width
    64: dict(depth=2, steps=70),
    128: dict(depth=4, steps=40),
    192: dict(depth=4, steps=24),
}
_SOME = 'show_o', 'janus', 'transfusion'
STEPPED = {64: tuple(name for name in PRESETS if name != 'janus_pro'), 128: _SOME, 192: _SOME}  # by width
PICTURE, WORDS = 11, 10  # positions, with their marks
LAYOUTS = {  # segments of a sequence
    'full': (['whole'], [PICTURE + WORDS]),
    'causal': (['causal'], [PICTURE + WORDS]),
    'omni': (['full', 'causal'], [PICTURE, WORDS]),
    'noise': (['noise', 'causal'], [PICTURE, WORDS]),
}


class _Beside(Callback):
    "After every step of the learner one forward and backward of its backbones, on the sequences of its first step"

    order = 1000

    def __init__(self):
        self.jobs, self.times = [], dict(step=[], backbone=[], encoder=[])

    def _note_sequences(self):
        "What every backbone is given in a step; in `eval` it runs as a whole"
        hooks = []
        for name, module in self.model.named_modules():
            if isinstance(module, Backbone):
                hooks.append(module.register_forward_pre_hook(self._noted(name)))
        self.model.eval()
        self.model(*self.xb)
        self.model.train()
        for hook in hooks:
            hook.remove()

    def _noted(self, name):
        def note(module, given):
            x, *rest = given
            copy = deepcopy(module)
            copy._forward_pre_hooks.clear()
            self.jobs.append((name, copy, x.detach().clone().requires_grad_(), rest))

        return note

    def before_train(self):
        self.start = time.process_time()

    def after_batch(self):
        if not self.training:
            return
        self.times['step'].append(time.process_time() - self.start)
        if not self.jobs:
            self._note_sequences()
        took = dict(backbone=0.0, encoder=0.0)
        for name, module, x, rest in self.jobs:
            begin = time.process_time()
            self._run(module, x, rest)
            took['backbone' if name == 'backbone' else 'encoder'] += time.process_time() - begin
            module.zero_grad()
        for name, seconds in took.items():
            self.times[name].append(seconds)
        self.start = time.process_time()


    def _run(self, module, x, rest):
        module(x, *rest).sum().backward()


class _Parts(_Beside):
    "The same, and how long each part of a step takes, and of what runs beside it"

    def __init__(self):
        super().__init__()
        self.parts, self.last = {}, time.process_time()

    def _mark(self, part):
        "Count the time since the last mark"
        now = time.process_time()
        self.parts.setdefault(part, []).append(now - self.last)
        self.last = now

    def before_batch(self):
        self._mark('data')

    def after_pred(self):
        self._mark('forward')

    def after_backward(self):
        self._mark('backward')

    def after_step(self):
        self._mark('optimizer')

    def after_batch(self):
        self._mark('rest')
        self.beside = [0.0, 0.0]
        super().after_batch()
        for part, seconds in zip(('beside forward', 'beside backward'), self.beside):
            self.parts.setdefault(part, []).append(seconds)
        self.last = time.process_time()

    def _run(self, module, x, rest):
        began = time.process_time()
        out = module(x, *rest).sum()
        middle = time.process_time()
        out.backward()
        self.beside[0] += middle - began
        self.beside[1] += time.process_time() - middle


@contextmanager
def _one_thread():
    "Processor time is that of one thread"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _trained(preset, beside, world, **sizes):
    "A training with a callback"
    learn = unified_learner(world, preset, metrics=[], cbs=[beside], **sizes)
    learn.dls.valid.dataset.n = 1
    with quietly(learn), _one_thread():
        learn.fit_one_cycle(1, 3e-3)


def parts_of_a_step(
    preset: str,
    steps: int = 70,
    warm: int = 12,  # steps at the beginning that do not count
    **sizes,  # of network and batch
):
    """Median milliseconds of processor time of the parts of a step (data with captions, forward pass with losses,
    backward pass, optimizer, rest), and of both passes of backbone and encoder alone on the same sequences, `beside`"""
    beside = _Parts()
    _trained(preset, beside, World(1), steps=steps, **dict(batch=32, width=64, depth=2) | sizes)
    counted = {part: seconds[:steps][warm:] for part, seconds in beside.parts.items()}
    return {part: 1e3 * statistics.median(seconds) for part, seconds in counted.items()}


def step_beside_backbone(
    preset: str,
    world=None,  # a `World`; None takes one object
    steps: int = 150,
    batch: int = 32,
    width: int = 64,
    depth: int = 2,
    warm: int = 20,  # steps at the beginning that do not count
):
    """Median milliseconds of processor time: a step of `unified_learner` with data, losses, optimizer and callbacks;
    forward and backward of the backbone alone on the same sequences, in turns with it; those of the reading encoder's
    layer, where there is one. `ratio` is step over backbone, `ratio_all` step over backbone and encoder"""
    beside = _Beside()
    _trained(preset, beside, world or World(1), steps=steps, batch=batch, width=width, depth=depth)
    found = {name: 1e3 * statistics.median(times[warm:]) for name, times in beside.times.items()}
    found['ratio'] = found['step'] / found['backbone']
    found['ratio_all'] = found['step'] / (found['backbone'] + found['encoder'])
    return found


def _best(call, rounds):
    "Least seconds of processor time of some calls, after one that does not count"
    took = []
    for _ in range(rounds + 1):
        begin = time.process_time()
        call()
        took.append(time.process_time() - begin)
    return min(took[1:])


def cache_speedups(
    places: int = 9,  # of a picture: 9 or 64
    n: int = 32,  # pictures at once
    guidance: float = 1.0,
    rounds: int = 3,
    width: int = 64,
    depth: int = 2,
):
    "How many times longer `janus` writes, and reads, without keys and values that are kept"
    torch.manual_seed(0)
    patch = {9: 8, 64: 3}[places]
    tokenizer = ImageTokenizer.make('patch', VectorQuantizer(8, 33), size=24, patch=patch, width=16)
    model = unified_model('janus', World(1), 24, tokenizer, width, depth, 2).eval()
    images, captions = torch.rand(n, 3, 24, 24), ['a red circle'] * n

    def writing(cache):
        write(model, captions, guidance=guidance, cache=cache)

    def reading(cache):
        read(model, images, cache=cache)

    with _one_thread(), torch.random.fork_rng([]):
        return {
            job.__name__: _best(lambda: job(False), rounds) / _best(lambda: job(True), rounds)
            for job in (writing, reading)
        }


def _in_turns(jobs, rounds):
    "`{name: seconds of processor time of each round}` of functions that take turns, after a round that does not count"
    took = {name: [] for name in jobs}
    for _ in range(rounds + 1):
        for name, job in jobs.items():
            begin = time.process_time()
            job()
            took[name].append(time.process_time() - begin)
    return {name: seconds[1:] for name, seconds in took.items()}


def mask_costs(
    width: int = 64,
    depth: int = 2,
    batch: int = 32,
    rounds: int = 15,
):
    """Forward and backward of one backbone on 21 positions, in turns, over the time without a mask: median of the
    ratios, for the mask a model takes by itself, and for the same as a table"""
    torch.manual_seed(0)
    backbone = Backbone(width, depth, 2, offsets=())
    x = torch.randn(batch, PICTURE + WORDS, width, requires_grad=True)

    def step(mask):
        backbone(x, mask).sum().backward()

    jobs = {'no mask': partial(step, None)}
    for name, layout in LAYOUTS.items():
        table = segment_mask(*layout)
        jobs[name] = partial(step, simplest_mask(table))
        jobs[f'{name}, table'] = partial(step, table)
    with _one_thread(), torch.random.fork_rng([]):
        took = _in_turns(jobs, rounds)
    free = took['no mask']
    ratios = {name: statistics.median(a / b for a, b in zip(seconds, free)) for name, seconds in took.items()}
    return dict(ratios=ratios, milliseconds=1e3 * statistics.median(free))


def seconds_apiece(
    n_objects: int = 1,  # of a scene
    n: int = 144,  # pictures and captions at once
    rounds: int = 5,
    **sizes,  # of the network
):
    """For every preset network calls of a picture and of a caption, and milliseconds of processor time of one of them,
    medians of rounds in which all presets take turns. Weights are random: no length depends on what is said"""
    world = World(n_objects)
    jobs, found = {}, {}
    _, images, captions = world.batch(n, 24, torch.Generator().manual_seed(0))
    for name in PRESETS:
        model = unified_model(name, world, **dict(width=64, depth=2, heads=2) | sizes).eval()
        found[name] = dict(calls=network_calls(model))
        jobs[name, 'picture'] = partial(write, model, captions)
        jobs[name, 'caption'] = partial(read, model, images)
    with _one_thread(), torch.random.fork_rng([]):
        took = _in_turns(jobs, rounds)
    for (name, what), seconds in took.items():
        found[name].setdefault('milliseconds', {})[what] = 1e3 * statistics.median(seconds) / n
    return found


def tasks_of(
    repeats: int = 3,
):
    "`(key, function)` of everything that is measured"
    for objects in (1, 2):
        yield f'apiece|{objects}', partial(seconds_apiece, objects)
    for repeat in range(repeats):
        for width, sizes in STEPS.items():
            for name in STEPPED[width]:
                key = f'step|{width}|{name}|{repeat}'
                yield key, partial(step_beside_backbone, name, width=width, warm=sizes['steps'] // 6, **sizes)
        for width in (64, 128):
            yield f'masks|{width}|{repeat}', partial(mask_costs, width)
    for name in STEPPED[64]:
        yield f'parts|{name}', partial(parts_of_a_step, name)
    for places in (9, 64):
        yield f'cache|{places}', partial(cache_speedups, places)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Measure what is missing, and save it"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3, help='repeats')
    measure_missing('unified-speed', tasks_of(parser.parse_args(arguments).seeds), COMMAND)


if __name__ == '__main__':
    main()
