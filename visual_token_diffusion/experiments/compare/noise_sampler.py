"""Samplers of pictures from noise, with the exact posterior mean over all scenes in place of a network."""

import itertools
import math

import torch

from ...diffusion.base import Process
from ...metrics.codes import code_entropy
from ...samplers.base import SamplerStep
from ...viz.grids import legend
from .base import BrokenPart, Comparison, Measure, Measurement, SkippedPart
from .pictures import used_pictures

__all__ = ['NoiseSamplerComparison', 'exact_denoiser', 'gaussian_of']

START = 1 - 1e-3  # at pure noise some schedules divide by zero


def gaussian_of(part):
    "A process of pictures that a sampler undoes. Raises `SkippedPart`"
    for name in part.processes or ('gaussian',):
        if name in ('gaussian', 'rectified_flow'):
            return Process.part(name)()
    raise SkippedPart(f'it undoes {", ".join(part.processes)}, which is no noise on pictures; see --world stories')


def exact_denoiser(
    process,  # a `GaussianDiffusion`
    data,  # (n,...) float: all pictures, equally likely
):
    "A function (x, t): the mean of the pictures, given what is seen; exact"
    flat = data.flatten(1).double()

    def denoise(x, t):
        t = torch.as_tensor(t, dtype=torch.double).reshape(-1)[:1]
        alpha, sigma = (float(v.reshape(-1)[0]) for v in process.schedule.alpha_sigma(t))
        squares = torch.cdist(x.flatten(1).double(), alpha * flat).square()
        weights = (-squares / (2 * max(sigma, 1e-6) ** 2)).softmax(1)
        return (weights @ flat).view(x.shape).to(x)

    return denoise


class NoiseSamplerComparison(Comparison):
    "Samplers of scenes from noise"

    seam = 'sampler'
    about = 'Samplers of scenes from noise with the exact denoiser: are the pictures scenes, and are all scenes there?'
    worlds = 'stories', 'toy', 'tw-288'
    baseline = 'ddim'
    control = 'everything in one call'
    trivial = 'the mean picture'
    curve = 'calls', 'squared error to the nearest scene'
    measures = (
        Measure('error', 'squared error to the nearest scene'),
        Measure('valid', 'valid scenes', 'more'),
        Measure('bits', 'bits of the scenes drawn', 'more'),
        Measure('calls', 'calls', ''),
    )
    settings = dict(ci=dict(pictures=32), cpu=dict(pictures=256, calls=8), gpu=dict(pictures=4096))

    def _drawn(self, part, options, world, calls, n, seed):
        "`(pictures (n,3,S,S), calls)`"
        data = used_pictures(world)[1] * 2 - 1
        process, generator = gaussian_of(part), torch.Generator().manual_seed(seed)
        denoise, asked = exact_denoiser(process, data), []

        def counted(x, t):
            asked.append(1)
            return denoise(x, t)

        x = process.prior((n, *data.shape[1:]), generator)
        times = torch.linspace(START, 0, calls + 1, dtype=torch.double)
        steps = part(**options)(counted, process, x, times=times, generator=generator)
        found = list(itertools.islice(steps, 10 * calls + 10))
        if len(found) == 10 * calls + 10:
            raise BrokenPart(f'it goes on after {len(found)} steps')
        if not found or not isinstance(found[-1], SamplerStep):
            raise BrokenPart('it should yield SamplerSteps')
        last = found[-1].x
        if last.shape != x.shape or not last.isfinite().all():
            raise BrokenPart(f'its pictures should be finite {tuple(x.shape)}, got {tuple(last.shape)}')
        return (last + 1) / 2, len(asked)

    def measure(self, part, options, world, seed, cfg):
        pictures, calls = self._drawn(part, options, world, cfg.calls, cfg.pictures, seed)
        found = self._measured(pictures, calls, world)
        curve = []
        for n in (2, 4, 8, 16):
            few, _ = self._drawn(part, options, world, n, 32, seed)
            curve.append((n, self._measured(few, n, world).numbers['error']))
        return found._replace(curve=curve)

    def measure_control(self, world, seed, cfg):
        from ...core.registry import seam_base

        part = seam_base('sampler').part('ddim')
        return self._measured(*self._drawn(part, {}, world, 1, cfg.pictures, seed), world)

    def _measured(self, pictures, calls, world):
        data = used_pictures(world)[1]
        nearest = torch.cdist(pictures.flatten(1), data.flatten(1))
        error = nearest.min(1).values.square().mean() / data[0].numel()
        read = world.parse(pictures.clamp(0, 1)).ids
        numbers = dict(
            error=error, valid=(read >= 0).double().mean(), calls=calls,
            bits=code_entropy(nearest.argmin(1)[:, None]),
        )
        return Measurement(numbers, picture=legend({'': pictures[:10].clamp(0, 1)}, cols=10))

    def measure_trivial(self, world, seed, cfg):
        mean = used_pictures(world)[1].mean(0, keepdim=True)
        return self._measured(mean.repeat(2, 1, 1, 1), 0, world).numbers

    def floors(self, world, cfg):
        "Bits of as many scenes drawn alike; the mean of eight draws"
        generator = torch.Generator().manual_seed(0)
        drawn = [torch.randint(len(world), (cfg.pictures, 1), generator=generator) for _ in range(8)]
        bits = sum(map(code_entropy, drawn)) / len(drawn)
        return dict(error=0.0, valid=1.0, bits=min(bits, math.log2(len(world))))
