"Continuous diffusion: exact in float64, and step for step equal to the schedulers of diffusers"

import math
import pytest, torch
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.diffusion.gaussian_schedules import (
    NoiseSchedule, LinearNoise, CosineNoise, SqrtNoise, LogSNR, LinearPath, VESchedule,
    BetaTable, ddpm_table,
)
from visual_token_diffusion.samplers.ancestral import sample_ancestral
from visual_token_diffusion.samplers.ode import sample_ddim, sample_euler, sample_heun
from visual_token_diffusion.diffusion.gaussian_schedules import NoiseSchedule

schedules = [
    LinearNoise(),
    CosineNoise(),
    SqrtNoise(),
    LogSNR(8, -12),
    LinearPath(),
    VESchedule(5.0),
    ddpm_table(),
]
name = lambda s: type(s).__name__
f64 = dict(dtype=torch.double)


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def last(steps):
    *_, f = steps
    return f.x


@pytest.mark.parametrize('S', schedules, ids=name)
def test_marginal_is_alpha_x_plus_sigma_noise(S):
    p, t = GaussianDiffusion(S), torch.tensor([0.05, 0.4, 0.95], **f64)
    x = torch.tensor([1.0, -2.0, 0.5], **f64)[:, None].expand(3, 200_000).contiguous()
    n = p.corrupt(x, t, gen())
    a, s = S.alpha(t), S.sigma(t)
    torch.testing.assert_close(n.x, a[:, None] * x + s[:, None] * n.noise)
    assert ((n.x.mean(1) - a * x[:, 0]).abs() < 5 * s / 200_000**0.5).all() and (
        (n.x.var(1) / s**2 - 1).abs() < 5 * (2 / 200_000) ** 0.5
    ).all()


@pytest.mark.parametrize('S', schedules, ids=name)
@pytest.mark.parametrize('eta', [0, 0.5, 1])
def test_a_step_back_keeps_the_marginal(S, eta):
    "x_s from posterior(x_t, x_0) has mean alpha_s x_0 and variance sigma_s^2, whatever eta"
    p, (s, t) = GaussianDiffusion(S), (0.3, 0.7)
    at = lambda u: (
        S.alpha(torch.tensor([u], **f64)).item(),
        S.sigma(torch.tensor([u], **f64)).item(),
    )
    (a_t, s_t), (a_s, s_s) = at(t), at(s)
    x0 = torch.tensor([[0.8]], **f64)
    mean = lambda x: p.posterior(x, x0, s, t, eta)[0].item()
    m = mean(a_t * x0)
    slope = mean(a_t * x0 + 1) - m
    sd = p.posterior(a_t * x0, x0, s, t, eta)[1].item()
    assert abs(m - a_s * 0.8) < 1e-12 and abs(slope**2 * s_t**2 + sd**2 - s_s**2) < 1e-12


@pytest.mark.parametrize('S', schedules, ids=name)
def test_two_posterior_steps_compose(S):
    "Bayes twice, t -> u -> s, is Bayes once, t -> s"
    p, x0, x = GaussianDiffusion(S), torch.tensor([[0.8]], **f64), torch.tensor([[-0.6]], **f64)
    m1, d1 = p.posterior(x, x0, 0.5, 0.9)
    m2, d2 = p.posterior(m1, x0, 0.2, 0.5)
    slope = p.posterior(m1 + 1, x0, 0.2, 0.5)[0] - m2
    m, d = p.posterior(x, x0, 0.2, 0.9)
    torch.testing.assert_close(m2, m)
    torch.testing.assert_close((slope * d1) ** 2 + d2**2, d**2)


@pytest.mark.parametrize('S', schedules[:5], ids=name)
def test_rates_are_the_derivatives(S):
    t, h = torch.tensor([0.2, 0.5, 0.8], **f64), 1e-6
    for r, f in zip(S.rates(t, ('alpha', 'sigma', 'log_snr')), (S.alpha, S.sigma, S.log_snr)):
        torch.testing.assert_close(r, (f(t + h) - f(t - h)) / (2 * h), rtol=1e-6, atol=1e-7)


