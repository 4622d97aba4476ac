"""Cross-entropy over a large vocabulary without a table of all logits: in chunks of rows, computed again backwards."""

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

__all__ = ['chunked_nll']


def _nll(logits, h, ids):
    return F.cross_entropy(logits(h), ids, reduction='none')


def chunked_nll(
    logits,  # function of hidden states (N,width): logits (N,V)
    h,  # (N,width)
    ids,  # (N,) long
    vocab_size: int,
    most: int = 2**25,  # logits that may be in memory at once
):
    "(N,) nats, exactly those of one table; memory for `most` logits, a third more computation where it is needed"
    rows = max(1, most // vocab_size)
    if len(h) <= rows:
        return _nll(logits, h, ids)
    if not torch.is_grad_enabled():
        return torch.cat([_nll(logits, *part) for part in zip(h.split(rows), ids.split(rows))])
    parts = zip(h.split(rows), ids.split(rows))
    return torch.cat([checkpoint(_nll, logits, *part, use_reentrant=False) for part in parts])
