"""Grids in blocks: noise leaves one block while those before it are clean, so that one pass trains every block."""

import torch
from fastcore.basics import patch

from ..core.sampling import sample_logits
from .grid_denoiser import GridDenoiser, noise_level

__all__ = ['BlockGridDenoiser', 'block_table']


def block_table(
    length: int,  # grids in a row
    block: int,  # grids that are denoised together
) -> torch.Tensor:
    """(1,1,2L,2L) bool: who sees whom where the clean row stands before the noisy one. Clean grids see their own block
    and those before, noisy ones their own block and the clean blocks before it (BD3-LM: Arriola and others, 2025,
    https://arxiv.org/abs/2503.09573). Raises `ValueError` for blocks that do not divide the row"""
    if block < 1 or length % block:
        raise ValueError(f'blocks should divide a row of {length} grids, got {block}')
    number = torch.arange(length) // block
    before, own = number[:, None] > number, number[:, None] == number
    of_clean = torch.cat([before | own, torch.zeros_like(own)], 1)
    return torch.cat([of_clean, torch.cat([before, own], 1)])[None, None]


class BlockGridDenoiser(GridDenoiser):
    "A `GridDenoiser` whose noisy grids see their block and the clean tokens before it. The same parameters"

    def __init__(
        self,
        space,  # a `GridSpace`
        process,  # a `GaussianDiffusion`
        counts,  # (V,) how often each token occurs in the training text
        length: int,  # grids in a row
        block: int,  # grids that are denoised together; 1 is autoregressive, `length` one common time
        **options,  # of `GridDenoiser`
    ):
        super().__init__(space, process, counts, **options)
        self.length, self.block = length, block
        self.register_buffer('table', block_table(length, block), persistent=False)

    def log_probs(self, ids, z, t):
        "(B,L,V) log-probabilities from noisy grids z (B,L,3,size,size) at times t (B,blocks), clean `ids` before them"
        t = t.repeat_interleave(self.block, 1)
        alpha, sigma = self.process.alpha_sigma(t, z)
        likelihood = self.space.log_likelihood(z, alpha, sigma)
        noisy = self._embed(z, alpha, sigma, likelihood)
        level = noise_level(alpha, sigma).to(noisy)
        clean = noise_level(torch.ones_like(alpha), torch.zeros_like(sigma)).to(noisy)
        x = torch.cat([self.token_embed[ids], noisy], 1)
        h = self.backbone(x, self.table, t=torch.cat([clean, level], 1))[:, self.length :]
        log_probs = self.head.log_probs(h.flatten(0, 1)).view(*h.shape[:2], -1)
        return (log_probs + likelihood).log_softmax(-1)

    def block_times(self, t, generator=None):
        "(B,blocks) times of the blocks, each uniform, spread evenly over the row from the times t (B,)"
        n = self.length // self.block
        order = torch.rand(len(t), n, generator=generator).argsort(1)
        return ((t[:, None].cpu() + order / n) % 1).clamp(1e-4, 1 - 1e-4).to(t)

    def loss(self, ids, t, generator=None, cond=None):
        "(B,) training loss, nats per token: cross-entropy, every block at a time of its own"
        t = self.block_times(t, generator)
        x = self.space(ids)
        z = self.process.corrupt(x, t.repeat_interleave(self.block, 1), generator=generator).x_t
        return -self.log_probs(ids, z, t).gather(2, ids[..., None])[..., 0].mean(1)


@patch
@torch.no_grad()
def write(
    self: BlockGridDenoiser,
    n: int,  # rows
    times,  # (T+1,) falling times of the model's process, for every block
    generator=None,  # torch generator on the CPU
):
    "(n,L) long: rows from noise, block by block, words drawn in every step; T (L/block) network calls"
    ids = torch.zeros(n, self.length, dtype=torch.long)
    shape = n, self.length, *self.space.mean.shape
    for k in range(self.length // self.block):
        z = torch.randn(shape, generator=generator)
        for t, s in zip(times[:-1], times[1:]):
            log_probs = self.log_probs(ids, z, t.expand(n, self.length // self.block))
            drawn = sample_logits(log_probs.flatten(0, 1), generator=generator).view(n, -1)
            mean, deviation = self.process.posterior(z, self.space(drawn), s, t)
            z = mean + deviation * torch.randn(shape, generator=generator)
        own = slice(k * self.block, (k + 1) * self.block)
        ids[:, own] = drawn[:, own]
    return ids
