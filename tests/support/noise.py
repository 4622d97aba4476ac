"Gaussian schedules of all sorts, and the perfect denoiser for a list of points."

import torch

from visual_token_diffusion.diffusion.gaussian_schedules import (
    CosineNoise,
    LinearNoise,
    LinearPath,
    LogSNR,
    SqrtNoise,
    VESchedule,
    ddpm_table,
)

F64 = dict(dtype=torch.double)
NOISE_SCHEDULES = [
    LinearNoise(),
    CosineNoise(),
    SqrtNoise(),
    LogSNR(8, -12),
    LinearPath(),
    VESchedule(5.0),
    ddpm_table(),
]


def name(schedule):
    return type(schedule).__name__


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def last(steps):
    *_, step = steps
    return step.x


def perfect(process, points, prob):
    "The mean of the points (n,d), each weighted by how likely it became x_t"

    def denoise(x, t):
        a, s = process.alpha_sigma(t, x)
        distance = (x[:, None] - a[..., None] * points).square().sum(2)
        return (-distance / (2 * s**2) + prob.log()).softmax(1) @ points

    return denoise
