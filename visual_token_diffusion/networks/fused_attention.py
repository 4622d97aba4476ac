"""torch's fused attention, in the precision in which it is fast."""

import torch
import torch.nn.functional as F

__all__ = ['fused_attention']


def fused_attention(q, k, v, **mask):
    "Attention of q, k, v (B,heads,L,dim); on a CPU in float32, whose backward pass is three times as fast"
    if q.is_cuda or q.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(q, k, v, **mask)
    return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), **mask).to(q.dtype)
