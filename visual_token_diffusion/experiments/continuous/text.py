"""Text out of continuous noise, arm by arm: bits above the entropy, where in the noise they go, and what is written."""

# `python -m visual_token_diffusion.experiments.continuous.text` goes on where it stopped;
# `--arms` and `--seeds`
# choose a part. One thread of a CPU is enough.

import argparse
import time

import torch
from torch import nn

from ...core.results import save_run
from ...diffusion.gaussian import GaussianDiffusion
from ...diffusion.masked import MaskedDiffusion
from ...diffusion.per_token_times import PerTokenTimes
from ...diffusion.token_information import TokenInformation
from ...models import grid_training
from ...models.block_grid_denoiser import BlockGridDenoiser
from ...models.denoiser_decoder import DenoiserDecoder
from ...models.grid_denoiser import GridDenoiser
from ...networks.heads.flat import FlatHead
from ...networks.transformer import Backbone
from ...samplers.masked import sample_masked
from .languages import StoryRows
from .measures import block_excess, excess_at, falling, judge, masked_excess, total_excess
from ..resume import saved_metrics

__all__ = ['ARMS', 'AnyOrderTimes', 'MaskedTokens', 'main', 'make', 'measure', 'train']

RUN = 'continuous-text'
COMMAND = 'python -m visual_token_diffusion.experiments.continuous.text'
SIZE = dict(width=64, depth=3, heads=2)
ROWS, LR = 32, 4e-3
HELD, WRITTEN = 128, 64  # rows that are measured, and rows that are written
CALLS = (8, 32)
LAG = 7.0


class AnyOrderTimes(GridDenoiser):
    "Trained with times that run one after another in a random order and with a random lag, for clocks of any kind"

    def __init__(self, space, schedule, counts, **options):
        super().__init__(space, GaussianDiffusion(schedule, 'x0'), counts, **options)

    def loss(self, ids, t, generator=None, cond=None):
        "(B,) cross-entropy per token, nats"
        n, length = ids.shape
        place = torch.rand(n, length, generator=generator).argsort(1).double() / (length - 1)
        reads = torch.rand(n, 1, generator=generator) < 0.5
        place = torch.where(reads, torch.linspace(0, 1, length, dtype=torch.double), place)
        lag = (length - 1) * torch.rand(n, 1, generator=generator, dtype=torch.double)
        times = ((1 + lag) * t.double()[:, None] - lag * (1 - place)).clamp(1e-4, 1 - 1e-4)
        return super().loss(ids, times, generator)


class MaskedTokens(nn.Module):
    "The yardstick: masks in place of noise, the same backbone and head"

    def __init__(self, vocab_size, counts, width, depth, heads):
        super().__init__()
        self.embed = nn.Parameter(torch.randn(vocab_size + 1, width))
        self.backbone, self.head = Backbone(width, depth, heads, time=32), FlatHead(vocab_size, width)
        self.head.set_prior(counts)
        self.process = MaskedDiffusion()
        self.register_buffer('unigram', self.head.prior.clone())

    def predict(self, ids, mask):
        "(B,L,V) log-probabilities"
        x = self.embed[ids.masked_fill(mask, len(self.embed) - 1)]
        h = self.backbone(x, t=mask.double().mean(1))
        return self.head.log_probs(h.flatten(0, 1)).view(*ids.shape, -1)

    def loss(self, ids, t, generator=None):
        "(B,) the bound, nats per token"
        mask = torch.rand(ids.shape, generator=generator) < t[:, None]
        nll = -self.predict(ids, mask).gather(2, ids[..., None])[..., 0]
        return (nll * mask).mean(1) / t

    def draw(self, generator):
        "The function that `sample_masked` calls"

        def denoise(ids, mask, where):
            log_probs = self.predict(ids, mask)[where]
            drawn = torch.multinomial(log_probs.exp(), 1, generator=generator)
            return drawn[:, 0], log_probs.gather(1, drawn)[:, 0]

        return denoise


def _blocks(block):
    def build(lang):
        process = GaussianDiffusion(lang.band, 'x0')
        return BlockGridDenoiser(lang.grids, process, lang.counts, lang.length, block, **SIZE)

    return build


def _flm(lang):
    "One-hots, no Bayes' rule in the network, token-information time on the straight path"
    schedule = TokenInformation.of_one_hots(lang.vocab_size, 1 / float(lang.one_hots.scale), path='flow')
    options = dict(inputs='pixels', bayes=False) | SIZE
    return GridDenoiser(lang.one_hots, GaussianDiffusion(schedule, 'x0'), lang.counts, **options)


def _clocks(lang):
    return GridDenoiser(lang.grids, PerTokenTimes(lang.band, lang.length, LAG), lang.counts, **SIZE)


