"""Block diffusion of stories: how far from the entropy models of every block size end, and how they write."""

# `python -m visual_token_diffusion.experiments.samplers.block_diffusion` goes on where it stopped;
# about two minutes an arm.

import argparse
import itertools
from functools import partial

import torch

from ...diffusion.autoregressive import Autoregressive
from ...diffusion.base import antithetic_times
from ...diffusion.block import BlockDiffusion
from ...metrics.factorization import factorization_bits
from ...samplers.base import Sampler
from ...worlds.stories import stories, story_stream
from ...worlds.windows import TextWindows
from ..resume import measure_missing
from .table import measure_texts
from .story_training import LENGTH, story_denoiser, train_on_stories

__all__ = ['ARMS', 'CALLS', 'ChanceMasks', 'block_bits', 'main', 'measure_bound']

RUN = 'block-diffusion'
COMMAND = 'python -m visual_token_diffusion.experiments.samplers.block_diffusion'
SIZES = (1, 2, 4, 8, 16, 32)
CALLS = (4, 8, 16, 32)
PARTS = ['main', 'ideal', 'controls']
IDEAL = (1, 2, 4, 8, 16)  # sizes of blocks, and numbers of calls, of windows of 16 words


class ChanceMasks(BlockDiffusion):
    "Every token masked by chance with its block's time, weighed by one over the time: the published linear schedule"

    name = None

    def corrupt(self, x0, t, *, maskable=None, generator=None):
        "As for `BlockDiffusion`; nothing may be masked"
        noisy = super().corrupt(x0, t, generator=generator)
        times = (1 - torch.rand(noisy.weight.shape, generator=generator)).clamp(min=1e-3)
        each = times.repeat_interleave(self.size_in(x0.shape[1]), 1)
        mask = torch.rand(x0.shape, generator=generator) < each
        return noisy._replace(mask=mask, weight=1 / times)


ARMS = (
    {f'blocks of {size}': lambda size=size: BlockDiffusion(size) for size in SIZES}
    | {'left to right': Autoregressive}
    | {f'by chance {size}': lambda size=size: ChanceMasks(size) for size in (1, 4)}
    | {
        'clipped 4': lambda: BlockDiffusion(4, (0.45, 0.95)),
        'clipped 16': lambda: BlockDiffusion(16, (0.3, 0.8)),
    }
)

MAIN = [name for name in ARMS if name.startswith(('blocks', 'left'))]


def _one_draw(model, windows, process, generator):
    "(N,) nats a token"
    t = antithetic_times(len(windows), generator)
    t = t[torch.randperm(len(t), generator=generator)]
    noisy = process.corrupt(windows, t, generator=generator)
    return process.loss(model, windows, noisy) / windows.shape[1]


@torch.no_grad()
def measure_bound(
    model,  # a `SequenceModel`
    windows,  # (N,L) long: held out
    exact,  # (N,) nats a token: the windows' true negative log-probabilities
    draws: int = 16,  # where the bound is not counted out
) -> dict:
    "The bound above the truth, nats a token, with its standard error; how far single draws of the loss lie apart"
    process, generator = model.process, torch.Generator().manual_seed(0)
    if isinstance(process, Autoregressive):
        return _excess(process.loss(model, windows) / windows.shape[1], exact) | dict(spread=0.0)
    drawn = torch.stack([_one_draw(model, windows, process, generator) for _ in range(4)])
    spread = float(drawn.std(0).mean())
    whole = BlockDiffusion(process.size)  # always measured with all shares
    if whole.size <= 4:
        bound = whole.exact_nelbo(model, windows) / windows.shape[1]
    else:
        bound = sum(_one_draw(model, windows, whole, generator) for _ in range(draws)) / draws
    return _excess(bound, exact) | dict(spread=spread)


def _excess(bound, exact):
    "Mean and standard error of what the bound is above the truth, and the bound's mean"
    excess = bound.double() - exact
    error = float(excess.std()) / len(excess) ** 0.5
    return dict(excess=float(excess.mean()), error=error, bound=float(bound.mean()))


@torch.no_grad()
def _written(model, windows, calls, seed, texts=64):
    "What the model writes in so many calls"
    process, generator = model.process, torch.Generator().manual_seed(seed)
    start = torch.zeros(texts, LENGTH, dtype=torch.long)
    denoise = process.denoiser(model, generator=generator)
    *_, last = Sampler.make('blocks')(denoise, process, start, steps=calls, generator=generator)
    return measure_texts(last.x, windows)


def block_bits(
    windows,  # `TextWindows`
    size: int,  # positions in a block
    calls: int,  # of a window, shared by its blocks
    seed: int,
    texts: int = 16,
    length: int = 16,
) -> float:
    "Bits a window that the exact posterior loses, blocks from left to right, each call the words of a true text"
    generator = torch.Generator().manual_seed(seed)
    ids = next(iter(story_stream(texts, length, seed=seed)))
    place = torch.arange(length)
    per_block = calls * size // length
    score = torch.rand(ids.shape, generator=generator) + place // size
    rank = score.argsort(1).argsort(1)
    call = rank // size * per_block + rank % size * per_block // size
    total = torch.zeros(texts, dtype=torch.double)
    for now in range(calls):
        total += factorization_bits(windows.posterior, ids, call >= now, call == now, generator=generator)
    return float(total.mean())


def _tasks(parts, seeds):
    "Keys of all that is measured, with what measures it"
    windows = TextWindows(stories())
    held_out = next(iter(story_stream(256, LENGTH, seed=10**6)))
    train = partial(_train, windows=windows, held_out=held_out, exact=-windows.log_probs(held_out) / LENGTH)
    arms = dict(main=MAIN, ideal=[], controls=[name for name in ARMS if name not in MAIN])
    for part in parts:
        for seed, name in itertools.product(range(seeds), arms[part]):
            yield f'trained|{name}|{seed}', partial(train, name, seed)
        for seed, size, calls in itertools.product(range(seeds if part == 'ideal' else 0), IDEAL, IDEAL):
            if calls * size % max(IDEAL) == 0:
                yield f'ideal|{size}|{calls}|{seed}', partial(block_bits, windows, size, calls, seed)


def _train(name, seed, windows, held_out, exact):
    "All measurements of a trained model"
    model = train_on_stories(story_denoiser(ARMS[name](), seed), seed)
    found = measure_bound(model, held_out, exact)
    if type(model.process) is BlockDiffusion:
        least = -(-LENGTH // model.process.size)
        found['written'] = {str(n): _written(model, windows, n, seed) for n in CALLS if n >= least}
    return found | dict(truth=float(exact.mean()))


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--parts', nargs='*', default=PARTS, choices=PARTS)
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    measure_missing(RUN, _tasks(args.parts, args.seeds), COMMAND)


if __name__ == '__main__':
    main()
