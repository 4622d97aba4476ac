"""What a learner of pictures refuses at once: no loader, no model of pictures, a shape that it cannot take."""

from fastai.data.core import DataLoaders
from torch import nn

from ..core.errors import CallError, CombinationError
from ..core.given import check_type, described
from ..diffusion.gaussian import GaussianDiffusion
from ..quantizers.base import Quantizer
from ..tokenizers.base import ImageTokenizer

__all__ = [
    'captions_of', 'check_denoiser', 'check_loaders', 'check_pictures', 'check_process', 'check_tokenizer',
    'picture_shape', 'square_side',
]


def check_loaders(dls):
    "Raises `CallError` for what is no `DataLoaders`"
    ways = '`picture_dls(folder)` reads a folder of pictures, `world_dls(world, cfg)` renders scenes'
    check_type(dls, DataLoaders, '`DataLoaders` of pictures', ways)


def _quantizer_advice(model):
    name = model.__name__ if isinstance(model, type) else type(model).__name__
    return f'a quantizer codes vectors; put it into a tokenizer, such as ViTTokenizer({name}(...), size=32)'


def _is(model, base):
    "Whether a model, or a class in its place, is of a kind"
    return isinstance(model, base) or isinstance(model, type) and issubclass(model, base)


def check_tokenizer(model):
    "Raises `CallError` for what is no tokenizer of pictures"
    advice = 'such as ViTTokenizer(quantizer, size=32)'
    if _is(model, Quantizer):
        advice = _quantizer_advice(model)
    check_type(model, ImageTokenizer, 'an `ImageTokenizer`', advice)


def captions_of(dls):
    "What a world says of its scenes. Raises `CallError` for loaders without a world"
    if hasattr(dls, 'world'):
        return dls.world.caption
    raise CallError('this tokenizer learns from captions; give captions=function of the second part of a batch')


def check_denoiser(model):
    "Raises `CallError` for what does not predict from noisy pictures and times"
    wanted, advice = 'a network (x_t, t) -> prediction', 'None makes a `PatchDenoiser`'
    if _is(model, ImageTokenizer):
        advice = '`tokenizer_learner` trains a tokenizer'
    if _is(model, Quantizer):
        advice = _quantizer_advice(model)
    if _is(model, (ImageTokenizer, Quantizer)):
        raise CallError(f'expected {wanted}, got {described(model)}; {advice}')
    check_type(model, nn.Module, wanted, advice)


def check_process(process):
    "Raises `CallError` for what is no process on pixels"
    check_type(process, GaussianDiffusion, 'a `GaussianDiffusion`', 'such as RectifiedFlow()')


def check_pictures(x, size):
    "Raises `ValueError` unless `x` is pictures (B,3,size,size)"
    if tuple(x.shape[1:]) != (3, size, size):
        raise ValueError(f'expected pictures (B,3,{size},{size}), got shape {tuple(x.shape)}')


def picture_shape(dls) -> tuple:
    "(channels, height, width) of the pictures that a loader gives. Raises `CallError`"
    batch = dls.train.one_batch()
    images = batch[0] if isinstance(batch, (tuple, list)) else batch
    if getattr(images, 'ndim', 0) != 4:
        raise CallError(f'expected batches of pictures (B,3,S,S), got {described(images)}')
    return tuple(images.shape[1:])


def square_side(shape) -> int:
    "The side of square pictures of three colours. Raises `CombinationError`"
    channels, height, width = shape
    if channels == 3 and height == width:
        return height
    found = f'these have {channels} channels and {width} x {height} pixels'
    ways = '`picture_dls` crops or pads them, or give a model of your own'
    raise CombinationError(f'a `PatchDenoiser` takes square pictures of three colours, {found}; {ways}')
