"""What a step of the unified learner costs beside its backbone, and what a cache saves.

`python -m visual_token_diffusion.experiments.unified.unified_speed` prints a line for each preset.
"""

import statistics
import sys
import time
from contextlib import contextmanager
from copy import deepcopy

import torch
from fastai.callback.core import Callback

from ...models.unified.sampling import read, write
from ...networks.transformer import Backbone
from ...quantizers.vq import VectorQuantizer
from ...tokenizers.base import ImageTokenizer
from ...training.quiet import quietly
from ...training.unified_learner import unified_learner, unified_model
from ...worlds.captions import World

__all__ = ['cache_speedups', 'step_beside_backbone']


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
            module(x, *rest).sum().backward()
            took['backbone' if name == 'backbone' else 'encoder'] += time.process_time() - begin
            module.zero_grad()
        for name, seconds in took.items():
            self.times[name].append(seconds)
        self.start = time.process_time()


@contextmanager
def _one_thread():
    "Processor time is that of one thread"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


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
    sizes = dict(steps=steps, batch=batch, width=width, depth=depth)
    learn = unified_learner(world or World(1), preset, metrics=[], cbs=[beside], **sizes)
    learn.dls.valid.dataset.n = 1
    with quietly(learn), _one_thread():
        learn.fit_one_cycle(1, 3e-3)
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


def main(names):
    "Print a line for each preset, and what a cache saves"
    for name in names or ('show_o', 'janus', 'transfusion'):
        found = step_beside_backbone(name)
        print(name, ', '.join(f'{key} {value:.2f}' for key, value in found.items()), flush=True)
    for places in () if names else (9, 64):
        found = cache_speedups(places)
        print(f'{places} places without a cache:', ', '.join(f'{k} {v:.1f} times' for k, v in found.items()))


if __name__ == '__main__':
    main(sys.argv[1:])
