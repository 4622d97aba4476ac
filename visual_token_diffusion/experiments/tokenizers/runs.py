"""How the atlas trains a tokenizer of pictures: the sizes, the data, two stages, and what is read from the result."""

import copy

import torch

from ...core.config import load_settings
from ...training.learners import tokenizer_learner
from ...training.pictures import world_dls
from ...training.quiet import quietly

__all__ = ['BETA', 'SIZES', 'STD', 'exact_share', 'tokenizer_dls', 'train_tokenizer', 'two_stages']

STD = 0.12  # of the pixels of scenes
BETA = 0.25 * STD**2  # weight of a commitment loss that does not outweigh the pixels
SIZES = dict(size=24, patch=8, width=64, depth=1, mean=0.12, std=STD)


def tokenizer_dls(
    world,  # a `World` or an `EmojiWorld`
    batch: int = 32,
    steps: int = 1500,
    seed: int = 0,
    size: int = 24,  # pixels along each side
    valid: int = 1024,  # held-out pictures
):
    "`DataLoaders` of rendered pictures and their numbers, one epoch of `steps` batches"
    options = [f'batch={batch}', f'steps={steps}', f'seed={seed}', 'epochs=1', f'valid_sequences={valid}']
    return world_dls(world, load_settings(overrides=options), size=size)


def train_tokenizer(
    model,  # an `ImageTokenizer`
    world,  # where pictures come from
    steps: int = 1500,
    seed: int = 0,
    batch: int = 32,
    lr: float = 2e-3,  # highest learning rate
    quiet: bool = True,  # no table and no bar
    valid: int = 1024,  # held-out pictures
    **kwargs,  # of `tokenizer_learner`, such as `captions` and `cbs`
):
    "The `Learner` that has trained `model` for one cycle"
    dls = tokenizer_dls(world, batch, steps, seed, model.size, valid)
    learn = tokenizer_learner(dls, model, **kwargs)
    with quietly(learn, quiet):
        learn.fit_one_cycle(1, lr)
    return learn


def two_stages(
    make,  # function of a quantizer or None: an `ImageTokenizer`
    quantizer,  # function without arguments: a `Quantizer`
    world,  # where pictures come from
    seed: int = 0,
    steps=(1500, 800),  # batches of both stages
    first=None,  # a trained first stage to start from; None trains one
    second=None,  # further arguments of `train_tokenizer` in the second stage
    **kwargs,  # of `train_tokenizer`, in both
):
    "`(Learner, first stage)`: free latents first, then the quantizer in their place"
    torch.manual_seed(seed)
    if first is None:
        first = train_tokenizer(make(None), world, steps[0], seed, **kwargs).model
    model = copy.deepcopy(first)
    torch.manual_seed(seed)
    model.quantizer = quantizer()
    return train_tokenizer(model, world, steps[1], seed, 64, 1e-3, **kwargs, **(second or {})), first


def exact_share(learn):
    "Share of the held-out pictures in which the oracle finds the right scene"
    with quietly(learn):
        return float(learn.validate()[1])