def test_straight_path_ddim_is_euler():
    p, f = RectifiedFlow(), lambda x, t: torch.tanh(x) * 0.7
    x = p.prior((4, 3), gen(), torch.double)
    torch.testing.assert_close(last(sample_ddim(f, p, x, 7)), last(sample_euler(f, p, x, 7)))


@pytest.mark.parametrize(
    'P', [GaussianDiffusion(CosineNoise()), RectifiedFlow()], ids=['cosine', 'flow']
)
def test_one_known_point_is_reached_in_one_step(P):
    x = P.prior((5, 2), gen(), torch.double)
    c = torch.tensor([0.3, -1.0], **f64)
    for f in (sample_ddim, sample_ancestral):
        torch.testing.assert_close(
            last(f(lambda x, t: c.expand_as(x), P, x, steps=1)), c.expand(5, 2), atol=1e-6, rtol=0
        )


def perfect(p, points, prob):
    def d(x, t):
        a, s = p.at(t, x)
        w = (
            -(x[:, None] - a[..., None] * points).square().sum(2) / (2 * s**2) + prob.log()
        ).softmax(1)
        return w @ points

    return d


@pytest.mark.parametrize('how', ['ancestral', 'ddim', 'euler', 'heun'])
@pytest.mark.parametrize(
    'P', [GaussianDiffusion(LogSNR(8, -8)), RectifiedFlow()], ids=['gaussian', 'flow']
)
def test_samplers_pass_a_chi_square(how, P):
    "Two letters, two positions, four sequences with their table, 200 steps"
    pts = torch.cartesian_prod(torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0])).double()
    prob = torch.tensor([0.4, 0.1, 0.15, 0.35], **f64)
    N, g = 4000, gen(1)
    x = P.prior((N, 2), g, torch.double)
    d = perfect(P, pts, prob)
    ts = torch.linspace(0.9999, 1e-4, 201)
    y = dict(
        ancestral=lambda: sample_ancestral(d, P, x, generator=g, times=ts),
        ddim=lambda: sample_ddim(d, P, x, times=ts),
        euler=lambda: sample_euler(d, P, x, times=ts),
        heun=lambda: sample_heun(d, P, x, times=ts),
    )[how]()
    c = torch.cdist(last(y), pts).argmin(1).bincount(minlength=4).double()
    chi2 = ((c - N * prob) ** 2 / (N * prob)).sum().item()
    assert chi2 < 20, chi2  # three degrees of freedom: above 20 once in 6,000


def test_bound_is_exact_and_forgets_the_schedule():
    "One letter at -1 or 1 with p = .3, .7: the bound of both equals -log p by quadrature, for two schedules"
    import numpy as np

    n, w = (torch.as_tensor(o) for o in np.polynomial.hermite_e.hermegauss(120))
    w = w / w.sum()
    pts, prob = torch.tensor([[-1.0], [1.0]], **f64), torch.tensor([0.3, 0.7], **f64)
    for P, lo, hi in ((GaussianDiffusion(LogSNR(7, -16)), 0, 1), (RectifiedFlow(), 0.03, 0.9997)):
        d, ts, S = perfect(P, pts, prob), torch.linspace(lo, hi, 6001, **f64), P.schedule
        for i, x in enumerate(pts):
            a, s = S.alpha(ts), S.sigma(ts)
            z = (a[:, None] * x + s[:, None] * n).reshape(-1, 1)
            tt = ts.repeat_interleave(len(n))
            f = (P.bound_terms(x.expand(len(z), 1), d(z, tt), tt).view(-1, len(n)) * w).sum(1)
            z = a[0] * x + s[0] * n[:, None]
            read = (
                w
                * -(-((z - a[0] * pts[:, 0]) ** 2) / (2 * s[0] ** 2) + prob.log()).log_softmax(1)[
                    :, i
                ]
            ).sum()
            total = torch.trapezoid(f, ts) + read + P.prior_term(x[None], hi)
            assert abs(total + prob[i].log()) < 1e-3, (P, total, prob[i].log())


