"""A small flow for the vector of one place, given what the backbone says there."""

import torch
from torch import nn

from ...diffusion.base import antithetic_times
from ...diffusion.gaussian import RectifiedFlow, noise_like
from ...networks.time import TimeEmbedding

__all__ = ['FlowHead']


class FlowHead(nn.Module):
    """Draws continuous tokens (...,dim) one at a time, from noise, given a condition (...,width): a diffusion head (Li
    and others, 2024, https://arxiv.org/abs/2406.11838) with the straight path of rectified flow"""

    def __init__(
        self,
        dim: int,  # numbers of a token
        width: int,  # features of the condition
    ):
        super().__init__()
        self.process = RectifiedFlow()
        self.dim = dim
        self.token_proj = nn.Linear(dim, width)
        self.time_embed = TimeEmbedding(width)
        hidden = 2 * width
        layers = [nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()]
        self.net = nn.Sequential(*layers)
        self.out = nn.Linear(2 * width, dim)

    def forward(self, x_t, condition, t):
        "Velocities (n,dim) of noised tokens (n,dim) at times (n,), for conditions (n,width)"
        noised = self.token_proj(x_t) + self.time_embed(t.to(x_t))
        return self.out(self.net(torch.cat([noised, condition], -1)))

    def loss(
        self,
        condition,  # (B,P,width)
        x,  # (B,P,dim) clean tokens
        generator=None,  # torch generator on the CPU
    ):
        "Mean squared error of velocities, a time for each token"
        x, condition = x.flatten(0, 1), condition.flatten(0, 1)
        t = antithetic_times(len(x), generator)
        t = t[torch.randperm(len(t), generator=generator)]
        noisy = self.process.corrupt(x, t, generator=generator)
        return self.process.loss(self(noisy.x_t, condition, t), x, noisy, t).mean()

    @torch.no_grad()
    def sample(
        self,
        condition,  # (n,width)
        steps: int = 30,  # Euler steps
        generator=None,  # torch generator on the CPU
    ):
        "(n,dim) tokens"
        x = noise_like(condition.new_zeros(len(condition), self.dim), generator)
        for i in range(steps, 0, -1):
            t = torch.full((len(x),), i / steps)
            x = x - self(x, condition, t) / steps
        return x
