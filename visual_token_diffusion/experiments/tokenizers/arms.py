"""The tokenizers of the atlas at equal bits and nearly equal parameters, and two controls."""

import math

import torch
from torch import nn

from ...quantizers.base import Quantized
from ...quantizers.fsq import FSQ
from ...quantizers.lfq import LFQ
from ...quantizers.multi_codebook import MultiCodebookQuantizer
from ...quantizers.shared_index import SharedIndexQuantizer
from ...quantizers.text_aligned import TextAlignedQuantizer
from ...quantizers.vq import VectorQuantizer
from ...tokenizers.base import ImageTokenizer
from ...tokenizers.vit import ViTTokenizer

__all__ = ['ARMS', 'Arm', 'PooledTeacher', 'RandomCodes', 'build_arm', 'fitted_width', 'split_bits', 'weights']

DIM = 16  # numbers of a latent


def split_bits(bits, most=2):
    "Sizes of equal codebooks: as few as possible, at least `most`, whose bits add up: 8 is (16, 16), 9 is (8, 8, 8)"
    n = next(n for n in range(most, bits + 1) if bits % n == 0)
    return (2 ** (bits // n),) * n


class RandomCodes(ViTTokenizer):
    "Control: the code of a picture is a hash of its pixels; only the decoder learns"

    name = None

    def __init__(self, bits: int, **kwargs):
        super().__init__(None, latent_dim=DIM, n_latents=1, **kwargs)
        self.bits = bits
        self.codebook_sizes = (2**bits,)
        self.table = nn.Embedding(2**bits, DIM)

    def encode(self, images):
        pixels = (images.detach() * 16).round().long().flatten(1)
        places = torch.arange(1, pixels.shape[1] + 1, device=pixels.device)
        mixed = (pixels * (places * 2654435761 % 2**31)).sum(1)
        mixed = (mixed ^ (mixed >> 17)) * 2246822519 % 2**31
        return (mixed >> 8).remainder(2**self.bits).view(-1, 1, 1)

    def decode(self, codes):
        return self.render(self.table(codes[..., 0]))

    def forward(self, images, captions=None):
        codes = self.encode(images)
        z = self.table(codes[..., 0])
        return self.render(z), Quantized(z, codes, {})


class PooledTeacher(nn.Module):
    "A teacher whose features are averaged to fewer patches"

    def __init__(self, teacher, side: int):
        super().__init__()
        self.teacher, self.side = teacher, side
        self.dim = teacher.dim

    def features(self, images):
        "(B,side*side,dim) float"
        features = self.teacher.features(images)
        side = math.isqrt(features.shape[1])
        grid = features.transpose(1, 2).unflatten(2, (side, side))
        return nn.functional.adaptive_avg_pool2d(grid, self.side).flatten(2).transpose(1, 2)

    def pooled(self, images):
        "(B,dim) float"
        return self.features(images).mean(1)


class Arm:
    "A tokenizer of the table: how to build it with so many bits"

    def __init__(
        self,
        make,  # function (quantizer or None, bits, sizes, teacher): an `ImageTokenizer`
        quantizer=None,  # function (bits, beta): a `Quantizer`; None where there are no codes
        family='vit',  # arms of one family share the first stage
    ):
        self.make, self.quantizer = make, quantizer
        self.family = family


def _vit(quantizer, bits, sizes, teacher):
    return ViTTokenizer(quantizer, n_latents=1, latent_dim=DIM, **sizes)


def _fqgan(quantizer, bits, sizes, teacher):
    "The published weights, for standardized pixels"
    weights = dict(disentangle=0.1 * sizes['std'] ** 2, semantic=0.5 * sizes['std'] ** 2)
    options = dict(n_latents=1, latent_dim=DIM, teacher=teacher)
    return ImageTokenizer.make('fqgan', quantizer, **options, **weights, **sizes)


def _unitok(quantizer, bits, sizes, teacher):
    options = dict(n_latents=1, latent_dim=DIM, contrastive=sizes['std'] ** 2)
    return ImageTokenizer.make('unitok', quantizer, **options, **sizes)


def _textok(quantizer, bits, sizes, teacher):
    return ImageTokenizer.make('textok', quantizer, n_latents=1, latent_dim=DIM, **sizes)


def _flextok(quantizer, bits, sizes, teacher):
    n_latents = len(split_bits(bits, 3))
    return ImageTokenizer.make('flextok', quantizer, n_latents=n_latents, latent_dim=DIM, **sizes)


def _grid(name):
    "The registered tokenizer `name` that codes patches: nine of one bit, or four of two or three"

    def make(quantizer, bits, sizes, teacher):
        side = _side(bits)
        sizes = sizes | dict(patch=sizes['size'] // side)
        teacher = PooledTeacher(teacher, side) if teacher else None
        options = dict(latent_dim=DIM, teacher=teacher)
        if name == 'tokenflow':
            options |= dict(sides=[side], teacher_weight=sizes['std'] ** 2)
        return ImageTokenizer.make(name, quantizer, **options, **sizes)

    return make


def _side(bits):
    "Patches along each side"
    return 3 if bits % 9 == 0 else 2


def _random(quantizer, bits, sizes, teacher):
    return RandomCodes(bits, **sizes)


def _chunks(bits, beta):
    sizes = split_bits(bits)
    return MultiCodebookQuantizer(8 * len(sizes), sizes[0], len(sizes), beta=beta)


def _shared(bits, beta):
    return SharedIndexQuantizer(8, 8, 2 ** (bits // _side(bits) ** 2), beta=beta)


def _words(bits, beta):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(2 ** (bits // _side(bits) ** 2), 32, generator=generator)
    return TextAlignedQuantizer(DIM, rows, beta=beta)


def _lookup_free(bits, beta):
    "Both published weights, for standardized pixels; a temperature that suits latents of about one"
    return LFQ(bits, beta=beta, entropy_weight=0.4 * beta)


def _plain(bits, beta):
    return VectorQuantizer(DIM, 2**bits, beta=beta)


def _ordered(bits, beta):
    return VectorQuantizer(DIM, split_bits(bits, 3)[0], beta=beta)


ARMS = {
    'vq': Arm(_vit, _plain),
    'fsq': Arm(_vit, lambda bits, beta: FSQ(split_bits(bits, 3))),
    'magvit2': Arm(_vit, _lookup_free),
    'flextok': Arm(_flextok, _ordered, 'flextok'),
    'fqgan': Arm(_fqgan, _chunks, 'fqgan'),
    'unitok': Arm(_unitok, _chunks, 'unitok'),
    'tokenflow': Arm(_grid('tokenflow'), _shared, 'tokenflow'),
    'tatok': Arm(_grid('tatok'), _words, 'tatok'),
    'textok': Arm(_textok, _plain, 'textok'),
    'random codes': Arm(_random),
    'continuous': Arm(_vit),
}


def build_arm(name, bits, sizes, beta, teacher=None, first=False):
    "The tokenizer of an arm; `first` leaves the latents free"
    arm = ARMS[name]
    quantizer = None if first or arm.quantizer is None else arm.quantizer(bits, beta)
    return arm.make(quantizer, bits, sizes, teacher)


def weights(module):
    "Number of parameters that learn, without codebooks: those grow with the bits alone"
    parts = [getattr(module, name, None) for name in ('quantizer', 'table')]
    inside = {id(p) for part in parts if part is not None for p in part.parameters()}
    return sum(p.numel() for p in module.parameters() if p.requires_grad and id(p) not in inside)


def fitted_width(name, bits, sizes, target):
    "The width, a multiple of four, with which an arm comes nearest to `target` parameters outside its codebooks"

    def distance(width):
        made = build_arm(name, bits, sizes | dict(width=width), 0.1)
        return abs(math.log(weights(made) / target))

    return min(range(24, 100, 4), key=distance)
