"""Scenes of the tiny world, rendered when they are asked for: a batch is a function of seed, epoch and number."""

import torch
from fastai.data.core import DataLoaders
from torch.utils.data import IterableDataset, get_worker_info

from ..core.config import RunConfig
from .dataloaders import epoch_batches, rank_world, seed_of, torch_device
from .streams import StreamDL

__all__ = ['WorldPictures', 'world_dls']

_KEPT = 2**22  # numbers of rendered pictures that a data set keeps, 16 MB


class WorldPictures(IterableDataset):
    "`n` batches of `(pictures (B,3,size,size) float, scene numbers (B,) long)` an epoch, rendered when asked for"

    def __init__(
        self,
        world,  # a `World`
        n: int,  # batches an epoch
        bs: int = 64,  # pictures in a batch, per process
        size: int = 32,  # pixels along each side
        seed: int = 0,
        fixed: bool = False,  # the same in every epoch
    ):
        self.world, self.n = world, n
        self.bs, self.size = bs, size
        self.seed, self.fixed = seed, fixed
        self.epoch, self.rendered = 0, None
        self.rank, self.n_ranks = rank_world()

    def __len__(self):
        return self.n

    def set_epoch(self, epoch):
        self.epoch = 0 if self.fixed else epoch

    def __iter__(self):
        info = get_worker_info()
        worker, n_workers = (info.id, info.num_workers) if info else (0, 1)
        yield from map(self.batch, range(worker, self.n, n_workers))

    def batch(self, i):
        "Batch `i` of this epoch: the rows that this process takes out of the batch of all processes"
        generator = torch.Generator().manual_seed(seed_of('world', self.seed, self.epoch, i))
        ids = self.world.sample(self.bs * self.n_ranks, generator)
        ids = ids[self.rank * self.bs : (self.rank + 1) * self.bs]
        return self._pictures(ids), ids

    def _pictures(self, ids):
        "(n,3,size,size) float: the scenes; those of a small world are rendered once"
        if len(self.world) * 3 * self.size**2 > _KEPT:
            return self.world.render(ids, self.size)
        if self.rendered is None:
            self.rendered = self.world.render(torch.arange(len(self.world)), self.size)
        return self.rendered[ids]


def world_dls(
    world,  # a `World`
    cfg: RunConfig,  # batch, steps, epochs, valid_sequences, seed, workers, device
    size: int = 32,  # pixels along each side
    valid_world=None,  # where validation is drawn from; None takes `world`
) -> DataLoaders:
    "`DataLoaders` of rendered scenes; the validation scenes are drawn with a seed of their own, and always the same"
    bs, device = cfg.batch, torch_device(cfg.device)
    train_ds = WorldPictures(world, epoch_batches(cfg), bs, size, cfg.seed)
    n_valid = max(1, cfg.valid_sequences // (bs * train_ds.n_ranks))
    valid_ds = WorldPictures(valid_world or world, n_valid, bs, size, seed_of('valid', cfg.seed), fixed=True)
    train_dl = StreamDL(train_ds, None, num_workers=cfg.workers, n=len(train_ds))
    dls = DataLoaders(train_dl, StreamDL(valid_ds, None, num_workers=0, n=len(valid_ds)), device=device)
    dls.world = world
    return dls.to(device)