ARMS = {
    'masks': lambda lang: MaskedTokens(lang.vocab_size, lang.counts, **SIZE),
    'one time': lambda lang: GridDenoiser(lang.grids, GaussianDiffusion(lang.band, 'x0'), lang.counts, **SIZE),
    'clocks': _clocks,
    'any clocks': lambda lang: AnyOrderTimes(lang.grids, lang.band, lang.counts, **SIZE),
    'blocks of 8': _blocks(8),
    'blocks of 4': _blocks(4),
    'blocks of 2': _blocks(2),
    'blocks of 1': _blocks(1),
    'FLM': _flm,
    'ELF': lambda lang: DenoiserDecoder(lang.grids, lang.counts, **SIZE),
}


def make(
    arm: str,  # of `ARMS`
    lang,  # a language of `languages`
    seed: int = 0,
):
    "An untrained model"
    torch.manual_seed(seed)
    return ARMS[arm](lang)


class _Batches:
    "The same rows for every arm and seed, in an order of the seed"

    def __init__(self, rows):
        self.rows, self.at = rows, len(rows)

    def __call__(self, generator):
        if self.at + ROWS > len(self.rows):
            self.rows = self.rows[torch.randperm(len(self.rows), generator=generator)]
            self.at = 0
        self.at += ROWS
        return self.rows[self.at - ROWS : self.at]


def train(arm, lang, rows, steps, seed):
    "A trained model, and the seconds it took"
    model, start = make(arm, lang, seed), time.perf_counter()
    band = lang.walk if arm == 'one time' else None
    grid_training.train_grid_denoiser(model, _Batches(rows), steps, LR, band, seed)
    return model, time.perf_counter() - start


def _times_of(model, lang):
    "The schedule along which an arm is measured, `None` for its process's own time"
    return lang.band if isinstance(model, DenoiserDecoder) else None


def _excess_function(model, lang):
    "A function (ids, u, generator) to excess and reading gap"
    if isinstance(model, MaskedTokens):
        return lambda ids, u, g: masked_excess(model.predict, lang, ids, u, g)
    if isinstance(model, BlockGridDenoiser):
        return lambda ids, u, g: block_excess(model, lang, ids, u, g)
    band = _times_of(model, lang)
    at = lambda ids, u, g: excess_at(model, lang, ids, u, band, g)
    return (lambda *given: at(*given)[:2]) if isinstance(model.process, PerTokenTimes) else at


@torch.no_grad()
def write(model, lang, n, calls, seed):
    """(n,L) long: rows written in so many network calls, by ancestral steps in every arm: FLM publishes Euler's steps
    of the flow, ELF such steps after a little new noise"""
    generator = torch.Generator().manual_seed(seed)
    if isinstance(model, MaskedTokens):
        start = torch.zeros(n, lang.length, dtype=torch.long)
        steps = min(calls, lang.length)
        *_, last = sample_masked(model.draw(generator), model.process, start, steps=steps, generator=generator)
        return last.x
    if isinstance(model, BlockGridDenoiser):
        each = max(1, calls * model.block // lang.length)
        return model.write(n, falling(model.process.schedule, each), generator)
    elf = isinstance(model, DenoiserDecoder)
    times = falling(model.process.schedule, calls, lang.walk if elf else None)
    how = 'mean' if elf or not model.bayes else 'sample'
    *_, last = model.sample(n, lang.length, times, how=how, generator=generator)
    if elf:
        return model.predict(last.x, times[-1:].expand(n))[1].argmax(2)
    return model.decode(last)


def measure(model, lang, draws=4):
    "Excess in bits a row, by time, and what is written with few and with many calls"
    if isinstance(model, AnyOrderTimes):
        model.process = PerTokenTimes(lang.band, lang.length, LAG)
    found = total_excess(_excess_function(model, lang), lang.rows(HELD, 10**6), draws)
    found['written'] = {calls: judge(lang, write(model, lang, WRITTEN, calls, 5)) for calls in CALLS}
    return found


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Train and measure what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--arms', nargs='*', default=list(ARMS), choices=list(ARMS))
    parser.add_argument('--seeds', type=int, nargs='*', default=[0])
    parser.add_argument('--steps', type=int, default=1500)
    args = parser.parse_args(arguments)
    lang, found = StoryRows(), saved_metrics(RUN)
    rows = lang.rows(48_000, 10)
    for seed in args.seeds:
        for arm in args.arms:
            key = f'{arm}|{args.steps}|{seed}'
            if key in found:
                continue
            model, seconds = train(arm, lang, rows, args.steps, seed)
            parameters = sum(p.numel() for p in model.parameters())
            found[key] = measure(model, lang) | dict(seconds=seconds, parameters=parameters)
            save_run(RUN, found, COMMAND)
            print(key, {k: v for k, v in found[key].items() if not torch.is_tensor(v)}, flush=True)


if __name__ == '__main__':
    main()
