"Token-information time: exact against Monte Carlo, monotone, the same on both paths; what it refuses."

import math

import pytest
import torch
from support.grids import gen, grid_space

from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion
from visual_token_diffusion.diffusion.token_information import (
    DecodingThresholds,
    TokenInformation,
    information_share,
    one_hot_accuracy,
)

F64 = dict(dtype=torch.double)


def decoded(points, log_snr, n=40_000):
    "Share of noisy points whose nearest point is their own"
    ids = torch.randint(len(points), (n,), generator=gen(1))
    z = math.exp(log_snr / 2) * points[ids]
    z = z + torch.randn(n, points.shape[1], generator=gen(2))
    signal = math.exp(log_snr / 2)
    nearest = (signal * z @ points.T - signal**2 * points.square().sum(1) / 2).argmax(1)
    return float((nearest == ids).double().mean())


@pytest.mark.parametrize('log_snr', [-6.0, 0.0, 1.0, 2.0])
def test_one_hots_by_quadrature_and_by_drawing(log_snr):
    exact = float(one_hot_accuracy(log_snr, 20))
    assert abs(decoded(torch.eye(20), log_snr) - exact) < 4 * math.sqrt(exact * (1 - exact) / 40_000)


def test_two_one_hots_are_a_normal_distribution_function():
    log_snr = torch.linspace(-4, 4, 9, **F64)
    right = torch.special.ndtr((log_snr / 2).exp() / math.sqrt(2))
    torch.testing.assert_close(one_hot_accuracy(log_snr, 2), right, atol=1e-12, rtol=0)


def test_without_signal_one_guesses():
    points = torch.randn(12, 5, generator=gen())
    accuracy = torch.stack([DecodingThresholds(points, 32, gen()).accuracy(-60.0)[0], one_hot_accuracy(-60.0, 12)])
    torch.testing.assert_close(accuracy, torch.full((2,), 1 / 12, **F64), atol=1e-9, rtol=0)
    assert float(information_share(1 / 12, 12)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize('points', ['one-hots', 'grids', 'few dimensions'])
def test_thresholds_agree_with_drawing(points):
    points = {
        'one-hots': torch.eye(20),
        'grids': grid_space()(torch.arange(20)).flatten(1),
        'few dimensions': torch.randn(20, 3, generator=gen()),
    }[points]
    thresholds = DecodingThresholds(points, 400, gen())
    for log_snr in (-4.0, -1.0, 1.0):
        mean, se = thresholds.accuracy(log_snr)
        own = decoded(points, log_snr)
        assert abs(float(mean) - own) < 4 * math.hypot(float(se), 0.5 / 200) + 1e-9


@pytest.mark.parametrize('path', ['variance_preserving', 'flow'])
def test_information_falls_evenly_in_time(path):
    schedule = TokenInformation.of_one_hots(20, path=path)
    t = torch.linspace(0, 1, 41, **F64)
    alpha, sigma = schedule.alpha_sigma(t)
    total = alpha**2 + sigma**2 if path == 'variance_preserving' else alpha + sigma
    torch.testing.assert_close(total, torch.ones_like(t))
    assert (schedule.log_snr(t).diff() < 0).all()
    share = information_share(one_hot_accuracy(2 * (alpha / sigma).log(), 20), 20)
    torch.testing.assert_close(share, torch.linspace(0.999, 0.001, 41, **F64), atol=1e-4, rtol=0)


def test_the_time_of_grids_decodes_half_of_them_in_the_middle():
    space = grid_space()
    points = space(torch.arange(20))
    schedule = TokenInformation.of_points(points, gen(), directions=200)
    middle = float(schedule.log_snr(torch.tensor([0.5], **F64)))
    share = float(information_share(decoded(points.flatten(1), middle), 20))
    assert abs(share - 0.5) < 0.05


def test_both_paths_meet_the_same_noise_and_serve_a_process():
    plain, flow = (TokenInformation.of_one_hots(20, path=path) for path in ('variance_preserving', 'flow'))
    t = torch.tensor([0.2, 0.6], **F64)
    torch.testing.assert_close(plain.log_snr(t), flow.log_snr(t))
    for schedule in (plain, flow):
        torch.testing.assert_close(schedule.time_of(schedule.log_snr(t)), t, atol=1e-6, rtol=0)
        process, x = GaussianDiffusion(schedule, 'flow'), torch.randn(2, 3, generator=gen())
        noisy = process.corrupt(x, t, generator=gen())
        torch.testing.assert_close(process.to_x0(process.target(x, noisy, t), noisy.x_t, t), x)


def test_equal_points_farther_apart_are_decoded_in_more_noise():
    near, far = (TokenInformation.of_one_hots(20, scale) for scale in (1.0, 2.0))
    torch.testing.assert_close(near.knots - far.knots, torch.full_like(near.knots, math.log(4)), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    'bad',
    [
        lambda: one_hot_accuracy(0.0, 1),
        lambda: DecodingThresholds(torch.zeros(3, 2)),
        lambda: DecodingThresholds(torch.tensor([[0.0], [math.nan]])),
        lambda: DecodingThresholds(torch.eye(3), 1),
        lambda: TokenInformation.of_one_hots(20, path='straight'),
        lambda: TokenInformation.of_one_hots(20, cut=0.5),
        lambda: TokenInformation.of_points(torch.eye(1)),
    ],
)
def test_bad_input_is_one_line(bad):
    with pytest.raises(ValueError) as e:
        bad()
    assert '\n' not in str(e.value) and 'got' in str(e.value) or 'are not' in str(e.value)