def test_min_snr_weights():
    t = torch.tensor([0.1, 0.5, 0.9], **f64)
    snr = CosineNoise().log_snr(t).exp()
    cap = snr.clamp(max=5)
    for k, w in dict(eps=cap / snr, x0=cap, v=cap / (snr + 1)).items():
        torch.testing.assert_close(GaussianDiffusion(CosineNoise(), k, 'min_snr').weight(t), w)


@pytest.mark.parametrize(
    'bad,msg',
    [
        (dict(steps=0), 'at least 1'),
        (dict(steps=2.5), 'whole number'),
        (dict(times=[0.5]), 'two or more'),
        (dict(times=[0.2, 0.8]), 'fall strictly'),
        (dict(times=[1.2, 0]), 'at most 1'),
    ],
)
def test_bad_times_are_one_line(bad, msg):
    for f in (sample_ancestral, sample_ddim, sample_euler, sample_heun):
        with pytest.raises(ValueError) as e:
            last(f(lambda x, t: x, RectifiedFlow(), torch.zeros(1, 1), **bad))
        assert msg in str(e.value) and '\n' not in str(e.value)


def test_one_seed_one_result():
    P = GaussianDiffusion()
    x = P.prior((3, 2), gen(5))
    a, b = (last(sample_ancestral(lambda x, t: x * 0.5, P, x, 9, gen(3))) for _ in range(2))
    assert (a == b).all()


# --- against diffusers ------------------------------------------------------------------------------------------------

try:
    import diffusers
except ImportError:
    diffusers = None
parity = pytest.mark.skipif(
    diffusers is None,
    reason="NOT CHECKED: diffusers is missing, so nothing here compares our steps with its schedulers; pip install -e '.[dev]'",
)
kinds = dict(epsilon='eps', sample='x0', v_prediction='v')


def net(x, t):
    return torch.sin(3 * x + t * 5) * 0.8 + 0.1 * x  # stands for a network; t in [0,1]


def walk_diffusers(sched, x, steps, kwargs, time):
    sched.set_timesteps(steps)
    states = [x]
    for t in sched.timesteps:
        states.append(sched.step(net(states[-1], time(t)), t, states[-1], **kwargs).prev_sample)
    return states


def ours(f, P, x, times, **kw):
    d = lambda x, t: P.to_x0(net(x, t.view(-1, 1).to(x)), x, t)
    return [o.x for o in f(d, P, x, times=times, **kw)]


def same(a, b, tol=1e-5):
    assert len(a) == len(b)
    for u, v in zip(a, b):
        assert (u - v).abs().max() < tol * max(1, v.abs().max())


def exactly(sched):
    "The scheduler with its table in float64: in float32 it loses four digits of 1-alpha^2 near the data"
    sched.betas = sched.betas.double()
    sched.alphas = 1 - sched.betas
    sched.alphas_cumprod = sched.alphas.cumprod(0)
    return sched


def step_by_step(f, sched, P, times, states, eta=None):
    "Every single step as published (float32), each from the same state"
    for k, t in enumerate(sched.timesteps):
        kw = {} if eta is None else dict(eta=eta)
        b = sched.step(
            net(states[k], (t + 1) / 1000), t, states[k], generator=gen(k), **kw
        ).prev_sample
        same(ours(f, P, states[k], times[k : k + 2], generator=gen(k), **kw)[1:], [b])


def ddpm_times(sched, steps):
    sched.set_timesteps(steps)
    return [*((t.item() + 1) / 1000 for t in sched.timesteps), 0.0]


