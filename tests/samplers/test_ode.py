"Samplers of Gaussian diffusion: honest samples, one point, bad times."

import pytest
import torch
from support.noise import F64, gen, last, perfect

from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.diffusion.gaussian_schedules import CosineNoise, LogSNR
from visual_token_diffusion.samplers.ancestral import sample_ancestral_gaussian
from visual_token_diffusion.samplers.base import Sampler
from visual_token_diffusion.samplers.ode import predict_x0, sample_ddim, sample_euler, sample_heun

ALL = (sample_ancestral_gaussian, sample_ddim, sample_euler, sample_heun)


def test_straight_path_ddim_is_euler():
    p, f = RectifiedFlow(), lambda x, t: torch.tanh(x) * 0.7
    x = p.prior((4, 3), gen(), torch.double)
    ddim, euler = (last(sample(f, p, x, steps=7)) for sample in (sample_ddim, sample_euler))
    torch.testing.assert_close(ddim, euler)


@pytest.mark.parametrize(
    'P', [GaussianDiffusion(CosineNoise()), RectifiedFlow()], ids=['cosine', 'flow']
)
@pytest.mark.parametrize('sample', ALL[:2])
def test_one_known_point_is_reached_in_one_step(P, sample):
    x = P.prior((5, 2), gen(), torch.double)
    c = torch.tensor([0.3, -1.0], **F64)
    y = last(sample(lambda x, t: c.expand_as(x), P, x, steps=1))
    torch.testing.assert_close(y, c.expand(5, 2), atol=1e-6, rtol=0)


@pytest.mark.parametrize('how', ['ancestral_gaussian', 'ddim', 'euler', 'heun'])
@pytest.mark.parametrize(
    'P', [GaussianDiffusion(LogSNR(8, -8)), RectifiedFlow()], ids=['gaussian', 'flow']
)
def test_samplers_pass_a_chi_square(how, P):
    "Two letters, two positions, four sequences with their table, 200 steps"
    points = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], **F64)] * 2)
    prob = torch.tensor([0.4, 0.1, 0.15, 0.35], **F64)
    N, g = 4000, gen(1)
    x = P.prior((N, 2), g, torch.double)
    times, denoise = torch.linspace(0.9999, 1e-4, 201), perfect(P, points, prob)
    y = last(Sampler.make(how)(denoise, P, x, generator=g, times=times))
    c = torch.cdist(y, points).argmin(1).bincount(minlength=4).double()
    chi2 = ((c - N * prob) ** 2 / (N * prob)).sum().item()
    assert chi2 < 20, chi2  # three degrees of freedom: above 20 once in 6,000


@pytest.mark.parametrize(
    'bad,msg',
    [
        (dict(steps=0), 'at least 1'),
        (dict(steps=2.5), 'whole number'),
        (dict(times=[0.5]), 'two or more'),
        (dict(times=[0.2, 0.8]), 'fall strictly'),
        (dict(times=[1.2, 0]), 'within 1 and 0'),
        (dict(mask=torch.ones(1, 1) > 0), 'leave `mask` out'),
    ],
    ids=str,
)
@pytest.mark.parametrize('sample', ALL)
def test_bad_times_are_one_line(bad, msg, sample):
    with pytest.raises(ValueError) as e:
        last(sample(lambda x, t: x, RectifiedFlow(), torch.zeros(1, 1), **bad))
    assert msg in str(e.value) and '\n' not in str(e.value)


def test_one_seed_one_result():
    P = GaussianDiffusion()
    x = P.prior((3, 2), gen(5))
    options = [dict(steps=9, generator=gen(3)) for _ in range(2)]
    a, b = (last(sample_ancestral_gaussian(lambda x, t: x * 0.5, P, x, **o)) for o in options)
    assert (a == b).all()


def test_what_a_step_says():
    P, x = RectifiedFlow(), torch.ones(2, 3)
    steps = list(sample_euler(lambda x, t: (x * 0.5, t), P, x, steps=3))
    assert steps[0].pred is None and steps[0].changed is None and steps[1].changed is None
    assert torch.equal(steps[2].changed, steps[2].pred - steps[1].pred)
    assert torch.equal(steps[1].confidence, torch.ones(2).double()) and steps[-1].t == 0


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_a_network_without_an_answer_is_told_in_one_line(bad):
    x = torch.ones(2, 3)
    x[1, 2] = bad
    with pytest.raises(ValueError, match='NaN or infinite') as e:
        predict_x0(lambda x, t: x, x, torch.tensor(0.5))
    assert '\n' not in str(e.value)


def test_large_numbers_are_no_infinite_ones():
    "Only their sum is beyond what a float holds"
    large = torch.full((2, 3), 3e38)
    assert torch.equal(predict_x0(lambda x, t: x, large, torch.tensor(0.5))[0], large)
