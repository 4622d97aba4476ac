"""An input, a backbone, a head and a process: any can be exchanged, and what is masked stays unseen."""

import torch
from torch import nn

from ..diffusion.autoregressive import Autoregressive
from ..diffusion.base import Corrupted
from ..diffusion.masked import MaskedDiffusion
from ..networks.attention_masks import causal
from ..networks.transformer import Backbone
from .kv_cache import KVCache
from .window_cache import WindowCache

__all__ = ['SequenceModel']


class SequenceModel(nn.Module):
    "Any input, one backbone, any head, any process"

    def __init__(
        self,
        embed,  # module (x, mask or None) -> (B,L,width)
        head,  # a `Head`
        width: int,  # features per position
        depth: int,  # layers
        heads: int,  # attention heads
        is_causal: bool = False,  # predict from the left instead of from everywhere
        skip=None,  # `LogBilinear`, for a head that takes a skip connection
        dropout: float = 0.0,  # share of activations dropped in training
        process=None,  # what it learns to undo; None: masked diffusion, of a causal model next-token prediction
    ):
        super().__init__()
        self.embed, self.head = embed, head
        self.is_causal, self.skip = is_causal, skip
        offsets = (-2, -1) if is_causal else (-2, -1, 1, 2)
        self.backbone = Backbone(width, depth, heads, dropout, offsets)
        if process is None:
            process = Autoregressive() if is_causal else MaskedDiffusion()
        self.process = process
        if is_causal:
            self.bos_embed = nn.Parameter(torch.randn(width))
            self._freeze_mask()

    def _freeze_mask(self):
        "Nothing is masked from the left: several processes wait for the gradient of every parameter that learns"
        if hasattr(self.embed, 'mask_embed'):
            self.embed.mask_embed.requires_grad_(False)

    def _from_left(self, ids):
        "The backbone's output (B,L,width), each position having read those before it"
        x = self.embed(ids[:, :-1])
        start = self.bos_embed.expand(len(x), 1, -1)
        return self.backbone(torch.cat([start, x], 1), causal)

    def hidden_states(
        self,
        x,  # (B,L) long: tokens, or (B,L,M): codes, for a process that masks single codes
        mask=None,  # True where masked, (B,L) or (B,L,M) bool; a causal model does not ask
    ):
        "What the head reads (B,L,width or width+D); never depends on what is masked or, from the left, on what follows"
        if self.is_causal:
            mask = None
            h = self._from_left(x)
        else:
            h = self.backbone(self.embed(x, mask), self.process.attention_mask)
        if self.skip is None:
            return h
        return torch.cat([h, self.skip(self.embed.visible_features(x, mask))], -1)

    def cache(self, n: int, length: int):
        "A `KVCache` for `n` sequences of at most `length` tokens. Raises `ValueError` for a model that looks both ways"
        return KVCache(self, n, length)

    def window_cache(self, n: int, length: int):
        "A `WindowCache` for `n` rows that go on from different places. Raises `ValueError` likewise"
        return WindowCache(self, n, length)

    def forward(
        self,
        ids,  # (B,L) long
        mask=None,  # True where masked, from the process's `corrupt`; None for a causal model
        weight=None,  # (B,) of the summed costs, from the same
        most: int = None,  # masked positions at most, from the process's `most_masked`, for tensors of one shape
    ):
        "(B,) nats per sequence: an estimate of the process's bound, or a causal model's exact negative log-likelihood"
        options = {} if most is None else dict(most=most)
        return self.process.loss(self, ids, Corrupted(ids, mask, weight), **options)
