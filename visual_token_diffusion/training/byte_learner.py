"""Rows of bytes, cut into patches beforehand, and a Learner for every model that reads them."""

import math

import torch
from fastai.callback.core import Callback
from fastai.callback.schedule import ParamScheduler, combined_cos
from fastai.data.core import DataLoaders
from fastai.learner import AvgMetric
from torch.utils.data import IterableDataset

from ..core.config import RunConfig
from ..text.patches import cut_text
from .callbacks import TerminateOnNaNCB
from .dataloaders import epoch_batches, seed_of, torch_device
from .language_model import lm_optimizer
from .learners import EpochSeedCB
from .resume import ResumableLearner
from .streams import StreamDL

__all__ = ['ByteLearner', 'ByteRows', 'StartsCB', 'byte_dls', 'byte_learner']


class ByteRows(IterableDataset):
    "Batches `(tokens, starts)` of rows in an order that is a function of seed and epoch; all rows before any again"

    def __init__(
        self,
        tokens,  # (n,1+N) long
        starts=None,  # (n,1+N) bool: where patches start; None for a model that does not ask
        batches: int = None,  # of an epoch; None takes all rows once, in order
        bs: int = 32,  # rows in a batch
        seed: int = 0,  # of the order
    ):
        starts = torch.ones_like(tokens, dtype=torch.bool) if starts is None else starts
        if starts.shape != tokens.shape:
            raise ValueError(f'starts {tuple(starts.shape)} do not fit tokens {tuple(tokens.shape)}')
        self.tokens, self.starts = tokens, starts
        self.batches, self.bs = batches, bs
        self.seed, self.epoch = seed, 0

    def __len__(self):
        return self.batches or math.ceil(len(self.tokens) / self.bs)

    def set_epoch(self, epoch):
        self.epoch = epoch

    def order(self, n):
        "Numbers of the first `n` rows of this epoch: one shuffled round after another"
        generator = torch.Generator().manual_seed(seed_of('rows', self.seed, self.epoch))
        rounds = math.ceil(n / len(self.tokens))
        return torch.cat([torch.randperm(len(self.tokens), generator=generator) for _ in range(rounds)])[:n]

    def __iter__(self):
        rows = torch.arange(len(self.tokens)) if self.batches is None else self.order(self.batches * self.bs)
        for some in rows.split(self.bs):
            yield self.tokens[some], self.starts[some]


def byte_dls(
    train,  # (tokens, starts) of `ByteRows`, starts perhaps None
    valid,  # likewise, held out
    cfg: RunConfig,  # batch, steps, epochs, seed, device
) -> DataLoaders:
    "`DataLoaders` of rows and where their patches start. Raises `ValueError`"
    train_ds = ByteRows(*train, epoch_batches(cfg), cfg.batch, cfg.seed)
    valid_ds = ByteRows(*valid, None, 4 * cfg.batch)
    loaders = [StreamDL(ds, None, num_workers=0, n=len(ds)) for ds in (train_ds, valid_ds)]
    return DataLoaders(*loaders, device=torch_device(cfg.device)).to(torch_device(cfg.device))


class StartsCB(Callback):
    "Gives the model the starts beside the tokens; the target is the tokens"

    order = 1

    def before_batch(self):
        self.learn.xb, self.learn.yb = (self.xb[0], self.yb[0]), (self.xb[0],)


class ByteLearner(ResumableLearner):
    "Shows rows cut into patches"

    def show_batch(self, dl=None, b=None, max_n=4, **kwargs):
        "Print rows of the training data with a bar where a patch starts"
        tokens, starts = b or (dl or self.dls.train).one_batch()
        for row, start in zip(tokens[:max_n].cpu(), starts[:max_n].cpu()):
            print(cut_text(row, start).replace('\n', '⏎'))


def byte_learner(
    dls,  # from `byte_dls`
    model,  # a `BLT` or a `ByteModel`
    cfg: RunConfig,  # lr, weight_decay
    n_bytes: int,  # in a row, by which the loss is divided
    cbs=None,
    **kwargs,  # of `Learner`
) -> ByteLearner:
    "A `Learner` for a model of bytes: AdamW, a warm-up, then a cosine to zero; loss in nats per byte, and bits"

    def loss(nats, *_):
        return nats.mean() / n_bytes

    def bits_per_byte(nats, *_):
        return nats.mean() / (n_bytes * math.log(2))

    schedule = ParamScheduler({'lr': combined_cos(0.1, cfg.lr / 25, cfg.lr, cfg.lr / 1000)})
    own = [EpochSeedCB(), StartsCB(), TerminateOnNaNCB(), schedule]
    return ByteLearner(
        dls, model.to(dls.device), loss_func=loss, opt_func=lm_optimizer(dls.device), lr=cfg.lr, wd=cfg.weight_decay,
        cbs=own + list(cbs or []), metrics=[AvgMetric(bits_per_byte)], **kwargs)
