"A time for every token: the bound by quadrature, and which token moves when."

import math

import numpy as np
import pytest
import torch
from support.noise import F64

from visual_token_diffusion.diffusion.gaussian_schedules import PiecewiseLogSNR
from visual_token_diffusion.diffusion.per_token_times import PerTokenTimes

POINTS = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], **F64)] * 2)
JOINT = torch.tensor([0.4, 0.1, 0.15, 0.35], **F64)


def as_rows(x):
    "(...,2) as two tokens of one pixel"
    return x[..., None, None, None]


def perfect(process, z, t):
    "Two letters at -1 and 1, two tokens of one pixel, a table: the mean of the data"
    a, s = process.alpha_sigma(t, z)
    distance = (z[:, None] - a[:, None] * as_rows(POINTS)) ** 2
    distance = distance / (2 * s[:, None] ** 2)
    return as_rows((-distance.flatten(2).sum(2) + JOINT.log()).softmax(1) @ POINTS)


def denoising_term(process, x, times):
    "(len(times),) the integrand of the bound, the noise by quadrature"
    n, w = (torch.as_tensor(o) for o in np.polynomial.hermite_e.hermegauss(24))
    w = (w[:, None] * w).flatten() / (2 * math.pi)
    nodes = as_rows(torch.cartesian_prod(n, n))
    t = times.repeat_interleave(len(nodes))
    X = as_rows(x)[None].expand(len(t), -1, -1, -1, -1)
    a, s = process.alpha_sigma(t, X)
    z = a * X + s * nodes.repeat(len(times), 1, 1, 1, 1)
    return process.nelbo_terms(X, perfect(process, z, t), t).view(len(times), -1) @ w


@pytest.mark.parametrize(
    'order,lag', [('left_to_right', 0.0), ('left_to_right', 2.0), ('scattered', 1.0)]
)
def test_bound_equals_log_p_by_quadrature(order, lag):
    process = PerTokenTimes(PiecewiseLogSNR([4.0, 0.0, -3.0, -16.0]), 2, lag, order)
    times = (torch.arange(1200, **F64) + 0.5) / 1200
    for x, p in zip(POINTS, JOINT):
        total = sum(denoising_term(process, x, t).sum() for t in times.split(400)) / 1200
        total += process.prior_term(as_rows(x)[None])[0]  # at t=0 log SNR 4 leaves nothing to read
        assert abs(total + p.log()) < 5e-3, (order, lag, total, p.log())


@pytest.mark.parametrize('order', ['left_to_right', 'scattered'])
def test_times_run_from_noise_to_data(order):
    process = PerTokenTimes(PiecewiseLogSNR([4.0, -10.0]), 8, 3.0, order)
    w = process.token_times(torch.tensor([1.0, 0.5, 0.0]))
    assert (w[0] == 1).all() and (w[2] == 0).all()
    assert len(w[1].unique()) > 1


def test_the_first_is_decided_first():
    w = PerTokenTimes(PiecewiseLogSNR([4.0, -10.0]), 8, 3.0).token_times(torch.tensor([0.6]))
    assert (w[0].diff() >= 0).all()


@pytest.mark.parametrize('bad', [dict(lag=-1.0), dict(order='random')], ids=str)
def test_bad_options_are_one_line(bad):
    with pytest.raises(ValueError) as e:
        PerTokenTimes(PiecewiseLogSNR([1.0, 0.0]), 4, **bad)
    assert '\n' not in str(e.value)
