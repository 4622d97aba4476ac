"""Bytes into patches and patches into bytes: two cross-attentions, and a local network that looks a little way back."""

# After the published code (Pagnoni and others, 2024, https://arxiv.org/abs/2412.09871): a patch asks its own bytes,
# with several queries that begin as their maximum; a byte asks the last patch that is complete before its successor.

import torch
from torch import nn

from .transformer import Block, attention, rotary

__all__ = ['BytesToPatches', 'CrossAttention', 'LocalLayers', 'pool_patches', 'window_mask']


def window_mask(
    length: int,  # positions
    window: int,  # how many of them each sees, its own included
    device=None,
) -> torch.Tensor:
    "(1,1,L,L) bool: causal, and no further back than the window"
    place = torch.arange(length, device=device)
    back = place[:, None] - place
    return ((back >= 0) & (back < window))[None, None]


def pool_patches(
    h,  # (B,N,width)
    ids,  # (B,N) long: patch of each position
    n: int,  # patches
) -> torch.Tensor:
    "(B,n,width): the largest value of each feature in each patch; zeros where there is none"
    index = ids[..., None].expand_as(h)
    empty = h.new_zeros(len(h), n, h.shape[-1])
    return empty.scatter_reduce(1, index, h, 'amax', include_self=False)


class CrossAttention(nn.Module):
    "What queries (B,Q,width) find among keys (B,K,width) that a mask allows"

    def __init__(
        self,
        width: int,  # features
        heads: int,  # attention heads
        depth: int = 1,  # layers of the whole; scales the start of what is added back
    ):
        super().__init__()
        if width % heads:
            raise ValueError(f'{heads} heads must share {width} features evenly')
        self.heads = heads
        self.query_norm, self.key_norm = nn.RMSNorm(width), nn.RMSNorm(width)
        self.q = nn.Linear(width, width, bias=False)
        self.kv = nn.Linear(width, 2 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)
        nn.init.normal_(self.proj.weight, std=(width * 2 * depth) ** -0.5)

    def forward(
        self,
        x,  # (B,Q,width)
        keys,  # (B,K,width)
        mask,  # (B,Q,K) bool; a query that may see nothing finds whatever is there
    ):
        "(B,Q,width), to be added to `x`"
        mask = mask | ~mask.any(-1, keepdim=True)
        q = self.q(self.query_norm(x)).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        pairs = self.kv(self.key_norm(keys)).unflatten(-1, (2, self.heads, -1))
        k, v = pairs.permute(2, 0, 3, 1, 4)
        found = attention(q, k, v, mask[:, None])
        return self.proj(found.transpose(1, 2).flatten(2))


class BytesToPatches(nn.Module):
    "(B,N,width) bytes -> (B,P,out) patches"

    def __init__(
        self,
        width: int,  # features of a byte
        out: int,  # features of a patch
        heads: int,  # attention heads
        queries: int = 2,  # of each patch
    ):
        super().__init__()
        self.queries = queries
        self.expand = nn.Linear(width, queries * width, bias=False)
        self.cross = CrossAttention(width, heads)
        self.out = nn.Linear(queries * width, out, bias=False)

    def forward(
        self,
        h,  # (B,N,width)
        ids,  # (B,N) long: patch of each position
        n: int,  # patches
    ):
        "(B,n,out); what stands for patches without bytes means nothing"
        x = self.expand(pool_patches(h, ids, n)).unflatten(-1, (self.queries, -1)).flatten(1, 2)
        numbers = torch.arange(n, device=h.device).repeat_interleave(self.queries)
        x = x + self.cross(x, h, numbers[None, :, None] == ids[:, None])
        return self.out(x.unflatten(1, (n, self.queries)).flatten(2))


class LocalLayers(nn.Module):
    "Causal blocks with a window over bytes; with `reads`, each first asks patches"

    def __init__(
        self,
        width: int,  # features of a byte
        depth: int,  # layers
        heads: int,  # attention heads
        window: int,  # bytes that a layer looks back on
        reads: bool = False,  # whether patches are asked
        offsets=(-2, -1),  # neighbors that every block mixes in
    ):
        super().__init__()
        if width % heads or width // heads % 2:
            raise ValueError(f'{heads} heads must share {width} features evenly, with an even number each')
        self.window, self.head_dim = window, width // heads
        self.blocks = nn.ModuleList(Block(width, heads, depth, offsets=offsets) for _ in range(depth))
        self.cross = nn.ModuleList(CrossAttention(width, heads, depth) for _ in range(depth * reads))

    def forward(
        self,
        x,  # (B,N,width)
        keys=None,  # (B,K,width) of patches
        mask=None,  # (B,N,K) bool: which of them each byte asks
    ):
        "(B,N,width)"
        table = window_mask(x.shape[1], self.window, x.device)
        rotation = rotary(x.shape[1], self.head_dim, x.device)
        for i, block in enumerate(self.blocks):
            if keys is not None:
                x = x + self.cross[i](x, keys, mask)
            x = block(x, rotation, table)
        return x
