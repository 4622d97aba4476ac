"""torch's fused attention, and what is faster than it in bfloat16 on a CPU."""

import torch
import torch.nn.functional as F

__all__ = ['block_mask', 'fused_attention']

SHORT = 512  # positions up to which the table of all pairs is cheap


def _by_table(q, k, v, is_causal=False):
    "Attention by two products and the table of all pairs between them"
    scores = (q * q.shape[-1] ** -0.5) @ k.mT
    if is_causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, float('-inf'))
    return scores.softmax(-1, dtype=torch.float32).to(v.dtype) @ v


def fused_attention(q, k, v, **mask):
    "Attention of q, k, v (B,heads,L,dim); in bfloat16 on a CPU without the fused kernel, whose way back is slow there"
    if q.is_cuda or q.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(q, k, v, **mask)
    with torch.autocast('cpu', enabled=False):  # which would take float32 back to bfloat16
        if mask.get('attn_mask') is None and k.shape[-2] <= SHORT:
            return _by_table(q, k, v, mask.get('is_causal', False))
        return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), **mask).to(q.dtype)


def block_mask(table):
    "The table (B,1,L,L) of who sees whom as flex attention wants it"
    from torch.nn.attention.flex_attention import create_block_mask

    rows, length = table[:, 0].contiguous(), table.shape[-1]

    def allowed(b, h, q, k):
        return rows[b % len(rows), q, k]

    return create_block_mask(allowed, len(rows), None, length, length, device=str(table.device))
