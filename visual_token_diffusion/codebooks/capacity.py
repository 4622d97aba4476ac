"""Entries have a capacity, and every token gets the best one that still has room."""

import torch

__all__ = ['assign_with_capacity']


def assign_with_capacity(
    score,  # (n,K) how much each token wants each entry
    capacity,  # (K,) long: how many each entry takes; at least n in all
):
    "(n,) entries: tokens ask for the best one with room, it keeps the best, the others ask again"
    entries = torch.full((len(score),), -1, device=score.device)
    capacity, score = capacity.clone(), score.clone()
    while len(left := (entries < 0).nonzero().flatten()):
        score[:, capacity <= 0] = -torch.inf
        best, entry = score[left].max(1)
        order = best.argsort(descending=True, stable=True)
        order = order[entry[order].argsort(stable=True)]  # by entry, the best first
        left, entry = left[order], entry[order]
        queue = torch.arange(len(entry), device=entry.device) - torch.searchsorted(entry, entry)
        taken = queue < capacity[entry]
        entries[left[taken]] = entry[taken]
        capacity -= torch.bincount(entry[taken], minlength=len(capacity))
    return entries
