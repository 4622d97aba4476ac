"""The loss of masked tokens with tensors of one shape in every batch, for compiled code and a GPU that never waits."""

import torch

__all__ = ['fixed_nelbo', 'first_masked', 'most_of_times']


def most_of_times(
    n: int,  # sequences of the whole batch
    length: int,  # tokens of each
    rows=slice(None),  # of the batch, those in question
) -> int:
    "Most positions that the times of `antithetic_times` mask: each is at most the latest of its n-th part"
    latest = 1 - torch.arange(n, dtype=torch.float64) / n
    return int((latest[rows] * length).ceil().sum())


def first_masked(
    mask,  # (B,L) bool
    most: int,  # positions to be named
):
    "`(index (most,), is_masked (most,))` of the masked positions in the flattened batch; what is left over points at 0"
    flat = mask.flatten()
    slot = torch.where(flat, flat.cumsum(0) - 1, most).clamp(max=most)
    index = torch.zeros(most + 1, dtype=torch.long, device=mask.device)
    index = index.scatter(0, slot, torch.arange(len(flat), device=mask.device))[:most]
    return index, torch.arange(most, device=mask.device) < flat.sum()


def fixed_nelbo(
    head,  # a `Head`, called with hidden states (most,width) and ids (most,)
    h,  # (B,L,width) hidden states
    ids,  # (B,L) long
    mask,  # (B,L) bool
    weight,  # (B,) from `MaskedDiffusion.corrupt`
    most: int,  # masked positions at most
):
    "(B,) nats, those of `masked_nelbo`, without a shape that depends on the mask; NaN where more are masked"
    index, is_masked = first_masked(mask, most)
    nll = head(h.flatten(0, 1).index_select(0, index), ids.flatten()[index])
    nll = torch.where(is_masked, nll, 0.0)
    rows = index.div(ids.shape[1], rounding_mode='floor')
    per_row = nll.new_zeros(len(ids)).index_add(0, rows, nll)
    fits = torch.where(mask.sum() > most, torch.nan, 1.0).to(nll.dtype)
    return per_row * weight.to(nll.dtype) * fits
