"Bounds of an untrained painter: the cross-entropy of the word frequencies."

import pytest
import torch
from support.grids import gen, grid_model
from support.noise import F64

from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.diffusion.gaussian_schedules import PiecewiseLogSNR
from visual_token_diffusion.diffusion.per_token_times import PerTokenTimes
from visual_token_diffusion.models import grid_nelbo  # noqa: F401  (gives the model its bounds)

BAND = PiecewiseLogSNR(torch.linspace(1.0, -9.0, 9))


@pytest.mark.parametrize(
    'process',
    [
        GaussianDiffusion(BAND),
        RectifiedFlow(),
        PerTokenTimes(BAND, 6, 3.0),
        PerTokenTimes(BAND, 6, 5.0, 'scattered'),
    ],
    ids=['gaussian', 'flow', 'left_to_right', 'scattered'],
)
def test_untrained_bounds_are_the_cross_entropy_of_the_frequencies(process):
    "Both bounds, for the continuous and the stepwise sampler, within four standard errors"
    model = grid_model(process)
    ids = torch.multinomial(model.unigram.exp(), 6 * 256, True, generator=gen(1)).view(256, 6)
    truth = -model.unigram[ids].double().sum(1)
    own = isinstance(process, PerTokenTimes)
    d = model.nelbo(ids, None if own else BAND, 8, gen(2)) - truth
    assert d.mean().abs() < 4 * d.std() / 16 + 0.02
    t = torch.linspace(1, 0, 13, **F64)
    times = t[1:] if own else process.schedule.time_of(BAND.log_snr(t))[:-1]
    d = model.step_nelbo(ids, times, gen(3)) - truth
    assert d.mean().abs() < 4 * d.std() / 16 + 0.05


def test_flow_and_gaussian_are_one_model():
    band = PiecewiseLogSNR(torch.linspace(3.0, -9.0, 9))
    ids = torch.randint(20, (32, 6), generator=gen())
    processes = GaussianDiffusion(band), RectifiedFlow()
    a, b = (grid_model(p).nelbo(ids, band, 2, gen(1)) for p in processes)
    torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-2)
