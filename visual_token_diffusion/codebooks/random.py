"""The control: every token has a tuple of its own, and it means nothing."""

import math

import torch

from .base import Codebook, fit_sizes
from .table import CodeTable, node_codes

__all__ = ['RandomCodebook', 'random_codes']


def random_codes(
    vocab_size: int,  # tokens
    n_codebooks: int = 3,  # codes per token
    sizes=None,  # entries per codebook: one number, a tuple, None for the fewest
    generator=None,  # CPU generator
) -> CodeTable:
    "A different tuple for every token, at random. Raises `ValueError`"
    sizes = fit_sizes(vocab_size, n_codebooks, sizes)
    capacity = math.prod(sizes)
    if capacity > 2**24:
        raise ValueError(f"{sizes} entries span {capacity:,} tuples; at most 16,777,216 can be listed")
    nodes = torch.randperm(capacity, generator=generator)[:vocab_size]
    return CodeTable(node_codes(nodes, sizes), sizes)


class RandomCodebook(Codebook):
    "Tuples at random, whatever the features say: the control"

    name = 'random'

    def codes(self, features, sizes, generator=None, counts=None):
        return random_codes(len(features), len(sizes), sizes, generator).codes
