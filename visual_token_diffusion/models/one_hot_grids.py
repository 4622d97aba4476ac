"""A one-hot vector is a grid with one lit pixel: what is made for grids works for one-hots, with the same distances."""

import math

import torch
from torch import nn

from ..codebooks.table import CodeTable

__all__ = ['OneHotGrids']


class OneHotGrids(nn.Module):
    "Token v as a grid (3,size,size) of zeros whose v-th value is one; stands where an `Encoder` does in a `GridSpace`"

    def __init__(
        self,
        vocab_size: int,
    ):
        "Raises `ValueError` for fewer than two tokens"
        super().__init__()
        if vocab_size < 2:
            raise ValueError(f'one-hot grids need two tokens or more, got {vocab_size}')
        self.vocab_size = vocab_size
        self.size = math.isqrt((vocab_size + 2) // 3 - 1) + 1
        self.register_buffer('codes', torch.arange(vocab_size)[:, None])

    @property
    def table(self):
        "One codebook with an entry for every token"
        return CodeTable(self.codes, (self.vocab_size,))

    def forward(
        self,
        ids,  # (...) long
    ):
        "(...,3,size,size) float"
        values = 3 * self.size**2
        return torch.nn.functional.one_hot(ids, values).float().unflatten(-1, (3, self.size, self.size))
