"""Some positions of a backbone's output: the last block computes no others."""

import torch
import torch.nn.functional as F

from ...networks.transformer import attention, rotate

__all__ = ['backbone_rows', 'mask_rows']


def mask_rows(
    mask,  # what `attention` takes: None, 'causal', or a bool table (B,1,L,L)
    start: int,  # the first row
    stop: int,  # the row after the last
    length: int,  # positions L
    device=None,
):
    "The mask of these rows alone, for `attention` of their queries to all keys"
    if isinstance(mask, str):
        if start == 0:
            return mask
        mask = torch.ones(1, 1, length, length, dtype=torch.bool, device=device).tril()
    return None if mask is None else mask[:, :, start:stop]


def backbone_rows(
    backbone,  # a `Backbone` without local mixing, registers and time
    x,  # (B,L,width)
    mask,  # None, 'causal', or a bool table (B,1,L,L)
    row_mask,  # what `mask_rows` says of the rows
    start: int,  # the first row
    stop: int,  # the row after the last
):
    "`backbone(x, mask)[:, start:stop]`. What the last block would do with other positions is left out"
    rotation = backbone.rotation(x.shape[1], x.device)
    *blocks, last = backbone.blocks
    for block in blocks:
        x = block(x, rotation, mask)
    rows = x[:, start:stop]
    rows = rows + last.drop(_attended(last, x, rotation, row_mask, start, stop))
    rows = rows + last.drop(last.mlp(last.mlp_norm(rows)))
    return backbone.norm(rows)


def _attended(block, x, rotation, row_mask, start, stop):
    "Attention (B,rows,width) of some rows of `x` to all"
    normed, width = block.attn_norm(x), x.shape[-1]
    of_queries, of_others = block.qkv.weight.split([width, 2 * width])
    q = F.linear(normed[:, start:stop], of_queries).unflatten(-1, (block.heads, -1)).transpose(1, 2)
    keys_values = F.linear(normed, of_others).unflatten(-1, (2, block.heads, -1))
    k, v = keys_values.permute(2, 0, 3, 1, 4)
    here = [part[start:stop] for part in rotation]
    q = rotate(F.rms_norm(q, q.shape[-1:]), *here)
    k = rotate(F.rms_norm(k, k.shape[-1:]), *rotation)
    return block.proj(attention(q, k, v, row_mask).transpose(1, 2).flatten(2))
