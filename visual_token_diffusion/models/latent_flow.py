"""Rectified flow over the latents of a continuous tokenizer: what latent diffusion does with a picture's vectors."""

import torch
from torch import nn

from ..diffusion.base import antithetic_times
from ..diffusion.gaussian import RectifiedFlow
from ..networks.transformer import Backbone
from ..samplers.ode import sample_euler

__all__ = ['LatentFlow']


class LatentFlow(nn.Module):
    """A transformer with time that says velocities of latents (B,N,D), and draws new ones (Liu and others, 2022,
    https://arxiv.org/abs/2209.03003). It sees every channel with mean zero and deviation one"""

    def __init__(
        self,
        n_places: int,  # latents of a picture
        dim: int,  # numbers of a latent
        width: int = 64,  # features of a place
        depth: int = 2,  # layers
        heads: int = 2,  # attention heads
        time_map=None,  # function of times (n,) in [0,1], 1 is noise, to others; None leaves them
    ):
        super().__init__()
        self.n_places, self.dim = n_places, dim
        self.time_map = time_map or (lambda t: t)
        self.process = RectifiedFlow()
        self.register_buffer('mean', torch.zeros(dim))
        self.register_buffer('std', torch.ones(dim))
        self.position_embed = nn.Parameter(0.02 * torch.randn(n_places, width))
        self.in_proj = nn.Linear(dim, width)
        self.backbone = Backbone(width, depth, heads, offsets=(), time=width)
        self.out_proj = nn.Linear(width, dim)
        nn.init.zeros_(self.out_proj.weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(
        self,
        x,  # (B,N,D) float: standardized latents with noise
        t,  # (B,) times in [0,1]
    ):
        "(B,N,D) float: the velocity, noise less data"
        h = self.in_proj(x) + self.position_embed
        return self.out_proj(self.backbone(h, t=t.to(x)))

    def _check(self, latents):
        "Refuse what are no latents of this model. Raises `ValueError`"
        if latents.dim() == 3 and latents.shape[1:] == (self.n_places, self.dim) and len(latents) > 1:
            return latents.detach().to(self.mean)
        raise ValueError(
            f'expected two or more rows of latents (n,{self.n_places},{self.dim}), got {tuple(latents.shape)}'
        )

    def standardize(
        self,
        latents,  # (n,N,D) float
    ):
        "Latents with the data's mean and deviation taken out, channel by channel"
        return (latents - self.mean) / self.std

    def loss(
        self,
        x,  # (B,N,D) float: standardized latents
        generator=None,  # torch generator on the CPU
    ):
        "Mean squared error of the velocity at random times, spread evenly"
        t = self.time_map(antithetic_times(len(x), generator))
        noisy = self.process.corrupt(x, t, generator=generator)
        return self.process.loss(self(noisy.x_t, t), x, noisy, t).mean()

    def fit(
        self,
        latents,  # (n,N,D) float: the data
        steps: int = 1000,  # batches
        seed: int = 0,  # of batches, noise and times
        batch: int = 64,
        lr: float = 2e-3,  # highest learning rate, on one cycle
    ):
        "Learns the distribution of `latents`; returns the model. Raises `ValueError`"
        latents = self._check(latents)
        self.mean.copy_(latents.mean((0, 1)))
        self.std.copy_(latents.std((0, 1)).clamp(min=1e-6))
        data = self.standardize(latents)
        generator = torch.Generator().manual_seed(seed)
        opt = torch.optim.AdamW(self.parameters(), lr)
        schedule = torch.optim.lr_scheduler.OneCycleLR(opt, lr, max(steps, 1))
        self.train()
        for _ in range(steps):
            rows = torch.randint(len(data), (batch,), generator=generator)
            loss = self.loss(data[rows.to(data.device)], generator)
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()
        return self.eval()

    @torch.no_grad()
    def sample(
        self,
        n: int,  # how many
        steps: int = 30,  # network calls
        seed: int = 0,
    ) -> torch.Tensor:
        "(n,N,D) float: new latents, in the units of the data"
        x = self.process.prior((n, self.n_places, self.dim), torch.Generator().manual_seed(seed))
        times = self.time_map(torch.linspace(1, 0, steps + 1, dtype=torch.double))

        def denoise(x, t):
            return self.process.to_x0(self(x, t), x, t)

        *_, last = sample_euler(denoise, self.process, x.to(self.mean), times=times)
        return last.x * self.std + self.mean
