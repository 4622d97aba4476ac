"Gaussian diffusion: marginals, posteriors and bounds, exact in float64."

import numpy as np
import pytest
import torch
from support.noise import F64, NOISE_SCHEDULES, gen, name, perfect

from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.diffusion.gaussian_schedules import CosineNoise, LogSNR


@pytest.mark.parametrize('S', NOISE_SCHEDULES, ids=name)
def test_marginal_is_alpha_x_plus_sigma_noise(S):
    p, t = GaussianDiffusion(S), torch.tensor([0.05, 0.4, 0.95], **F64)
    x = torch.tensor([1.0, -2.0, 0.5], **F64)[:, None].expand(3, 200_000).contiguous()
    n = p.corrupt(x, t, generator=gen())
    a, s = S.alpha(t), S.sigma(t)
    torch.testing.assert_close(n.x_t, a[:, None] * x + s[:, None] * n.noise)
    mean, variance = n.x_t.mean(1) - a * x[:, 0], n.x_t.var(1) / s**2
    assert (mean.abs() < 5 * s / 200_000**0.5).all()
    assert ((variance - 1).abs() < 5 * (2 / 200_000) ** 0.5).all()


@pytest.mark.parametrize('S', NOISE_SCHEDULES, ids=name)
@pytest.mark.parametrize('eta', [0, 0.5, 1])
def test_a_step_back_keeps_the_marginal(S, eta):
    "x_s from posterior(x_t, x_0) has mean alpha_s x_0 and variance sigma_s^2, whatever eta"
    p, (s, t) = GaussianDiffusion(S), (0.3, 0.7)
    alpha = S.alpha(torch.tensor([s, t], **F64)).tolist()
    sigma = S.sigma(torch.tensor([s, t], **F64)).tolist()
    x0 = torch.tensor([[0.8]], **F64)
    mean = lambda x: p.posterior(x, x0, s, t, eta)[0].item()
    m = mean(alpha[1] * x0)
    slope = mean(alpha[1] * x0 + 1) - m
    sd = p.posterior(alpha[1] * x0, x0, s, t, eta)[1].item()
    assert abs(m - alpha[0] * 0.8) < 1e-12
    assert abs(slope**2 * sigma[1] ** 2 + sd**2 - sigma[0] ** 2) < 1e-12


@pytest.mark.parametrize('S', NOISE_SCHEDULES, ids=name)
def test_two_posterior_steps_compose(S):
    "Bayes twice, t -> u -> s, is Bayes once, t -> s"
    p = GaussianDiffusion(S)
    x0, x = torch.tensor([[0.8]], **F64), torch.tensor([[-0.6]], **F64)
    m1, d1 = p.posterior(x, x0, 0.5, 0.9)
    m2, d2 = p.posterior(m1, x0, 0.2, 0.5)
    slope = p.posterior(m1 + 1, x0, 0.2, 0.5)[0] - m2
    m, d = p.posterior(x, x0, 0.2, 0.9)
    torch.testing.assert_close(m2, m)
    torch.testing.assert_close((slope * d1) ** 2 + d2**2, d**2)


def bound_by_quadrature(P, lo, hi, i):
    "The bound of point `i` of two, one letter at -1 or 1 with p = .3, .7"
    n, w = (torch.as_tensor(o) for o in np.polynomial.hermite_e.hermegauss(120))
    w = w / w.sum()
    points, prob = torch.tensor([[-1.0], [1.0]], **F64), torch.tensor([0.3, 0.7], **F64)
    d, x = perfect(P, points, prob), points[i]
    ts = torch.linspace(lo, hi, 6001, **F64)
    a, s = P.schedule.alpha(ts), P.schedule.sigma(ts)
    z = (a[:, None] * x + s[:, None] * n).reshape(-1, 1)
    tt = ts.repeat_interleave(len(n))
    terms = P.nelbo_terms(x.expand(len(z), 1), d(z, tt), tt)
    z = a[0] * x + s[0] * n[:, None]
    likelihood = -((z - a[0] * points[:, 0]) ** 2) / (2 * s[0] ** 2)
    read = (w * -(likelihood + prob.log()).log_softmax(1)[:, i]).sum()
    denoising = (terms.view(-1, len(n)) * w).sum(1)
    return torch.trapezoid(denoising, ts) + read + P.prior_term(x[None], hi)


@pytest.mark.parametrize(
    'P,lo,hi', [(GaussianDiffusion(LogSNR(7, -16)), 0, 1), (RectifiedFlow(), 0.03, 0.9997)]
)
def test_bound_is_exact_and_forgets_the_schedule(P, lo, hi):
    for i, p in enumerate((0.3, 0.7)):
        total = bound_by_quadrature(P, lo, hi, i)
        assert abs(total + np.log(p)) < 1e-3, (P, total, np.log(p))


def test_min_snr_weights():
    t = torch.tensor([0.1, 0.5, 0.9], **F64)
    snr = CosineNoise().log_snr(t).exp()
    cap = snr.clamp(max=5)
    for k, w in dict(eps=cap / snr, x0=cap, v=cap / (snr + 1)).items():
        torch.testing.assert_close(GaussianDiffusion(CosineNoise(), k, 'min_snr').weight(t), w)


@pytest.mark.parametrize('predict', ['x0', 'eps', 'v', 'flow'])
def test_target_and_plain_loss_are_those_of_the_mixture_to_the_bit(predict):
    "Three of four targets need no alpha and sigma, and the plain weight is one"
    process, g = GaussianDiffusion(predict=predict), torch.Generator().manual_seed(0)
    x, t = torch.randn(8, 9, 3, generator=g), torch.rand(8, generator=g)
    noisy, out = process.corrupt(x, t, generator=g), torch.randn(8, 9, 3, generator=g)
    p, q = process.mixture(t, x)
    wanted = torch.addcmul(p * x, noisy.noise, q)
    assert torch.equal(process.target(x, noisy, t), wanted)
    error = (out - wanted).square().flatten(1).mean(1)
    assert torch.equal(process.loss(out, x, noisy, t), process.weight(t).to(x) * error)


def test_what_may_not_change_does_not():
    x, maskable = torch.ones(2, 3, 4), torch.tensor([[True, False, True]] * 2)
    x_t = GaussianDiffusion().corrupt(x, torch.full((2,), 0.5), maskable=maskable).x_t
    assert torch.equal(x_t[~maskable], x[~maskable]) and not torch.equal(x_t, x)


@pytest.mark.parametrize('bad', [dict(predict='noise'), dict(weighting='even')])
def test_bad_choices_are_one_line(bad):
    with pytest.raises(ValueError, match='must be one of') as e:
        GaussianDiffusion(**bad)
    assert '\n' not in str(e.value)
