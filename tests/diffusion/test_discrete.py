"Chains on symbols: kernels, posteriors, bounds, against enumeration in float64."

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from support.pairs import PAIRS, PROCESSES, TABLE, V, f64, kernel, label, slow_logits

from visual_token_diffusion.diffusion.discrete import (
    Absorbing,
    DiscreteProcess,
    Uniform,
    generalized_kl,
    score_entropy,
)
from visual_token_diffusion.diffusion.discretized_gaussian import DiscretizedGaussian
from visual_token_diffusion.diffusion.schedules import Cosine


@pytest.mark.parametrize('p', PROCESSES, ids=label)
def test_marginals_are_composed_kernels(p):
    al = p.schedule.alpha(torch.arange(1, 8).double() / 8)
    prod = kernel(p, al[0])
    for a, b in zip(al, al[1:]):
        prod = prod @ kernel(p, b / a)
    assert torch.allclose(prod, kernel(p, al[-1]), atol=1e-12)
    one = torch.ones(p.n_states).double()
    assert torch.allclose(kernel(p, al[3]).sum(1), one, atol=1e-12)
    states = torch.arange(p.n_states)
    assert torch.allclose(p.likelihood(states, al[3]).T, kernel(p, al[3]), atol=1e-12)
    e = 1e-7  # the rates are the kernel's derivative
    flow = (kernel(p, math.exp(-e)) - torch.eye(p.n_states)) / e
    others = 1 - torch.eye(p.n_states)
    assert torch.allclose(p.rates(states).T * others, flow * others, atol=1e-5)


@pytest.mark.parametrize('p', PROCESSES[:3], ids=label)
def test_corrupt_follows_the_marginal(p):
    g, N = torch.Generator().manual_seed(0), 40000
    x = torch.randint(V, (N, 2), generator=g)
    t = torch.full((N,), 0.6, dtype=torch.double)
    y = p.corrupt(x, t, generator=g).x_t
    for v in range(V):
        c = torch.bincount(y[x == v], minlength=p.n_states)
        expected = kernel(p, p.schedule.alpha(f64(0.6)))[v] * c.sum()
        ok = expected > 5
        assert ((c - expected)[ok] ** 2 / expected[ok]).sum() < 30
    maskable = torch.rand(x.shape, generator=g) < 0.5
    z = p.corrupt(x, t, maskable=maskable, generator=g)
    assert torch.equal(z.x_t[~maskable], x[~maskable])
    assert (z.mask is None) == (p.mask_id is None)


def joint_of_both(p, y, s, t):
    "(V,V,S,S) chance of x_0 and x_s at both positions, with x_t = y, a number at a time"
    ks = kernel(p, p.schedule.alpha(s))[:V]
    kt = kernel(p, (p.schedule.alpha(t) / p.schedule.alpha(s)).squeeze())
    res = torch.zeros(V, V, p.n_states, p.n_states, dtype=torch.double)
    for a, b in PAIRS:
        for u, w in itertools.product(range(p.n_states), repeat=2):
            until_s = TABLE[a, b] * ks[a, u] * ks[b, w]
            res[a, b, u, w] = until_s * kt[u, y[0]] * kt[w, y[1]]
    return res


@pytest.mark.parametrize('p', PROCESSES, ids=label)
def test_posterior_is_bayes(p):
    s, t = f64(0.3), f64(0.65)
    for y in itertools.product(range(p.n_states), repeat=2):
        joint, z = joint_of_both(p, y, s, t), torch.tensor([y])
        mine = p.posterior(z, p.predict(slow_logits(p, z, t), z, t), s, t)[0]
        assert torch.allclose(mine[0], joint.sum((0, 1, 3)) / joint.sum(), atol=1e-12)
        assert torch.allclose(mine[1], joint.sum((0, 1, 2)) / joint.sum(), atol=1e-12)
        for a, b in PAIRS:
            if (j := joint[a, b]).sum() > 0:
                true = p.posterior(z, torch.tensor([[a, b]]), s, t)[0, 0]
                assert torch.allclose(true, j.sum(1) / j.sum(), atol=1e-12)


