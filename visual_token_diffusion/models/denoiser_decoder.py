"""One network removes noise from vectors and reads the tokens at the end: a flag tells it which of the two to do."""

import torch
from fastcore.basics import patch
from torch import nn
from torch.nn import functional as F

from ..diffusion.gaussian import GaussianDiffusion, noise_like
from ..diffusion.gaussian_schedules import NoiseSchedule
from ..networks.heads.base import Head
from .grid_denoiser import GridDenoiser, noise_level

__all__ = ['DenoiserDecoder', 'ScaledPath']


class ScaledPath(NoiseSchedule):
    "The straight path to noise of any size: alpha = 1-t, sigma = scale t"

    def __init__(
        self,
        scale: float = 2.0,  # standard deviation of the noise at t=1
    ):
        if not scale > 0:
            raise ValueError(f'the noise should have a standard deviation above 0, got {scale}')
        self.scale = scale

    def alpha(self, t):
        return 1 - t

    def sigma(self, t):
        return self.scale * t

    def alpha_sigma(self, t):
        return self.alpha(t), self.sigma(t)


def _check_settings(share, floor, scales):
    "Refuse what makes no loss. Raises `ValueError`"
    if not 0 <= share <= 1:
        raise ValueError(f'the share of decoder steps should lie in [0,1], got {share}')
    if not 0 < floor <= 1:
        raise ValueError(f'the floor under the time should lie in (0,1], got {floor}')
    if not min(scales) > 0:
        raise ValueError(f'noise and spreads should be above 0, got {min(scales)}')


class DenoiserDecoder(GridDenoiser):
    """ELF's two losses on one set of weights (Hu and others, 2026, https://arxiv.org/abs/2605.10938), for grids of a
    `GridSpace`: the squared error of a predicted grid, over the squared remaining time, and for a share of the steps,
    with a flag, the cross-entropy of the tokens from a grid with a little noise. The defaults are those of the
    released training for web text. Left out: embeddings of a frozen encoder, guidance, self-conditioning"""

    def __init__(
        self,
        space,  # a `GridSpace`
        counts,  # (V,) how often each token occurs in the training text
        decoder_share: float = 0.2,  # of the steps that train the decoder
        noise_scale: float = 2.0,  # of the denoiser
        time_mean: float = -1.5,  # of the logit of the time, which is 1 for data, in the denoiser's steps
        time_std: float = 0.8,
        time_floor: float = 0.05,  # least remaining time in the weight of the squared error
        decoder_noise_scale: float = 5.0,
        decoder_time_mean: float = 0.8,
        decoder_time_std: float = 0.8,
        **options,  # `width`, `depth`, `heads` of `GridDenoiser`
    ):
        _check_settings(decoder_share, time_floor, (time_std, decoder_noise_scale, decoder_time_std))
        process = GaussianDiffusion(ScaledPath(noise_scale), 'x0')
        super().__init__(space, process, counts, inputs='pixels', outputs='pixels', **options)
        width = self.pixel_out.in_features
        self.head = Head.part('flat').build(table=space.encoder.table, width=width, counts=counts)
        self.flag = nn.Parameter(0.02 * torch.randn(width))
        self.decoder_share, self.time_floor = decoder_share, time_floor
        self.times, self.decoder_times = (time_mean, time_std), (decoder_time_mean, decoder_time_std)
        self.decoder_noise_scale = decoder_noise_scale

    def decode_probs(self, z, alpha, sigma):
        "(B,L,V) log-probabilities of the tokens from grids with noise, by the network with its flag"
        scale = alpha + sigma / self.decoder_noise_scale
        h = self.pixel_proj((z / scale).flatten(2)) + self.flag
        h = self.backbone(h, t=torch.full((len(z),), -1.0))
        return self.head.log_probs(h.flatten(0, 1)).view(*h.shape[:2], -1)

    def forward(self, z, t, pred=None, cond=None):
        "(B,L,3,size,size) the data as predicted"
        alpha, sigma = self.process.alpha_sigma(t, z)
        h = self.backbone(self._embed(z, alpha, sigma, None), t=noise_level(alpha, sigma).to(z), cond=cond)
        return self.pixel_out(h).view_as(z)

    def predict(self, z, t, pred=None, cond=None):
        "The data (B,L,3,size,size) as predicted, and the log-probabilities of tokens (B,L,V), of the decoder"
        return self(z, t), self.decode_probs(z, *self.process.alpha_sigma(t, z))


def _logit_normal(shape, mean_std, generator):
    "Times in (0,1) whose logit is normal"
    mean, std = mean_std
    return torch.sigmoid(mean + std * torch.randn(shape, generator=generator))


@patch
def denoiser_loss(self: DenoiserDecoder, ids, generator=None):
    "(B,) squared error of the predicted velocity"
    x = self.space(ids)
    t = 1 - _logit_normal((len(ids),), self.times, generator)
    z = self.process.corrupt(x, t, generator=generator).x_t
    error = (self(z, t) - x).square().flatten(1).mean(1)
    return error / t.clamp(min=self.time_floor) ** 2


@patch
def decoder_loss(self: DenoiserDecoder, ids, generator=None):
    "(B,) cross-entropy per token, nats, every grid with noise of its own"
    x = self.space(ids)
    kept = _logit_normal(ids.shape, self.decoder_times, generator)[..., None, None, None]
    sigma = (1 - kept) * self.decoder_noise_scale
    z = kept * x + sigma * noise_like(x, generator)
    log_probs = self.decode_probs(z, kept, sigma)
    return F.nll_loss(log_probs.flatten(0, 1), ids.flatten(), reduction='none').view(ids.shape).mean(1)


@patch
def loss(self: DenoiserDecoder, ids, t=None, generator=None, cond=None):
    "(B,) one of the two losses, drawn for the batch; the times are the model's own"
    decodes = torch.rand((), generator=generator) < self.decoder_share
    return self.decoder_loss(ids, generator) if decodes else self.denoiser_loss(ids, generator)
