"""Tokenizers of pictures at equal bits: what comes back, what the codes say, how hard they are to model."""

import inspect
from functools import lru_cache

import torch

from ...core.errors import CombinationError
from ...quantizers.base import Quantized
from ...tokenizers.base import ImageTokenizer
from ...tokenizers.teacher import train_teacher
from ..tokenizers.arms import ARMS, DIM, PooledTeacher, RandomCodes, split_bits, weights
from ..tokenizers.table import carry_over, measure
from .base import BrokenPart, Comparison, Measure, Measurement
from .pictures import before_and_after, mean_picture_error, seeded, train_tokenizer, used_pictures
from .quantizer import check_quantizer, world_std

__all__ = ['TokenizerComparison', 'build_tokenizer', 'check_tokenizer']

SIZE, PATCH = 24, 8
GRID = 3  # patches along each side
QUANTIZERS = dict(fqgan='fqgan', unitok='unitok', flextok='flextok', tokenflow='tokenflow', tatok='tatok')
PATCHES = 'tokenflow', 'tatok', 'patch', 'rae', 'vavae'  # they code patches, not the whole picture
OWN = dict(rae={'latent_dim', 'n_latents'}, tokenflow={'n_latents'})  # arguments that a constructor sets itself


def _base_name(part):
    "The name of the registered part that a class is, or is derived from"
    return next((b.__dict__['name'] for b in part.__mro__ if b.__dict__.get('name')), None)


@lru_cache(maxsize=2)
def _teacher(world):
    "A frozen network that names the objects of scenes; None for emoji"
    with torch.random.fork_rng(devices=[]):
        return train_teacher(world, 150) if hasattr(world, 'n_objects') else None


