"""Embeddings of byte n-grams without a list of them: a hash says which row each takes."""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ['HashedNGrams', 'PRIMES', 'hash_ngrams']

# the multipliers of BLT's code
PRIMES = (
    1000000007, 5915587277, 1500450271, 3267000013, 5754853343, 4093082899, 9576890767, 3628273133, 2860486313,
    5463458053, 3367900313,
)


def _powers(prime, n):
    "1, p, p**2 ... as 64-bit integers that wrap around"
    found = [pow(prime, i, 2**64) for i in range(n)]
    return torch.tensor([p - 2**64 if p >= 2**63 else p for p in found])


def hash_ngrams(
    tokens,  # (B,N) long
    n: int,  # tokens in a group
    prime: int,  # multiplier
    rows: int,  # of the table
) -> torch.Tensor:
    """(B,N) long in 0..rows-1: rolling polynomial hash of each token and the n-1 before it, zeros before the first
    (Pagnoni and others, 2024, https://arxiv.org/abs/2412.09871)"""
    windows = F.pad(tokens, (n - 1, 0)).unfold(1, n, 1)
    return (windows * _powers(prime, n).to(tokens.device)).sum(-1) % rows


class HashedNGrams(nn.Module):
    "The sum of the rows of a token's n-grams, one for each size and hash function"

    def __init__(
        self,
        width: int,  # features of a position
        sizes=(3, 4, 5, 6, 7, 8),  # tokens in a group
        functions: int = 3,  # hash functions
        rows: int = 30_000,  # for each size and function
    ):
        super().__init__()
        if not 1 <= functions <= len(PRIMES):
            raise ValueError(f'there are 1 to {len(PRIMES)} hash functions, got {functions}')
        if not sizes or min(sizes) < 1 or rows < 1:
            raise ValueError(f'sizes and rows are at least 1, got {tuple(sizes)} and {rows}')
        self.sizes, self.functions = tuple(sizes), functions
        self.rows = rows
        self.table = nn.Embedding(functions * len(self.sizes) * rows, width)
        nn.init.trunc_normal_(self.table.weight, std=width**-0.5, a=-3 * width**-0.5, b=3 * width**-0.5)

    def ids(
        self,
        tokens,  # (B,N) long
    ):
        "(B,N,functions*sizes) long: rows of the one table that holds all"
        pairs = [(prime, n) for prime in PRIMES[: self.functions] for n in self.sizes]
        hashed = [hash_ngrams(tokens, n, prime, self.rows) + i * self.rows for i, (prime, n) in enumerate(pairs)]
        return torch.stack(hashed, -1)

    def forward(self, tokens):
        "(B,N,width)"
        ids = self.ids(tokens)
        return F.embedding_bag(ids.flatten(0, 1), self.table.weight, mode='sum').unflatten(0, tokens.shape)
