"""Processes that add noise to pictures: networks trained alike, beside the exact mean of what is in a noisy one."""

import torch
from torch import nn

from ...core.config import load_settings
from ...diffusion.base import Process
from ...diffusion.gaussian import GaussianDiffusion
from ...training.learners import PatchDenoiser, diffusion_learner
from ...training.pictures import world_dls
from ...training.quiet import quietly
from ...viz.grids import legend
from .base import BrokenPart, Comparison, Measure, Measurement, SkippedPart
from .noise_sampler import exact_denoiser
from .pictures import SIZE, seeded, used_pictures

__all__ = ['NoiseProcessComparison', 'check_noise', 'time_of']

LEVELS = -3.0, -1.5, 0.0, 1.5, 3.0  # logarithms of signal over noise, of their squares


def time_of(process, log_snr):
    "The time at which a schedule has this ratio of signal to noise, by bisection"
    low, high = 1e-4, 1 - 1e-4
    for _ in range(40):
        middle = (low + high) / 2
        alpha, sigma = process.schedule.alpha_sigma(torch.tensor([middle], dtype=torch.double))
        is_early = 2 * float(alpha.log() - sigma.log()) > log_snr
        low, high = (middle, high) if is_early else (low, middle)
    return middle


def check_noise(process, images):
    "The target of a picture gives the picture back, and its loss is a number each. Raises `BrokenPart` in one line"
    t = torch.full((len(images),), 0.5)
    corrupted = process.corrupt(images, t, generator=torch.Generator().manual_seed(0))
    if corrupted.x_t is None or corrupted.x_t.shape != images.shape or not corrupted.x_t.isfinite().all():
        raise BrokenPart(f'corrupt should give finite pictures {tuple(images.shape)}')
    target = process.target(images, corrupted, t)
    gap = (process.to_x0(target, corrupted.x_t, t) - images).abs().max()
    if not gap < 1e-2:
        raise BrokenPart(f'to_x0(target(x0)) should be x0, it is off by {gap:.3g}')
    loss = process.loss(target, images, corrupted, t)
    if tuple(loss.shape) != t.shape or not loss.isfinite().all():
        raise BrokenPart(f'loss should be finite {tuple(t.shape)}, got {tuple(loss.shape)}')


class _Timeless(nn.Module):
    "Control: a network that is not told the time"

    def __init__(self, network):
        super().__init__()
        self.network, self.size = network, network.size

    def forward(self, x, t):
        return self.network(x, torch.full_like(t, 0.5))


class NoiseProcessComparison(Comparison):
    "Processes that add Gaussian noise to pictures"

    seam = 'process'
    about = 'Processes that add noise to pictures: how far is a network trained with each from the exact mean?'
    worlds = 'stories', 'text', 'tw-288', 'tw-2', 'emoji'
    baseline = 'rectified_flow'
    control = 'rectified flow, the network is not told the time'
    trivial = 'the mean picture'
    curve = 'signal over noise, logarithm', 'squared error at a level'
    measures = (
        Measure('error', 'squared error'),
        Measure('noisy', 'squared error in most noise'),
        Measure('clear', 'squared error in least noise'),
    )
    settings = dict(
        ci=dict(steps=30, seeds=2),
        cpu=dict(steps=600, width=64, batch=32, lr=0.002),
        gpu=dict(steps=10000),
    )

    def measure(self, part, options, world, seed, cfg):
        if not issubclass(part, GaussianDiffusion) or part.name in ('per_token_times', 'shifted_mean'):
            raise SkippedPart('it adds no noise to whole pictures by a schedule; see --world stories')
        return self._measured(part(**options), lambda network: network, world, seed, cfg)

    def measure_control(self, world, seed, cfg):
        return self._measured(Process.part('rectified_flow')(), _Timeless, world, seed, cfg)

    def _measured(self, process, around, world, seed, cfg):
        images = used_pictures(world)[1] * 2 - 1
        check_noise(process, images[:4])
        network = seeded(seed, lambda: around(PatchDenoiser(SIZE, width=cfg.width)))
        self._train(network, process, world, seed, cfg)
        found = [_seen(process, network, images, level) for level in LEVELS]
        curve = [(level, error) for level, (error, _) in zip(LEVELS, found)]
        errors = [error for error, _ in found]
        numbers = dict(error=sum(errors) / len(errors), noisy=errors[0], clear=errors[-1])
        rows = {f'{level:+.1f}': pictures[:8] for level, (_, pictures) in zip(LEVELS, found)}
        rows = dict(given=(images[:8] + 1) / 2) | rows
        return Measurement(numbers, curve, legend(rows), dict(parameters=_count(network)))

    def _train(self, network, process, world, seed, cfg):
        overrides = [f'steps={cfg.steps}', 'epochs=1', f'batch={cfg.batch}', f'seed={seed}', 'device=cpu']
        settings = load_settings('cpu', [*overrides, f'valid_sequences={cfg.batch}'])
        learn = diffusion_learner(world_dls(world, settings, size=SIZE), network, process, seed)
        torch.manual_seed(seed)
        with quietly(learn):
            learn.fit_one_cycle(1, cfg.lr)
        network.eval()

    def measure_trivial(self, world, seed, cfg):
        images = used_pictures(world)[1] * 2 - 1
        error = (images - images.mean(0)).square().mean()
        return dict(error=error, noisy=error, clear=error)

    def floors(self, world, cfg):
        "The exact posterior mean; for a larger world that of the pictures that are measured"
        process, images = Process.part('rectified_flow')(), used_pictures(world)[1] * 2 - 1
        exact = exact_denoiser(process, images)
        errors = [_seen(process, None, images, level, exact)[0] for level in LEVELS]
        return dict(error=sum(errors) / len(errors), noisy=errors[0], clear=errors[-1])


def _count(network):
    return f'{sum(p.numel() for p in network.parameters()):,}'


@torch.no_grad()
def _seen(process, network, images, level, exact=None):
    "`(squared error, pictures in [0,1])` of what is seen in pictures with noise of a level, the same for all parts"
    moment = time_of(process, level)
    t = torch.full((len(images),), moment)
    alpha, sigma = process.alpha_sigma(t, images)
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(5))
    x_t = (alpha * images + sigma * noise).float()
    x0 = exact(x_t, moment) if exact else process.to_x0(network(x_t, t), x_t, t).clamp(-1, 1)
    return float((x0 - images).square().mean()), (x0.clamp(-1, 1) + 1) / 2
