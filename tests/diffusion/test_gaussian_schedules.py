"Schedules of Gaussian noise: derivatives, the way back to the time, published tables."

import pytest
import torch

from visual_token_diffusion.diffusion.gaussian_schedules import (
    CosineNoise,
    LinearNoise,
    LinearPath,
    LogSNR,
    PiecewiseLogSNR,
    SqrtNoise,
    ddpm_table,
    equal_shares,
    interpolate_in_table,
)

SCHEDULES = [LinearNoise(), CosineNoise(), SqrtNoise(), LogSNR(8, -12), LinearPath()]


def name(schedule):
    return type(schedule).__name__


@pytest.mark.parametrize('S', SCHEDULES, ids=name)
def test_rates_are_the_derivatives(S):
    t, h = torch.tensor([0.2, 0.5, 0.8], dtype=torch.double), 1e-6
    rates = S.rates(t, ('alpha', 'sigma', 'log_snr'))
    for r, f in zip(rates, (S.alpha, S.sigma, S.log_snr)):
        slope = (f(t + h) - f(t - h)) / (2 * h)
        torch.testing.assert_close(r, slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize('S', SCHEDULES + [PiecewiseLogSNR([4.0, 0.0, -9.0])], ids=name)
def test_times_are_found_again(S):
    t = torch.linspace(0.1, 0.9, 9, dtype=torch.double)
    torch.testing.assert_close(S.time_of(S.log_snr(t)), t, rtol=0, atol=1e-9)


def test_the_table_of_ddpm():
    k, betas = torch.tensor([1, 10, 1000]), torch.linspace(1e-4, 0.02, 1000, dtype=torch.double)
    alpha = ddpm_table().alpha(k / 1000)
    torch.testing.assert_close(
        alpha**2, (1 - betas).cumprod(0)[k - 1].float(), rtol=1e-5, atol=1e-7
    )


def test_equal_shares_of_an_even_density_are_even():
    lam = torch.linspace(-6, 2, 9)
    knots = equal_shares(lam, torch.ones(9), n=4).knots
    torch.testing.assert_close(knots, torch.linspace(2, -6, 5, dtype=torch.double))


@pytest.mark.parametrize('knots', [[0.0], [0.0, 1.0]])
def test_knots_must_fall(knots):
    with pytest.raises(ValueError, match='falling'):
        PiecewiseLogSNR(knots)


def test_a_table_is_straight_between_its_entries_to_the_very_end():
    table = torch.tensor([0.0, 1, 4, 9], dtype=torch.double)
    times = torch.tensor([0.0, 0.5, 1, 1.5, 2.5, 2.75, 3]) / 3
    want = torch.tensor([0, 0.5, 1, 2.5, 6.5, 7.75, 9], dtype=torch.double)
    torch.testing.assert_close(interpolate_in_table(table, times), want, rtol=1e-6, atol=1e-6)
