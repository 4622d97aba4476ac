"Step for step equal to the schedulers of diffusers."

import pytest
import torch
from support.noise import F64, gen

from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.diffusion.gaussian_schedules import BetaTable, VESchedule, ddpm_table
from visual_token_diffusion.samplers.ancestral import sample_ancestral_gaussian
from visual_token_diffusion.samplers.ode import sample_ddim, sample_euler, sample_heun

try:
    import diffusers
except ImportError:
    diffusers = None
pytestmark = pytest.mark.skipif(
    diffusers is None,
    reason="NOT CHECKED: diffusers is missing, so nothing here compares our steps with its "
    "schedulers; pip install -e '.[dev]'",
)
PREDICT = dict(epsilon='eps', sample='x0', v_prediction='v')


def net(x, t):
    return torch.sin(3 * x + t * 5) * 0.8 + 0.1 * x  # stands for a network; t in [0,1]


def walk_diffusers(scheduler, x, steps, time, **options):
    scheduler.set_timesteps(steps)
    states = [x]
    for t in scheduler.timesteps:
        x = states[-1]
        states.append(scheduler.step(net(x, time(t)), t, x, **options).prev_sample)
    return states


def ours(sample, process, x, times, **options):
    def denoise(x, t):
        return process.to_x0(net(x, t.view(-1, 1).to(x)), x, t)

    return [s.x for s in sample(denoise, process, x, times=times, **options)]


def same(a, b, tol=1e-5):
    assert len(a) == len(b)
    for u, v in zip(a, b):
        assert (u - v).abs().max() < tol * max(1, v.abs().max())


def exactly(scheduler):
    "With its table in float64: in float32 it loses four digits of 1-alpha^2 near the data"
    scheduler.betas = scheduler.betas.double()
    scheduler.alphas = 1 - scheduler.betas
    scheduler.alphas_cumprod = scheduler.alphas.cumprod(0)
    return scheduler


def step_by_step(sample, scheduler, process, times, states, **options):
    "Every single step as published (float32), each from the same state"
    for k, t in enumerate(scheduler.timesteps):
        x, out = states[k], net(states[k], (t + 1) / 1000)
        theirs = scheduler.step(out, t, x, generator=gen(k), **options).prev_sample
        mine = ours(sample, process, x, times[k : k + 2], generator=gen(k), **options)
        same(mine[1:], [theirs])


def ddpm_time(t):
    return (t.double() + 1) / 1000


def ddpm_times(scheduler, steps):
    scheduler.set_timesteps(steps)
    return [*((t.item() + 1) / 1000 for t in scheduler.timesteps), 0.0]


@pytest.mark.parametrize('kind', PREDICT)
@pytest.mark.parametrize('steps', [10, 50])
@pytest.mark.parametrize('beta', ['linear', 'scaled_linear', 'squaredcos_cap_v2'])
def test_ddpm_steps_equal_diffusers(kind, steps, beta):
    def make():
        options = dict(prediction_type=kind, clip_sample=False, beta_schedule=beta)
        return diffusers.DDPMScheduler(**options)

    s, x = exactly(make()), torch.randn(4, 3, generator=gen(1), **F64)
    P, times = GaussianDiffusion(BetaTable(s.betas), PREDICT[kind]), ddpm_times(s, steps)
    a = walk_diffusers(s, x, steps, ddpm_time, generator=gen(2))
    same(ours(sample_ancestral_gaussian, P, x, times, generator=gen(2)), a, 1e-9)
    s = make()
    s.set_timesteps(steps)
    step_by_step(sample_ancestral_gaussian, s, P, times, [o.float() for o in a])


@pytest.mark.parametrize('kind', PREDICT)
@pytest.mark.parametrize('eta', [0.0, 0.6, 1.0])
def test_ddim_steps_equal_diffusers(kind, eta):
    def make():
        return diffusers.DDIMScheduler(prediction_type=kind, clip_sample=False)

    s, x = exactly(make()), torch.randn(4, 3, generator=gen(1), **F64)
    P, times = GaussianDiffusion(BetaTable(s.betas), PREDICT[kind]), ddpm_times(s, 20)
    a = walk_diffusers(s, x, 20, ddpm_time, eta=eta, generator=gen(2))
    same(ours(sample_ddim, P, x, times, eta=eta, generator=gen(2)), a, 1e-9)
    s = make()
    s.set_timesteps(20)
    step_by_step(sample_ddim, s, P, times, [o.float() for o in a], eta=eta)


def every_second(states, times):
    "Of a scheduler with two calls a step: the states after whole steps, and their times"
    return states[::2] + states[-1:], torch.cat([times[:1], times[1::2]])


@pytest.mark.parametrize(
    'scheduler,sample',
    [
        ('FlowMatchEulerDiscreteScheduler', sample_euler),
        ('FlowMatchHeunDiscreteScheduler', sample_heun),
    ],
)
@pytest.mark.parametrize('shift', [1.0, 3.0])
def test_flow_steps_equal_diffusers(scheduler, sample, shift):
    s = getattr(diffusers, scheduler)(shift=shift)
    x = torch.randn(4, 3, generator=gen(1))
    a, times = walk_diffusers(s, x, 12, lambda t: t / 1000), s.sigmas.double()
    if sample is sample_heun:
        a, times = every_second(a, times)
    same(ours(sample, RectifiedFlow(), x, times), a)


@pytest.mark.parametrize(
    'scheduler,sample',
    [('EulerDiscreteScheduler', sample_euler), ('HeunDiscreteScheduler', sample_heun)],
)
def test_exploding_steps_equal_diffusers(scheduler, sample):
    "The same walk in sigma: alpha = 1"
    s = getattr(diffusers, scheduler)()
    s.set_timesteps(10)
    sigma = s.sigmas.double()
    top = sigma[0].item()
    P, a = GaussianDiffusion(VESchedule(top), 'eps'), [torch.randn(4, 3, generator=gen(1)) * top]

    def noise(x, sg):
        return net(x / (sg**2 + 1) ** 0.5, sg / top)

    def denoise(x, t):
        return P.to_x0(noise(x, (t * top).view(-1, 1).to(x)), x, t)

    for i, t in enumerate(s.timesteps):
        a.append(s.step(noise(a[-1], s.sigmas[i]), t, a[-1]).prev_sample)
    x, times = a[0], sigma / top
    if sample is sample_heun:
        a, times = every_second(a, times)
    same([o.x for o in sample(denoise, P, x, times=times)], a)


def test_adding_noise_equals_diffusers():
    s = diffusers.DDPMScheduler()
    x, noise = torch.randn(5, 3, generator=gen(1)), torch.randn(5, 3, generator=gen(2))
    i = torch.tensor([0, 10, 500, 900, 999])
    P, t = GaussianDiffusion(ddpm_table()), (i + 1) / 1000
    n = P.corrupt(x, t, generator=gen(2))
    theirs = [s.add_noise(x, noise, i), s.get_velocity(x, noise, i)]
    same([n.x_t, P.target(x, n, t)], theirs)