def integrate(p, rate):
    "The bound of all pairs: tanh-sinh over time, all states listed"
    u = torch.linspace(-2.5, 2.5, 40, dtype=torch.float64)
    w = math.pi / 2 * u.sinh()
    total = torch.zeros(V, V, dtype=torch.double)
    ys = torch.tensor(list(itertools.product(range(p.n_states), repeat=2)))
    steps = 0.5 * math.pi / 2 * u.cosh() / w.cosh() ** 2 * (u[1] - u[0])
    for t, dt in zip(0.5 * (1 + w.tanh()), steps):
        like = p.likelihood(ys, p.schedule.alpha(t))
        pred = p.predict(slow_logits(p, ys, t), ys, t.expand(len(ys)))
        for a, b in PAIRS:
            chance = like[:, 0, a] * like[:, 1, b]
            ok = chance > 0
            x, n = torch.tensor([[a, b]]), int(ok.sum())
            rates = rate(x.expand(n, -1), ys[ok], pred[ok], t.expand(n))
            total[a, b] += dt * (chance[ok, None] * rates).sum()
    return total


@pytest.mark.parametrize('p', PROCESSES[:6], ids=label)
def test_bound_is_exact_for_the_perfect_denoiser(p):
    assert torch.allclose(integrate(p, p.nelbo_rate), -TABLE.log(), atol=2e-6)


def test_general_bound_is_the_masked_one():
    p = Absorbing(V, Cosine())
    general = integrate(p, lambda *a: DiscreteProcess.nelbo_rate(p, *a))
    assert torch.allclose(general, -TABLE.log(), atol=2e-6)


def test_generalized_kl_and_score_entropy():
    g = torch.Generator().manual_seed(0)
    s, r = (torch.rand(1000, generator=g).double() * 5 for _ in range(2))
    assert (generalized_kl(s, r) >= -1e-12).all()
    assert generalized_kl(r, r).abs().max() < 1e-12
    assert generalized_kl(s, r * 0).equal(s)
    logits, x = torch.randn(50, 7, generator=g).double(), torch.randint(7, (50,), generator=g)
    Z = logits.exp().sum(1)
    price = F.cross_entropy(logits, x, reduction='none') + Z - 1 - Z.log()
    assert torch.allclose(score_entropy(logits, x), price)


def test_loss_is_the_summed_rate():
    p, g = Uniform(V), torch.Generator().manual_seed(0)
    x, t = torch.randint(V, (5, 4), generator=g), torch.rand(5, generator=g)
    corrupted, logits = p.corrupt(x, t, generator=g), torch.randn(5, 4, V, generator=g)
    rate = p.nelbo_rate(x, corrupted.x_t, p.predict(logits, corrupted.x_t, t), t)
    assert torch.equal(p.loss(logits, x, corrupted, t), rate.sum(1))


def test_bad_input():
    with pytest.raises(ValueError, match='at least 2'):
        Uniform(1)
    with pytest.raises(ValueError, match='4096'):
        DiscretizedGaussian(5000)
    with pytest.raises(ValueError, match='positive'):
        DiscretizedGaussian(5, 0.0)
    with pytest.raises(ValueError, match='table of codes'):
        Absorbing.build()


@pytest.mark.parametrize('p', PROCESSES, ids=label)
def test_a_kernel_is_linear(p):
    "Twice the mass is twice the mass afterwards, whether or not it sums to one"
    mass = torch.rand(3, p.n_states, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    alpha = p.schedule.alpha(f64(0.6))
    assert torch.allclose(p.forward_kernel(2 * mass, alpha), 2 * p.forward_kernel(mass, alpha))


@pytest.mark.parametrize('size', [2, 3, 5, 8, 20])
def test_nothing_is_known_where_nothing_is_left(size):
    "At alpha 0 every symbol is as likely as every other"
    for p in (Uniform(size), DiscretizedGaussian(size, 0.8)):
        assert torch.allclose(kernel(p, f64(0.0)), torch.full((size, size), 1 / size).double())
