"""A folder of pictures as training data: cropped or padded to squares, some held out, other files named."""

import os
import warnings
from collections import Counter
from pathlib import Path

import torch
from fastai.data.core import DataLoaders
from torch.utils.data import IterableDataset, get_worker_info

from ..core.errors import CallError, DataError
from ..core.given import check_type, whole_number
from ..viz.picture_file import FITS, read_picture
from .dataloaders import rank_world, seed_of, torch_device
from .streams import StreamDL

__all__ = ['FolderPictures', 'picture_dls', 'picture_files']

ENDINGS = {'.png', '.jpg', '.jpeg', '.gif', '.bmp', '.webp', '.tif', '.tiff', '.ppm'}


def picture_files(
    folder,  # searched with the folders in it; what begins with a dot is passed over
) -> tuple:
    "`(pictures, other files)` of a folder, sorted. Raises `DataError`"
    folder = Path(check_type(folder, (str, os.PathLike), 'a folder of pictures'))
    if not folder.is_dir():
        what = 'is a file; name the folder that it is in' if folder.exists() else 'is no folder'
        raise DataError(f'{folder} {what}')
    files = sorted(f for f in folder.rglob('*') if f.is_file())
    files = [f for f in files if not any(part.startswith('.') for part in f.relative_to(folder).parts)]
    pictures = [f for f in files if f.suffix.lower() in ENDINGS]
    others = [f for f in files if f.suffix.lower() not in ENDINGS]
    if not pictures:
        raise DataError(f"{folder} holds no pictures ({', '.join(sorted(ENDINGS))}){_counted(others)}")
    return pictures, others


def _counted(files):
    "How many files of which endings: '; 3 other files (.txt, .md)'"
    if not files:
        return ''
    endings = Counter(f.suffix or 'without ending' for f in files)
    named = ', '.join(ending for ending, _ in endings.most_common(4))
    return f"; {len(files):,} other file{'s' * (len(files) > 1)} ({named})"


class FolderPictures(IterableDataset):
    "Batches `(pictures (B,3,size,size) float in [0,1], their numbers (B,) long)`; an epoch is one pass"

    def __init__(
        self,
        files: list,  # of pictures
        bs: int = 16,  # pictures in a batch, per process
        size: int = 32,  # pixels along each side
        fit: str = 'crop',  # as in `read_picture`
        seed: int = 0,  # of the order
        fixed: bool = False,  # the files in order, in every epoch
    ):
        self.files, self.bs = list(files), bs
        self.size, self.fit = size, fit
        self.seed, self.fixed = seed, fixed
        self.epoch = 0
        self.rank, self.n_ranks = rank_world()

    def __len__(self):
        rows = self.bs * self.n_ranks
        return -(-len(self.files) // rows) if self.fixed else max(1, len(self.files) // rows)

    def set_epoch(self, epoch):
        self.epoch = epoch

    def _order(self):
        n = len(self.files)
        if self.fixed:
            return torch.arange(n)
        return torch.randperm(n, generator=torch.Generator().manual_seed(seed_of('files', self.seed, self.epoch)))

    def __iter__(self):
        info = get_worker_info()
        worker, n_workers = (info.id, info.num_workers) if info else (0, 1)
        order = self._order()
        yield from (self.batch(i, order) for i in range(worker, len(self), n_workers))

    def batch(self, i, order):
        "Batch `i` of an order (N,): the rows that this process takes"
        rows = self.bs * self.n_ranks
        ids = order[i * rows : (i + 1) * rows][self.rank :: self.n_ranks]
        pictures = [read_picture(self.files[k], self.size, self.fit) for k in ids.tolist()]
        return torch.stack(pictures).float() / 255, ids


def _held_out(files, valid_frac, seed):
    "`(training, validation)` files: a share of them, drawn at random, one at least"
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(seed_of('held out', seed)))
    n_valid = max(1, round(valid_frac * len(files)))
    held = set(order[:n_valid].tolist())
    return [f for i, f in enumerate(files) if i not in held], [files[i] for i in sorted(held)]


def picture_dls(
    folder,  # of pictures, searched with the folders in it
    size: int = 32,  # pixels along each side of what a model gets
    bs: int = 16,  # pictures in a batch, per process
    valid_frac: float = 0.1,  # share that is held out
    fit: str = 'crop',  # the middle of what is not square; 'pad' with white; 'stretch'
    seed: int = 0,  # of what is held out and of the order
    workers: int = 0,  # processes that read pictures
    device: str = 'auto',  # 'auto', 'cpu', 'cuda', 'mps'
) -> DataLoaders:
    """`DataLoaders` of the pictures in a folder, for `tokenizer_learner` and `diffusion_learner`; an epoch is one pass.
    `dls.files` has the training pictures, `dls.left_out` the files that are none. Raises `DataError`"""
    size, bs = whole_number(size, 'size', 4, 4096), whole_number(bs, 'bs')
    workers = whole_number(workers, 'workers', 0)
    if fit not in FITS:
        raise CallError(f"fit is 'crop', 'pad' or 'stretch', got {fit!r}")
    if not 0 < check_type(valid_frac, float, 'a share as valid_frac') < 1:
        raise CallError(f'valid_frac must lie between 0 and 1, got {valid_frac}')
    pictures, others = picture_files(folder)
    if len(pictures) < 2:
        raise DataError(f'{folder} holds one picture; one to train on and one to validate with are the least')
    if others:
        warnings.warn(f'{folder}: {len(pictures):,} pictures{_counted(others)} left out', stacklevel=2)
    train, valid = _held_out(pictures, valid_frac, seed)
    train_ds = FolderPictures(train, min(bs, len(train)), size, fit, seed)
    valid_ds = FolderPictures(valid, bs, size, fit, fixed=True)
    loaders = [
        StreamDL(train_ds, None, num_workers=workers, n=len(train_ds)),
        StreamDL(valid_ds, None, num_workers=0, n=len(valid_ds)),
    ]
    device = torch_device(device)
    dls = DataLoaders(*loaders, device=device)
    dls.files, dls.left_out = train, others
    return dls.to(device)
