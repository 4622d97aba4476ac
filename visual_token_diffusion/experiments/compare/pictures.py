"""What comparisons of pictures share: which pictures are measured, how a tokenizer is trained, what is shown."""

from functools import lru_cache

import torch
from fastai.callback.core import Callback

from ...core.config import load_settings
from ...training.learners import tokenizer_learner
from ...training.pictures import world_dls
from ...training.quiet import quietly
from ...viz.grids import legend

__all__ = [
    'before_and_after', 'mean_picture_error', 'seeded', 'squared_error', 'train_tokenizer', 'used_pictures',
]

SIZE, EPOCHS = 24, 6
MOST = 1024  # pictures that are measured


def seeded(seed, make):
    "What `make` builds, with the global generator at `seed` before it and after it"
    torch.manual_seed(seed)
    made = make()
    torch.manual_seed(seed)
    return made


@lru_cache(maxsize=2)
def used_pictures(world, size=SIZE):
    "`(numbers (n,), pictures (n,3,size,size))`: all pictures of a world, or 1,024 of a larger one"
    ids = torch.randperm(len(world), generator=torch.Generator().manual_seed(0))[:MOST].sort().values
    return ids, world.render(ids, size)


@torch.no_grad()
def squared_error(model, images, captions=None):
    "Mean over pixels, in parts"
    was = model.training
    model.eval()
    parts = []
    for part, *said in _batches(images, captions):
        back = model(part, *said)[0].clamp(0, 1)
        parts.append((back - part).square().mean((1, 2, 3)))
    model.train(was)
    return float(torch.cat(parts).mean())


def _batches(images, captions):
    "Parts of 256 pictures, with their captions where there are some"
    for i in range(0, len(images), 256):
        yield images[i : i + 256], *([captions[i : i + 256]] if captions else [])


class _Curve(Callback):
    "The squared error after each epoch"

    def __init__(self, images, captions=None):
        self.images, self.captions = images, captions
        self.points = []

    def after_epoch(self):
        self.points.append((self.learn.train_iter, squared_error(self.learn.model, self.images, self.captions)))


def train_tokenizer(model, world, seed, cfg):
    "Train in place for `cfg.steps` batches; the curve of the squared error on the pictures that are measured"
    overrides = [f'steps={cfg.steps}', f'epochs={EPOCHS}', f'batch={cfg.batch}', f'seed={seed}', 'device=cpu']
    settings = load_settings('cpu', [*overrides, f'valid_sequences={cfg.batch}'])
    dls = world_dls(world, settings, size=model.size)
    ids, images = used_pictures(world)
    captions = world.caption(ids, torch.Generator().manual_seed(1)) if model.reads_captions else None
    points = _Curve(images, captions)
    learn = tokenizer_learner(dls, model, metrics=[], cbs=[points])
    torch.manual_seed(seed)
    with quietly(learn):
        learn.fit_one_cycle(EPOCHS, cfg.lr)
    model.eval()
    return points.points


def mean_picture_error(world):
    "What the mean picture costs"
    ids, images = used_pictures(world)
    mean = images.mean(0, keepdim=True)
    exact = world.parse(mean.expand_as(images[:1])).ids == ids[:1]
    share = float(exact.double().mean()) / len(ids)
    return dict(error=(images - mean).square().mean(), exact=share, kept=0.0)


def before_and_after(images, back, n=8):
    "Pictures, and what came back"
    where = torch.linspace(0, len(images) - 1, n).long()
    return legend(dict(given=images[where], back=back[where]))
