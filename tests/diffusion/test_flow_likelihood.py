"The likelihood by the flow: exact on a toy, the same by every solver, honest only with the whole divergence."

import math

import pytest
import torch

from visual_token_diffusion.diffusion.flow_likelihood import (
    SignalNoise,
    exact_divergence,
    flow_nll,
    geometric,
    hutchinson,
)
from visual_token_diffusion.metrics.bound_audit import audit
from visual_token_diffusion.metrics.claimed_mass import claimed_mass
from visual_token_diffusion.metrics.toy import Denoiser, Toy

TOY = Toy(2, 1, 2)
NOISE = SignalNoise(2 * torch.eye(2))


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def functions(denoiser, x, sharpened=0.0, cut=False):
    "Field and reading of a denoiser; with `sharpened`, its own prediction is fed back, cut off or not"

    def said(y, r):
        first = denoiser(y, t=torch.full((len(y),), r, dtype=torch.double))
        return (first + sharpened * (first.detach() if cut else first)).log_softmax(-1)

    return (
        lambda y, r: NOISE.expected(said(y, r)),
        lambda y, r: -said(y, r).gather(2, x[..., None])[..., 0].sum(1),
    )


def nats(x, signals=geometric(5.0, 0.02, 24), seed=0, sharpened=0.0, cut=False, **options):
    own = functions(Denoiser(TOY, NOISE).eval(), x, sharpened, cut)
    return flow_nll(NOISE.points[x], *own, signals, generator=gen(seed), **options)


def test_one_token_alone_has_its_entropy():
    one = Toy(2, 2, 1)
    noise, x = SignalNoise(2 * torch.eye(4)), one.rows(3000, gen())
    denoiser = Denoiser(one, noise).eval()
    said = lambda y, r: denoiser(y, t=torch.full((len(y),), r, dtype=torch.double))
    read = lambda y, r: -said(y, r).gather(2, x[..., None])[..., 0].sum(1)
    out = flow_nll(
        noise.points[x], lambda y, r: noise.expected(said(y, r)), read, geometric(5.0, 0.02, 24), generator=gen()
    )
    gap = out.nats + one.p[one.index(x)].log()
    assert abs(gap.mean()) < 4 * gap.std() / 3000**0.5 + 0.01
    torch.testing.assert_close(out.nats, out.reading + out.path + out.prior)


def test_solvers_agree_and_euler_is_worst():
    x = TOY.rows(200, gen())
    best = nats(x, geometric(5.0, 0.02, 32), solver='runge_kutta').nats
    error = {
        solver: float((nats(x, solver=solver, tolerance=1e-2).nats - best).mean().abs())
        for solver in ('euler', 'midpoint', 'adaptive')
    }
    assert error['midpoint'] < 0.02 and error['adaptive'] < 0.02 < error['euler']


def test_an_adaptive_path_gets_nearer_with_its_tolerance():
    x = TOY.rows(50, gen())
    best = nats(x, geometric(5.0, 0.02, 32), solver='runge_kutta').nats
    ends = geometric(5.0, 0.02, 1)
    loose, tight = (nats(x, ends, solver='adaptive', tolerance=tolerance) for tolerance in (0.1, 1e-3))
    assert tight.calls > loose.calls
    assert (tight.nats - best).abs().mean() < (loose.nats - best).abs().mean()


def test_hutchinson_is_unbiased_and_exact_is_the_trace():
    matrix = torch.randn(6, 6, generator=gen(), dtype=torch.double)
    field = lambda y, r: (y.flatten(1) @ matrix.T).view_as(y)
    y = torch.randn(4000, 2, 3, generator=gen(), dtype=torch.double)
    torch.testing.assert_close(exact_divergence(field, y, 1.0)[1], matrix.trace().expand(4000))
    estimate = hutchinson(field, y, 1.0, gen())[1]
    assert abs(estimate.mean() - matrix.trace()) < 4 * estimate.std() / 4000**0.5
    assert estimate.std() > 0


def test_the_audit_passes_it_with_the_ideal_denoiser():
    def estimate(denoiser, x, generator):
        own = functions(denoiser.eval(), x)
        return flow_nll(NOISE.points[x], *own, geometric(5.0, 0.02, 24), generator=generator).nats

    assert audit(estimate, process=NOISE, toy=TOY, rows=128, reps=4).ok


@pytest.mark.parametrize(('cut', 'possible'), [(False, True), (True, False)])
def test_a_prediction_fed_back_must_stay_in_the_divergence(cut, possible):
    "Cut off, as in the released evaluation of LangFlow with self-conditioning, the claims sum to more than one"
    x = TOY.seqs.repeat_interleave(400, 0)
    claims = claimed_mass(nats(x, sharpened=1.0, cut=cut).nats.view(len(TOY.seqs), 400))
    assert claims.possible == possible
    assert (claims.mass < 1) == possible


def test_the_ideal_denoiser_claims_everything():
    x = TOY.seqs.repeat_interleave(400, 0)
    claims = claimed_mass(nats(x).nats.view(len(TOY.seqs), 400))
    assert claims.possible and abs(claims.mass - 1) < 4 * claims.se + 0.02


@pytest.mark.parametrize(
    'bad',
    [
        dict(signals=[1.0]),
        dict(signals=[1.0, 2.0]),
        dict(signals=[1.0, 0.0]),
        dict(solver='exact'),
        dict(divergence='none'),
        dict(solver='adaptive', divergence='hutchinson'),
        dict(solver='adaptive', tolerance=0.0),
    ],
)
def test_bad_input_is_one_line(bad):
    with pytest.raises(ValueError) as e:
        nats(TOY.seqs, **bad)
    assert '\n' not in str(e.value)


NO_CLAIMS = [torch.zeros(3), torch.zeros(3, 1), torch.full((3, 2), math.inf)]


@pytest.mark.parametrize('bad', NO_CLAIMS)
def test_claims_need_draws(bad):
    with pytest.raises(ValueError, match='two draws'):
        claimed_mass(bad)


def test_points_need_two_rows():
    with pytest.raises(ValueError, match='two or more'):
        SignalNoise(torch.zeros(1, 3))
