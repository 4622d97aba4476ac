"""Batch i depends on the seed and on i, and on nothing else."""

import itertools

import torch
from torch.utils.data import IterableDataset, get_worker_info

__all__ = ['Stream']


class Stream(IterableDataset):
    "Endless batches for `DataLoader(stream, batch_size=None)`; batch i depends on `seed` and i alone"

    def __init__(
        self,
        make,  # function of a torch generator that returns a batch
        seed: int = 0,
        start: int = 0,  # number of the first batch
    ):
        self.make = make
        self.seed, self.start = seed, start

    def batch(self, i):
        "Batch `i`; torch reads 32 bits of a seed"
        return self.make(torch.Generator().manual_seed((self.seed * 2654435761 + i) % 2**32))

    def __iter__(self):
        info = get_worker_info()
        first, step = (info.id, info.num_workers) if info else (0, 1)
        yield from map(self.batch, itertools.count(self.start + first, step))
