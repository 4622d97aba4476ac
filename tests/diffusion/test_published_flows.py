"""Steps of published flows for text, written anew, beside ours.

The functions themselves were run on the same tensors, with the same result; nothing of them is copied:
david3684/flm d89a02f, nealchen2003/LangFlow a712b08."""

import pytest
import torch
from support.noise import gen, last

from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion
from visual_token_diffusion.diffusion.gaussian_schedules import PiecewiseLogSNR
from visual_token_diffusion.diffusion.token_information import TokenInformation, information_share, one_hot_accuracy
from visual_token_diffusion.samplers.ode import sample_ddim, sample_euler

F64 = dict(dtype=torch.double)
TIMES = torch.linspace(0.9, 0.05, 8, **F64)


def predictor(seed=0):
    "Probabilities (B,L,7) that depend on the whole row"
    matrix = 0.3 * torch.randn(21, 21, generator=gen(seed), **F64)
    return lambda z, t: (z.flatten(1) @ matrix).view_as(z).softmax(-1)


def test_flm_goes_straight_to_the_prediction_as_ddim_does():
    "z + (a'-a)(x-z)/(1-a) for signals a, a'; `sample_euler` follows the slope in time instead"
    schedule = TokenInformation.of_one_hots(7, path='flow')
    process, predict = GaussianDiffusion(schedule, 'x0'), predictor()
    z = start = torch.randn(4, 3, 7, generator=gen(1), **F64)
    signals = schedule.alpha_sigma(TIMES)[0].tolist()
    for now, then in zip(signals[:-1], signals[1:]):
        z = z + (then - now) * (predict(z, None) - z) / (1 - now)
    found = last(sample_ddim(predict, process, start, times=TIMES))
    assert torch.allclose(found, z, atol=1e-6)
    assert (last(sample_euler(predict, process, start, times=TIMES)) - z).abs().max() > 0.01


def share_of(ratio, vocab_size):
    "The information share at a ratio of signal to noise, exact"
    return information_share(one_hot_accuracy(2 * ratio.log(), vocab_size), vocab_size)


@pytest.mark.parametrize('vocab_size', [2, 193, 50_000])
def test_flm_share_of_the_signal_and_its_inverse(vocab_size):
    "Theirs is a spline of ten thousand signals, ours straight pieces of the log SNR: signals within .003, finer .0002"
    share = torch.linspace(0.01, 0.99, 50, **F64)
    for pieces, close in ((256, 3e-3), (1024, 2e-4)):
        schedule = TokenInformation.of_one_hots(vocab_size, path='flow', cut=1e-3, pieces=pieces)
        signal, noise = schedule.alpha_sigma((1 - 1e-3 - share) / (1 - 2e-3))
        found = share_of(signal / noise, vocab_size)
        slope = (share_of((signal + 1e-4) / (noise - 1e-4), vocab_size) - found) / 1e-4
        assert ((found - share) / slope).abs().max() < close


def test_langflow_step_is_ddim():
    "Of z/alpha the distance to the prediction shrinks as sigma/alpha does"
    schedule = PiecewiseLogSNR(torch.tensor([5.0, 1.0, -4.0], **F64))
    process, predict = GaussianDiffusion(schedule, 'x0'), predictor()
    z = start = torch.randn(4, 3, 7, generator=gen(1), **F64)
    alpha, sigma = schedule.alpha(TIMES), schedule.sigma(TIMES)
    for i in range(len(TIMES) - 1):
        x, y = predict(z, None), z / alpha[i]
        shrinks = (sigma[i + 1] / alpha[i + 1]) / (sigma[i] / alpha[i])
        z = alpha[i + 1] * (x + shrinks * (y - x))
    assert torch.allclose(last(sample_ddim(predict, process, start, times=TIMES)), z)