def _quantizer(name, bits, beta):
    "As the atlas pairs it: one code for a picture, or so few bits for each of nine patches that they add up"
    if name in PATCHES and name not in QUANTIZERS:
        return ARMS['vq'].quantizer(max(1, bits // GRID**2), beta)
    return ARMS[QUANTIZERS.get(name, 'vq')].quantizer(bits, beta)


def _arguments(name, bits, std, teacher):
    "What constructors are given, where they ask for it"
    found = dict(latent_dim=DIM, heads=2, n_latents=1, teacher=teacher)
    if name in PATCHES:
        found |= dict(n_latents=0, teacher=teacher and PooledTeacher(teacher, GRID))
    if name == 'flextok':
        found |= dict(n_latents=len(split_bits(bits, 3)))
    if name == 'fqgan':
        found |= dict(disentangle=0.1 * std**2, semantic=0.5 * std**2)
    if name == 'unitok':
        found |= dict(contrastive=std**2)
    return found | (dict(sides=[GRID], teacher_weight=std**2) if name == 'tokenflow' else {})


def _asked(part):
    "`(names of the constructor's arguments, those without a default)`, also of those that are handed up"
    names, needed = set(), []
    for base in part.__mro__:
        if base is ImageTokenizer or '__init__' not in base.__dict__:
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
        names |= {p.name for p in parameters}
        if base.__init__ is part.__init__:
            needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names, needed


def build_tokenizer(part, bits, width, pixels, teacher=None, options=None, first=False):
    "A tokenizer of so many bits a picture; `first` leaves its latents free. Raises `CombinationError`"
    name, (mean, std) = _base_name(part), pixels
    names, needed = _asked(part)
    given = dict(size=SIZE, patch=PATCH, width=width, depth=1, mean=mean, std=std)
    given |= _arguments(name, bits, std, teacher)
    given['quantizer'] = None if first else _quantizer(name, bits, 0.25 * std**2)
    if name == 'fqgan':
        names |= {'semantic', 'teacher'}
    names -= OWN.get(name, set())
    missing = [n for n in needed if n not in given and n not in (options or {})]
    if missing:
        raise CombinationError(f'its constructor needs {", ".join(missing)}; say them as PART,{missing[0]}=VALUE')
    return part(**({k: v for k, v in given.items() if k in names} | (options or {})))


def _said(model, world, ids):
    return [world.caption(ids, torch.Generator().manual_seed(1))] if model.reads_captions else []


@torch.no_grad()
def check_tokenizer(model, world):
    "Codes (B,N,M) long that make the same picture again. Raises `BrokenPart` in one line"
    model.eval()
    ids = torch.arange(4)
    images = world.render(ids, model.size)
    said = _said(model, world, ids)
    codes = model.encode(images, *said)
    if codes.dim() != 3 or len(codes) != 4 or codes.dtype != torch.long:
        raise BrokenPart(f'encode should give codes (4,N,M) long, got {tuple(codes.shape)} {codes.dtype}')
    if not torch.equal(codes, model.encode(images, *said)):
        raise BrokenPart('two calls on the same pictures give different codes')
    back, (again, quantized) = model.decode(codes, *said), model(images, *said)
    for what, pictures in (('decode', back), ('forward', again)):
        if tuple(pictures.shape) != tuple(images.shape):
            raise BrokenPart(f'{what} should give pictures {tuple(images.shape)}, got {tuple(pictures.shape)}')
        if not pictures.isfinite().all():
            raise BrokenPart(f'{what} gives NaN or infinity')
    if not isinstance(quantized, Quantized):
        raise BrokenPart(f'forward should give (pictures, Quantized), got {type(quantized).__name__}')
    if not torch.allclose(back, again, rtol=1e-3, atol=1e-3):
        raise BrokenPart('decode(encode(pictures)) and forward(pictures) differ')


class TokenizerComparison(Comparison):
    "Tokenizers of pictures"

    seam = 'tokenizer'
    about = 'Tokenizers of pictures at equal bits: what comes back, what the codes say, how hard they are to model.'
    worlds = 'tw-288', 'tw-2', 'emoji'
    baseline = 'vit'
    control = 'codes that are a hash of the pixels; only the decoder learns'
    trivial = 'the mean picture'
    curve = 'step', 'squared error'
    measures = (
        Measure('error', 'squared error'),
        Measure('exact', 'exact pictures', 'more'),
        Measure('recall', 'captions found', 'more'),
        Measure('entropy', 'bits of the codes', 'more'),
        Measure('excess', 'bits lost in modelling'),
        Measure('valid', 'valid pictures written', 'more'),
    )
    settings = dict(
        ci=dict(steps=30, code_steps=5, seeds=2),
        cpu=dict(steps=600, bits=9, width=64, batch=32, lr=0.002, code_steps=100),
        gpu=dict(steps=8000, code_steps=1000),
    )

    def measure(self, part, options, world, seed, cfg):
        _, images = used_pictures(world)
        sizes = cfg.bits, cfg.width, (float(images.mean()), world_std(world)), _teacher(world), options
        model = seeded(seed, lambda: build_tokenizer(part, *sizes))
        if getattr(model, 'quantizer', None) is not None:
            check_quantizer(model.quantizer)
        check_tokenizer(model, world)
        model.train()
        if 'quantizer' in _asked(part)[0] - {*_asked(part)[1]} and not options:
            first = seeded(seed, lambda: build_tokenizer(part, *sizes, first=True))
            train_tokenizer(first, world, seed, _half(cfg))
            carry_over(first, model)
            return self._measured(model, world, seed, cfg, train_tokenizer(model, world, seed, _half(cfg)))
        return self._measured(model, world, seed, cfg, train_tokenizer(model, world, seed, cfg))

    def measure_control(self, world, seed, cfg):
        std = world_std(world)
        mean = float(used_pictures(world)[1].mean())
        sizes = dict(size=SIZE, patch=PATCH, width=cfg.width, depth=1, mean=mean, std=std)
        model = seeded(seed, lambda: RandomCodes(cfg.bits, **sizes))
        return self._measured(model, world, seed, cfg, train_tokenizer(model, world, seed, cfg))

    def _measured(self, model, world, seed, cfg, curve):
        ids, images = used_pictures(world)
        found = measure(model, world, cfg.code_steps, seed)
        with torch.no_grad():
            back = model(images[:256], *_said(model, world, ids[:256]))[0].clamp(0, 1)
        numbers = {k: found.get(k) for k in ('exact', 'recall', 'entropy', 'excess', 'valid')}
        numbers['error'] = found['error'] ** 2
        facts = dict(parameters=f'{weights(model):,}')
        return Measurement(numbers, curve, before_and_after(images[:256], back), facts)

    def measure_trivial(self, world, seed, cfg):
        found = mean_picture_error(world)
        return dict(error=found['error'], exact=found['exact'], entropy=0.0)

    def floors(self, world, cfg):
        n = len(world)
        fits = n <= 2**cfg.bits
        entropy = torch.tensor(float(n)).log2().clamp(max=cfg.bits)
        known = dict(exact=min(1.0, 2**cfg.bits / n), entropy=float(entropy), excess=0.0, valid=1.0)
        return known | (dict(error=0.0) if fits else {})


def _half(cfg):
    "The settings of one of two stages"
    return type(cfg)(**vars(cfg) | dict(steps=max(6, cfg.steps // 2)))
