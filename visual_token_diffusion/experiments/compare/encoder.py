"""Encoders: which tokens are still told apart when their pictures are spoiled, and whether like tokens look alike."""

import torch

from ...codebooks.balanced_kmeans import BalancedCodebook
from ...encoders.base import Encoder, smallest_distance
from ...encoders.corruptions import CORRUPTIONS, noise
from ...metrics.similarity import similarity_correlation
from ...viz.grids import legend
from .base import BrokenPart, Comparison, Measure, Measurement
from .tokens import tokens_of

__all__ = ['EncoderComparison', 'PlainTiles', 'check_encoder', 'encoder_of']

NOISES = 0.1, 0.2, 0.4, 0.8, 1.6
SHOWN = {'clean': 'nothing', 'noise': 'noise_5', 'JPEG': 'jpeg'}


class PlainTiles(Encoder):
    "Control: a tile of one colour for each token, as far apart as an even lattice of colours allows"

    def render(self, codes):
        "Three codes are red, green and blue"
        sizes = torch.tensor(self.sizes, device=codes.device)
        colours = (codes * 255 // (sizes - 1).clamp(min=1)).float() / 255
        return colours[..., None, None].expand(*codes.shape, self.size, self.size)


@torch.no_grad()
def check_encoder(
    encoder,  # an `Encoder`
):
    "Pictures (V,3,S,S) of whole 255ths, the same twice, all different. Raises `BrokenPart` in one line"
    ids = torch.arange(encoder.vocab_size)
    grids, again = encoder(ids), encoder(ids)
    shape = encoder.vocab_size, 3, encoder.size, encoder.size
    if tuple(grids.shape) != shape:
        raise BrokenPart(f'pictures should be {shape}, got {tuple(grids.shape)}')
    if not grids.isfinite().all():
        raise BrokenPart('pictures hold NaN or infinity')
    if grids.min() < 0 or grids.max() > 1:
        raise BrokenPart(f'pictures should lie in [0,1], got {grids.min():.3g} to {grids.max():.3g}')
    if not torch.equal(grids, again):
        raise BrokenPart('two calls draw different pictures')
    if ((grids * 255) - (grids * 255).round()).abs().max() > 1e-3:
        raise BrokenPart('pictures should be whole 255ths; round them')
    different = len(grids.flatten(1).unique(dim=0))
    if different < len(grids):
        raise BrokenPart(f'{len(grids)} tokens have {different} different pictures; every token needs its own')
    return grids


def encoder_of(part, tokens, seed, size, options=None):
    "An encoder of the tokens, with codes of a balanced codebook"
    counts = tokens.ids.bincount(minlength=len(tokens.names)).float()
    sizes = part.suitable_sizes(len(tokens.names), 3, size)
    table = BalancedCodebook().assign(tokens.features, sizes, torch.Generator().manual_seed(seed), counts)
    if options:
        return part(table, size, **options)
    return part.build(table, size, tokens.features, tokens.names if part.reads_tokens else None)


def _read(grids, corrupt, generator, reps=4):
    "Share of spoiled pictures whose nearest picture is the right one"
    flat, right = grids.flatten(1), 0.0
    for _ in range(reps):
        spoiled = corrupt(grids, generator).flatten(1)
        right += float((torch.cdist(spoiled, flat).argmin(1) == torch.arange(len(grids))).double().mean())
    return right / reps


class EncoderComparison(Comparison):
    "Encoders of the words of a text"

    seam = 'encoder'
    about = 'Encoders of the words of a text: what is read from spoiled pictures, and whether like words look alike.'
    worlds = 'stories', 'text'
    baseline = 'semantic'
    control = 'a plain tile of one colour for each word'
    trivial = 'a guess'
    curve = 'noise', 'read with noise'
    measures = (
        Measure('read', 'read when spoiled', 'more'),
        Measure('worst', 'read at worst', 'more'),
        Measure('margin', 'smallest distance', 'more'),
        Measure('likeness', 'likeness follows meaning', 'more'),
    )
    settings = dict(ci=dict(sentences=300), cpu=dict(sentences=3000, tokens=256, grid=16), gpu=dict(tokens=4096))

    def measure(self, part, options, world, seed, cfg):
        tokens = tokens_of(world, seed, cfg)
        return self._measured(encoder_of(part, tokens, seed, cfg.grid, options), tokens, seed)

    def measure_control(self, world, seed, cfg):
        tokens = tokens_of(world, seed, cfg)
        return self._measured(encoder_of(PlainTiles, tokens, seed, cfg.grid), tokens, seed)

    @torch.no_grad()
    def _measured(self, encoder, tokens, seed):
        encoder.eval()
        grids, generator = check_encoder(encoder), torch.Generator().manual_seed(seed)
        read = {name: _read(grids, f, generator) for name, f in CORRUPTIONS.items() if name != 'nothing'}
        curve = [(sigma, _read(grids, noise(sigma), generator)) for sigma in NOISES]
        numbers = dict(
            read=sum(read.values()) / len(read),
            worst=min(read.values()),
            margin=smallest_distance((grids * 255).round().flatten(1).double()) / 255,
            likeness=similarity_correlation(tokens.features, grids.flatten(1) - grids.flatten(1).mean(0)),
        )
        frequent = tokens.ids.bincount(minlength=len(grids)).argsort(descending=True)[:10].tolist()
        spoiled = {name: CORRUPTIONS[how](grids[frequent], generator) for name, how in SHOWN.items()}
        shown = legend({name: row.clamp(0, 1) for name, row in spoiled.items()}, cols=10)
        return Measurement(numbers, curve, shown, dict(tokens=len(grids), pixels=f'{encoder.size}x{encoder.size}'))

    def measure_trivial(self, world, seed, cfg):
        share = 1 / len(tokens_of(world, seed, cfg).names)
        return dict(read=share, worst=share, margin=0.0)

    def floors(self, world, cfg):
        return dict(read=1.0, worst=1.0, likeness=1.0)
