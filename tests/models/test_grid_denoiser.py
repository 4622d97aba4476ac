"Painting: evidence, bounds and clocks against slow, obvious computations"

import math
import numpy as np, pytest, torch
from visual_token_diffusion.codebooks.base import smallest_codebook
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.samplers.ancestral import sample_ancestral
from visual_token_diffusion.samplers.ode import sample_euler
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.diffusion.gaussian_schedules import PiecewiseLogSNR
from visual_token_diffusion.diffusion.per_token_times import PerTokenTimes
from visual_token_diffusion.models.grid_denoiser import GridDenoiser
from visual_token_diffusion.models.grid_training import train_grid_denoiser
from visual_token_diffusion.models.grid_space import GridSpace

f64 = dict(dtype=torch.double)


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope='module')
def canvas():
    K = smallest_codebook(20)
    return GridSpace(SemanticVisualEncoder(random_codes(20, 3, K, gen()), K))


def test_evidence_is_the_gaussian_density(canvas):
    x = canvas(torch.arange(20)).double()
    z = 0.4 * x[:7] + 0.8 * torch.randn(7, 3, 8, 8, generator=gen(), **f64)
    for a, s in ((0.4, 0.8), (0.05, 0.99), (0.9, 0.3)):
        a, s = torch.tensor(a, **f64), torch.tensor(s, **f64)
        slow = torch.stack([-(z - a * p).square().flatten(1).sum(1) / (2 * s**2) for p in x], 1)
        torch.testing.assert_close(
            canvas.log_likelihood(z, a, s).log_softmax(1), slow.log_softmax(1), atol=2e-3, rtol=1e-4
        )


def test_expected_picture_and_reading_back(canvas):
    p = torch.rand(3, 20, generator=gen())
    p /= p.sum(1, keepdim=True)
    torch.testing.assert_close(
        canvas.expected(p),
        torch.einsum('bv,vcij->bcij', p, canvas(torch.arange(20))),
        atol=1e-5,
        rtol=1e-5,
    )
    assert (canvas.nearest(canvas(torch.arange(20))) == torch.arange(20)).all()


class Toy:
    "Two letters at -1 and 1, two squares of one pixel, a table; the perfect denoiser for any process with clocks of its own"

    points = torch.cartesian_prod(torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0])).double()
    joint = torch.tensor([0.4, 0.1, 0.15, 0.35], **f64)

    def denoise(self, process, z, t):
        a, s = process.at(t, z)
        w = (
            -(
                (z[:, None] - a[:, None] * self.points[:, :, None, None, None]) ** 2
                / (2 * s[:, None] ** 2)
            )
            .flatten(2)
            .sum(2)
            + self.joint.log()
        ).softmax(1)
        return (w @ self.points)[:, :, None, None, None]


@pytest.mark.parametrize('order,lag', [('reading', 0.0), ('reading', 2.0), ('scattered', 1.0)])
def test_staggered_bound_equals_log_p_by_quadrature(order, lag):
    toy, P = Toy(), PerTokenTimes(PiecewiseLogSNR([4.0, 0.0, -3.0, -16.0]), 2, lag, order)
    n, w = (torch.as_tensor(o) for o in np.polynomial.hermite_e.hermegauss(24))
    w = (w[:, None] * w).flatten() / (2 * math.pi)
    nodes = torch.cartesian_prod(n, n)[:, :, None, None, None]
    N, T = len(nodes), 1200
    ts = (torch.arange(T, **f64) + 0.5) / T
    for x, p in zip(toy.points, toy.joint):
        total = 0.0
        for tt in ts.split(400):
            m = len(tt)
            tt = tt.repeat_interleave(N)
            X = x[None, :, None, None, None].expand(m * N, -1, -1, -1, -1)
            a, s = P.at(tt, X)
            z = a * X + s * nodes.repeat(m, 1, 1, 1, 1)
            total += (P.bound_terms(X, toy.denoise(P, z, tt), tt).view(m, N) @ w).sum() / T
        total += P.prior_term(X[:1])[0]  # at t=0 nothing is left to read: log SNR 4
        assert abs(total + p.log()) < 5e-3, (order, lag, total, p.log())


