"""Decoders: which token a noisy picture shows, beside the exact answer of Bayes' rule."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from ...core.errors import CombinationError
from ...decoders.classifiers import ClassifierDecoder, train_decoder
from ...encoders.base import Encoder
from ...encoders.corruptions import noise
from ...viz.grids import legend
from .base import BrokenPart, Comparison, Measure, Measurement, SkippedPart
from .encoder import encoder_of
from .pictures import seeded
from .tokens import tokens_of

__all__ = ['ColourDecoder', 'DecoderComparison', 'check_answers']


class ColourDecoder(ClassifierDecoder):
    "Control: a linear layer that sees a picture's mean colour and nothing else"

    def __init__(self, vocab_size, size):
        super().__init__(vocab_size, size)
        self.out = nn.Linear(3, vocab_size)

    def _log_probs(self, x):
        return self.out(8 * (x.mean((2, 3)) - 0.5)).log_softmax(1)


def check_answers(
    log_probs,  # (n,V)
    ids,  # (n,) long
    shape,  # (n,V) as it should be
):
    "Log-probabilities that sum to one, and ids that are the best of them. Raises `BrokenPart` in one line"
    if tuple(log_probs.shape) != shape:
        raise BrokenPart(f'log_probs should be {shape}, got {tuple(log_probs.shape)}')
    if log_probs.isnan().any():
        raise BrokenPart('log_probs hold NaN')
    total = log_probs.double().logsumexp(1).exp()
    if (total - 1).abs().max() > 1e-3:
        raise BrokenPart(f'probabilities should sum to one, got {total.min():.4g} to {total.max():.4g}')
    if tuple(ids.shape) != shape[:1] or ids.dtype != torch.long:
        raise BrokenPart(f'decode should give ids {shape[:1]} long, got {tuple(ids.shape)} {ids.dtype}')
    inside = ids.clamp(0, shape[1] - 1)
    given, best = log_probs.gather(1, inside[:, None])[:, 0], log_probs.max(1).values
    if (given - best).abs().max() > 1e-3:
        raise BrokenPart('decode does not give the best of log_probs')


class DecoderComparison(Comparison):
    "Decoders of noisy pictures of words"

    seam = 'decoder'
    about = 'Decoders of noisy pictures of the words of a text, beside the exact posterior; no word is likelier.'
    worlds = 'stories', 'text'
    baseline = 'flat'
    control = 'a linear layer on the mean colour'
    trivial = 'a guess'
    curve = 'noise', 'nats of a token'
    measures = (
        Measure('nll', 'nats of a token'),
        Measure('read', 'read', 'more'),
        Measure('clean', 'read without noise', 'more'),
    )
    settings = dict(
        ci=dict(sentences=300, steps=60),
        cpu=dict(sentences=3000, tokens=256, grid=8, steps=600, batch=128, lr=0.01, noise=0.6, encoder='semantic'),
        gpu=dict(tokens=4096, steps=6000),
    )

    def _encoder(self, world, seed, cfg):
        return encoder_of(Encoder.part(cfg.encoder), tokens_of(world, seed, cfg), seed, cfg.grid).eval()

    def _built(self, part, options, encoder, seed, cfg):
        "A trained decoder, or one that needs no training and is told the noise"
        if hasattr(part, 'untrained'):
            make = (lambda: part(encoder.vocab_size, encoder.size, **options)) if options else None
            decoder = seeded(seed, make or (lambda: part.untrained(encoder)))
            generator = torch.Generator().manual_seed(seed)
            return train_decoder(decoder, encoder, cfg.steps, noise(cfg.noise), cfg.batch, cfg.lr, generator)
        try:
            return part(encoder, **{'sigma': cfg.noise} | options)
        except TypeError:
            return part.build(encoder)
        except CombinationError as e:
            raise SkippedPart(f'{e}; here it is encoder={cfg.encoder}, another is asked for by encoder=NAME') from None

    def measure(self, part, options, world, seed, cfg):
        encoder = self._encoder(world, seed, cfg)
        try:
            decoder = self._built(part, options, encoder, seed, cfg)
        except CombinationError as e:
            raise SkippedPart(f'{e} (encoder=NAME is a setting of this comparison)') from None
        return self._measured(decoder, encoder, cfg)

    def measure_control(self, world, seed, cfg):
        encoder = self._encoder(world, seed, cfg)
        decoder = self._built(ColourDecoder, {}, encoder, seed, cfg)
        return self._measured(decoder, encoder, cfg)

    @torch.no_grad()
    def _measured(self, decoder, encoder, cfg):
        ids, generator = torch.arange(encoder.vocab_size).repeat(8), torch.Generator().manual_seed(1)
        grids = encoder(ids)
        spoiled = noise(cfg.noise)(grids, generator)
        log_probs, read = decoder.log_probs(spoiled), decoder.decode(spoiled)
        check_answers(log_probs, read, (len(ids), encoder.vocab_size))
        curve = []
        for share in (0.25, 0.5, 1, 1.5):
            other = noise(share * cfg.noise)(grids, torch.Generator().manual_seed(2))
            curve.append((share * cfg.noise, F.nll_loss(decoder.log_probs(other), ids)))
        numbers = dict(
            nll=F.nll_loss(log_probs, ids),
            read=(read == ids).double().mean(),
            clean=(decoder.decode(grids[: encoder.vocab_size]) == ids[: encoder.vocab_size]).double().mean(),
        )
        rows = dict(noisy=spoiled[:10].clamp(0, 1), read=encoder(read[:10]), truth=grids[:10])
        parameters = sum(p.numel() for p in getattr(decoder, 'parameters', list)())
        return Measurement(numbers, curve, legend(rows, cols=10), dict(parameters=f'{parameters:,}'))

    def measure_trivial(self, world, seed, cfg):
        n = len(tokens_of(world, seed, cfg).names)
        return dict(nll=math.log(n), read=1 / n, clean=1 / n)

    @torch.no_grad()
    def floors(self, world, cfg):
        "The exact posterior of the same noise; the mean over the pictures of as many seeds"
        found = []
        for seed in range(cfg.seeds):
            encoder = self._encoder(world, seed, cfg)
            ids = torch.arange(encoder.vocab_size).repeat(8)
            grids = encoder(ids)
            spoiled = noise(cfg.noise)(grids, torch.Generator().manual_seed(1)).double()
            each = grids[: encoder.vocab_size].double()
            squares = torch.cdist(spoiled.flatten(1), each.flatten(1)).square()
            log_probs = (-squares / (2 * cfg.noise**2)).log_softmax(1)
            right = (log_probs.argmax(1) == ids).double().mean()
            found.append((float(F.nll_loss(log_probs, ids)), float(right)))
        nll, read = (sum(column) / len(column) for column in zip(*found))
        return dict(nll=nll, read=read, clean=1.0)


