"""What a causal model has read of rows that go on from different places, some tokens of each in a call."""

import torch
import torch.nn.functional as F

from ..networks.transformer import rotary, rotate

__all__ = ['WindowCache']


def _at(table, places):
    "What stands in `table` (B,S,D) at `places` (B,m): (B,m,D)"
    return table.gather(1, places[..., None].expand(-1, -1, table.shape[-1]))


def _write(table, places, values):
    "Put `values` (B,m,D) into `table` (B,S,D) at `places` (B,m)"
    table.scatter_(1, places[..., None].expand_as(values), values)


class WindowCache:
    "Keys, values and inputs of every layer at all positions. What is read again is written over: drafts cost nothing"

    def __init__(
        self,
        model,  # a causal `SequenceModel`
        n: int,  # rows
        length: int,  # positions, with those behind the end that a call may ask for
    ):
        if not model.is_causal:
            raise ValueError("only a causal model keeps what it has read; masked models look both ways")
        backbone, weight = model.backbone, next(model.parameters())
        heads, width = backbone.blocks[0].heads, backbone.blocks[0].heads * backbone.head_dim
        self.model, self.before = model, max(map(abs, backbone.offsets), default=0)
        self.all_places = torch.arange(length, device=weight.device)
        self.cos, self.sin = rotary(length, backbone.head_dim, weight.device)
        shape = 2, n * heads, length, backbone.head_dim
        self.keys_values = [weight.new_zeros(shape) for _ in backbone.blocks]
        self.inputs = [weight.new_zeros(n, self.before + length, width) for _ in backbone.blocks]

    def _attend(self, block, x, i, places):
        "Attention (B,m,width) of the new positions to all up to each"
        qkv = block.qkv(block.attn_norm(x)).unflatten(-1, (3, block.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        cos, sin = self.cos[places][:, None], self.sin[places][:, None]
        q, k = (rotate(F.rms_norm(part, part.shape[-1:]), cos, sin) for part in (q, k))
        by_head = places.repeat_interleave(block.heads, 0)
        for table, new in zip(self.keys_values[i], (k, v)):
            _write(table, by_head, new.flatten(0, 1))
        keys, values = self.keys_values[i].unflatten(1, (-1, block.heads))
        seen = (self.all_places <= places[..., None])[:, None]
        attended = F.scaled_dot_product_attention(q, keys, values, seen)
        return block.proj(attended.transpose(1, 2).flatten(2))

    def _block(self, block, x, i, places):
        "Layer `i` at the new positions"
        _write(self.inputs[i], places + self.before, x)
        mixed = x
        for offset, weight in zip(block.local_mixing.offsets, block.local_mixing.weight):
            mixed = mixed + weight * _at(self.inputs[i], places + self.before + offset)
        x = mixed + self._attend(block, mixed, i, places)
        return x + block.mlp(block.mlp_norm(x))

    def _skip(self, x, places):
        "What the skip connection adds (B,m,D)"
        skip, total = self.model.skip, 0.0
        for layer, offset in zip(skip.maps, skip.offsets):
            there = places + offset
            ids = x.gather(1, there.clamp(0, x.shape[1] - 1))
            features = self.model.embed.features[ids].masked_fill((there < 0)[..., None], 0)
            total = total + layer(features)
        return total * skip.scale

    @torch.no_grad()
    def states(
        self,
        x,  # (B,L) long
        first,  # (B,) long: where each row goes on; what stands before has been read
        m: int,  # positions of each
    ):
        "What the head reads (B,m,width or width+D) for `m` positions from `first`; of those behind the row, anything"
        model = self.model
        places = first[:, None] + torch.arange(m, device=first.device)
        before = (places - 1).clamp(0, x.shape[1] - 1)
        h = torch.where((places == 0)[..., None], model.bos_embed, model.embed(x.gather(1, before)))
        for i, block in enumerate(model.backbone.blocks):
            h = self._block(block, h, i, places)
        h = model.backbone.norm(h)
        return h if model.skip is None else torch.cat([h, self._skip(x, places)], -1)
