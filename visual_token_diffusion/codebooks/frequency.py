"""Frequent tokens share their first code, and so do rare ones: codes know how often, not what."""

import torch

from .base import Codebook
from .table import node_codes

__all__ = ['FrequencyCodebook']


class FrequencyCodebook(Codebook):
    "Ranks by frequency, written with one digit for each codebook; needs counts"

    name = 'frequency'

    def codes(self, features, sizes, generator=None, counts=None):
        if counts is None or len(counts) != len(features):
            raise ValueError(f"codes by frequency need counts, one for each of {len(features)} tokens")
        order = counts.detach().cpu().argsort(descending=True, stable=True)
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order))
        return node_codes(rank, sizes)