@parity
@pytest.mark.parametrize('kind', kinds)
@pytest.mark.parametrize('steps', [10, 50])
@pytest.mark.parametrize('beta', ['linear', 'scaled_linear', 'squaredcos_cap_v2'])
def test_ddpm_steps_equal_diffusers(kind, steps, beta):
    make = lambda: diffusers.DDPMScheduler(
        prediction_type=kind, clip_sample=False, beta_schedule=beta
    )
    s = exactly(make())
    x = torch.randn(4, 3, generator=gen(1), **f64)
    P, times = GaussianDiffusion(BetaTable(s.betas), kinds[kind]), ddpm_times(s, steps)
    a = walk_diffusers(s, x, steps, dict(generator=gen(2)), lambda t: (t.double() + 1) / 1000)
    same(ours(sample_ancestral, P, x, times, generator=gen(2)), a, 1e-9)
    s = make()
    s.set_timesteps(steps)
    step_by_step(sample_ancestral, s, P, times, [o.float() for o in a])


@parity
@pytest.mark.parametrize('kind', kinds)
@pytest.mark.parametrize('eta', [0.0, 0.6, 1.0])
def test_ddim_steps_equal_diffusers(kind, eta):
    make = lambda: diffusers.DDIMScheduler(prediction_type=kind, clip_sample=False)
    s = exactly(make())
    x = torch.randn(4, 3, generator=gen(1), **f64)
    P, times = GaussianDiffusion(BetaTable(s.betas), kinds[kind]), ddpm_times(s, 20)
    a = walk_diffusers(s, x, 20, dict(eta=eta, generator=gen(2)), lambda t: (t.double() + 1) / 1000)
    same(ours(sample_ddim, P, x, times, eta=eta, generator=gen(2)), a, 1e-9)
    s = make()
    s.set_timesteps(20)
    step_by_step(sample_ddim, s, P, times, [o.float() for o in a], eta)


@parity
@pytest.mark.parametrize(
    'cls,f',
    [
        ('FlowMatchEulerDiscreteScheduler', sample_euler),
        ('FlowMatchHeunDiscreteScheduler', sample_heun),
    ],
)
@pytest.mark.parametrize('shift', [1.0, 3.0])
def test_flow_steps_equal_diffusers(cls, f, shift):
    s = getattr(diffusers, cls)(shift=shift)
    x = torch.randn(4, 3, generator=gen(1))
    a = walk_diffusers(s, x, 12, {}, lambda t: t / 1000)
    times = s.sigmas.double()
    if f is sample_heun:
        a, times = a[::2] + a[-1:], torch.cat([times[:1], times[1::2]])
    same(ours(f, RectifiedFlow(), x, times), a)


@parity
@pytest.mark.parametrize(
    'cls,f', [('EulerDiscreteScheduler', sample_euler), ('HeunDiscreteScheduler', sample_heun)]
)
def test_exploding_steps_equal_diffusers(cls, f):
    "The same walk in sigma: alpha = 1"
    s = getattr(diffusers, cls)()
    s.set_timesteps(10)
    sig = s.sigmas.double()
    top = sig[0].item()
    x = torch.randn(4, 3, generator=gen(1)) * top
    P = GaussianDiffusion(VESchedule(top), 'eps')
    noise = lambda x, sg: net(x / (sg**2 + 1) ** 0.5, sg / top)
    a, i = [x], 0
    for i, t in enumerate(s.timesteps):
        a.append(s.step(noise(a[-1], s.sigmas[i]), t, a[-1]).prev_sample)
    times = sig / top
    if f is sample_heun:
        a, times = a[::2] + a[-1:], torch.cat([times[:1], times[1::2]])
    d = lambda x, t: P.to_x0(noise(x, (t * top).view(-1, 1).to(x)), x, t)
    same([o.x for o in f(d, P, x, times=times)], a)


@parity
def test_adding_noise_equals_diffusers():
    s = diffusers.DDPMScheduler()
    x, noise = torch.randn(5, 3, generator=gen(1)), torch.randn(5, 3, generator=gen(2))
    i = torch.tensor([0, 10, 500, 900, 999])
    P = GaussianDiffusion(ddpm_table())
    n = P.corrupt(x, (i + 1) / 1000, gen(2))
    same(
        [n.x, P.target(x, n, (i + 1) / 1000)],
        [s.add_noise(x, noise, i), s.get_velocity(x, noise, i)],
    )