def test_clocks_run_from_noise_to_data():
    for order in ('reading', 'scattered'):
        w = PerTokenTimes(PiecewiseLogSNR([4.0, -10.0]), 8, 3.0, order).clocks(
            torch.tensor([1.0, 0.5, 0.0])
        )
        assert (w[0] == 1).all() and (w[2] == 0).all() and len(w[1].unique()) > 1
    w = PerTokenTimes(PiecewiseLogSNR([4.0, -10.0]), 8, 3.0).clocks(torch.tensor([0.6]))
    assert (w[0].diff() >= 0).all(), 'the first is read first'


def model(canvas, process, **kw):
    torch.manual_seed(0)
    return GridDenoiser(canvas, process, torch.arange(1.0, 21.0), 16, 1, 2, **kw).eval()


@pytest.mark.parametrize(
    'make',
    [
        lambda b: GaussianDiffusion(b),
        lambda b: RectifiedFlow(),
        lambda b: PerTokenTimes(b, 6, 3.0),
        lambda b: PerTokenTimes(b, 6, 5.0, 'scattered'),
    ],
    ids=['gaussian', 'flow', 'reading', 'scattered'],
)
def test_untrained_bounds_are_the_cross_entropy_of_the_frequencies(canvas, make):
    "Both bounds, each for the continuous and the stepwise sampler, within four standard errors"
    band = PiecewiseLogSNR(torch.linspace(1.0, -9.0, 9))
    m = model(canvas, make(band))
    ids = torch.multinomial(m.unigram.exp(), 6 * 256, True, generator=gen(1)).view(256, 6)
    truth = -m.unigram[ids].double().sum(1)
    own = isinstance(m.process, PerTokenTimes)
    d = m.bound(ids, None if own else band, 8, gen(2)) - truth
    assert d.mean().abs() < 4 * d.std() / 16 + 0.02, (d.mean(), d.std() / 16)
    t = torch.linspace(1, 0, 13, **f64)
    ts = t[1:] if own else m.process.schedule.time_of(band.log_snr(t))[:-1]
    d = m.step_bound(ids, ts, gen(3)) - truth
    assert d.mean().abs() < 4 * d.std() / 16 + 0.05, (d.mean(), d.std() / 16)


def test_flow_and_gaussian_are_one_model(canvas):
    band = PiecewiseLogSNR(torch.linspace(3.0, -9.0, 9))
    ids = torch.randint(20, (32, 6), generator=gen())
    a, b = (
        model(canvas, p).bound(ids, band, 2, gen(1))
        for p in (GaussianDiffusion(band), RectifiedFlow())
    )
    torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-2)


def test_painting_and_bad_input(canvas):
    m = model(canvas, PerTokenTimes(PiecewiseLogSNR([4.0, -9.0]), 6, 2.0))
    t = torch.linspace(1, 0, 9, **f64)
    for how in ('mean', 'draw', 'nearest'):
        *_, f = m.paint(3, 6, t, how=how, generator=gen())
        *_, g = m.paint(3, 6, t, how=how, generator=gen())
        assert (
            (m.read(f) == m.read(g)).all()
            and m.read(f).shape == (3, 6)
            and f.confidence.shape == (3, 6)
        )
    for bad in (
        lambda: GridDenoiser(canvas, None, torch.ones(20), reads='letters'),
        lambda: PiecewiseLogSNR([0.0]),
        lambda: PerTokenTimes(PiecewiseLogSNR([1.0, 0.0]), 4, -1.0),
        lambda: PerTokenTimes(PiecewiseLogSNR([1.0, 0.0]), 4, 1.0, 'random'),
        lambda: m.denoiser('guess'),
    ):
        with pytest.raises(ValueError) as e:
            bad()
        assert '\n' not in str(e.value)


@pytest.mark.parametrize(
    'kw',
    [
        dict(),
        dict(reads='pixels'),
        dict(says='pixels'),
        dict(head='codes'),
        dict(again=True),
        dict(bayes=False),
    ],
)
def test_every_variant_trains(canvas, kw):
    m = model(canvas, GaussianDiffusion(PiecewiseLogSNR([2.0, -9.0])), **kw)
    before = [p.detach().clone() for p in m.parameters()]
    train_grid_denoiser(m, lambda g: torch.randint(20, (4, 6), generator=g), 3)
    assert any((a != b).any() for a, b in zip(before, m.parameters())) and all(
        p.isfinite().all() for p in m.parameters()
    )
