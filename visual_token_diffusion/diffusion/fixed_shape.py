"""The loss of masked tokens with tensors of one shape in every batch, for compiled code and a GPU that never waits."""

import torch

__all__ = ['first_masked', 'fixed_nelbo', 'fixed_sum', 'most_of_times']


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


def fixed_sum(
    cost,  # function of the parts at some positions, (n,...) each: (n,) nats, finite at any position
    parts,  # tensors (B,L,...)
    mask,  # (B,L) bool: the positions that count
    weight,  # (B,) of the rows, or (B,L) of the positions
    most: int,  # True positions of `mask` at most
):
    "(B,) nats: weighted sums of costs, without a shape that depends on the mask; NaN where more positions count"
    index, is_masked = first_masked(mask, most)
    costs = cost(*(part.flatten(0, 1).index_select(0, index) for part in parts))
    costs = torch.where(is_masked, costs, 0.0)
    if weight.dim() == 2:
        costs = costs * weight.flatten()[index].to(costs.dtype)
    rows = index.div(mask.shape[1], rounding_mode='floor')
    per_row = costs.new_zeros(len(mask)).index_add(0, rows, costs)
    fits = torch.where(mask.sum() > most, torch.nan, 1.0).to(costs.dtype)
    return per_row * fits * (weight.to(costs.dtype) if weight.dim() == 1 else 1.0)


def fixed_nelbo(
    head,  # a `Head`, called with hidden states (most,width) and ids (most,)
    h,  # (B,L,width) hidden states
    ids,  # (B,L) long
    mask,  # (B,L) bool
    weight,  # from the process's `corrupt`: (B,) of the rows, or (B,L) of the positions
    most: int,  # masked positions at most
):
    "`fixed_sum` of what the masked tokens cost"
    return fixed_sum(head, (h, ids), mask, weight, most)
