"""Quantizers: the same patch tokenizer, steps and pictures around each; what comes back, and what its codes carry."""

import inspect
import math

import torch

from ...core.errors import CombinationError
from ...metrics.codes import code_entropy
from ...quantizers.base import Quantized, Quantizer
from ...quantizers.vq import VectorQuantizer
from ...tokenizers.patch import PatchTokenizer, to_patches
from ..tokenizers.arms import split_bits
from .base import BrokenPart, Comparison, Measure, Measurement
from .pictures import before_and_after, mean_picture_error, seeded, train_tokenizer, used_pictures

__all__ = [
    'QuantizerComparison', 'UntrainedCodes', 'build_quantizer', 'check_quantizer', 'needed_arguments', 'world_std',
]

DIM = 16  # of a vector
SIZE, PATCH = 24, 8


def _words(bits):
    return torch.randn(2**bits, 32, generator=torch.Generator().manual_seed(0))


def _chunks(bits, beta):
    sizes = split_bits(bits)
    return dict(dim=DIM, codebook_size=sizes[0], n_codebooks=len(sizes), beta=beta)


RECIPES = dict(
    vq=lambda bits, beta: dict(dim=DIM, codebook_size=2**bits, beta=beta),
    fsq=lambda bits, beta: dict(levels=split_bits(bits, 3)),
    lfq=lambda bits, beta: dict(bits=bits, beta=beta, entropy_weight=0.4 * beta),
    multi_codebook=_chunks,
    shared_index=lambda bits, beta: dict(
        semantic_dim=DIM // 2, pixel_dim=DIM // 2, codebook_size=2**bits, beta=beta
    ),
    text_aligned=lambda bits, beta: dict(dim=DIM, embeddings=_words(bits), beta=beta),
    factorized=lambda bits, beta: dict(
        dim=DIM, factors=[VectorQuantizer(DIM // 2, size, beta=beta) for size in split_bits(bits)]
    ),
)


def _recipe(part):
    "The recipe of a registered part, or of the one that a class has its constructor from"
    for base in part.__mro__:
        name = base.__dict__.get('name')
        if name in RECIPES or name == 'residual':
            return name if base.__init__ is part.__init__ else None


def _nearest_dim(part, bits, options):
    "The part with the `dim` from 1 to 16 whose bits are nearest to `bits`"
    best = None
    for dim in range(1, 17):
        made = part(dim, **options)
        gap = abs(made.bits - bits)
        if best is None or gap < best[0]:
            best = gap, made
    return best[1]


def needed_arguments(part):
    "Names of the constructor's arguments that have no default"
    found = list(inspect.signature(part.__init__).parameters.values())[1:]
    named = [p for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [p.name for p in named if p.default is p.empty]


def build_quantizer(
    part,  # a class
    bits: int,  # of a code, or of all codes of a patch together
    beta: float,  # weight of a commitment loss
    options=None,  # further arguments of the constructor, which win
):
    "A quantizer of so many bits, or as near as it comes. Raises `CombinationError` for one that needs more"
    recipe, options = _recipe(part), options or {}
    if recipe == 'residual':
        return part(*(VectorQuantizer(DIM, size, beta=beta) for size in split_bits(bits)))
    if recipe:
        return part(**RECIPES[recipe](bits, beta) | options)
    needed = needed_arguments(part)
    known = dict(dim=DIM, codebook_size=2**bits, bits=bits, levels=split_bits(bits, 3))
    given = {name: known[name] for name in needed if name in known} | options
    missing = [name for name in needed if name not in given]
    if missing:
        raise CombinationError(f'its constructor needs {", ".join(missing)}; say them as PART,{missing[0]}=VALUE')
    if needed == ['dim'] and 'dim' not in options:
        return _nearest_dim(part, bits, options)
    return part(**given)


def _told(condition, said):
    if not condition:
        raise BrokenPart(said)


@torch.no_grad()
def check_quantizer(
    quantizer,  # a `Quantizer`
):
    "What every quantizer promises, asked on random vectors. Raises `BrokenPart` in one line"
    quantizer.eval()
    z = torch.randn(2, 5, quantizer.dim, generator=torch.Generator().manual_seed(0))
    out, again = quantizer(z), quantizer(z)
    _told(isinstance(out, Quantized), f'forward should return Quantized, got {type(out).__name__}')
    width = getattr(quantizer, 'out_dim', quantizer.dim)
    _told(out.z.shape == (2, 5, width), f'forward(z).z should be (2, 5, {width}), got {tuple(out.z.shape)}')
    _told(out.z.isfinite().all(), 'forward(z).z holds NaN or infinity')
    sizes = torch.tensor(quantizer.codebook_sizes)
    shape = 2, 5, len(sizes)
    _told(out.codes.dtype == torch.long, f'codes should be long, got {out.codes.dtype}')
    _told(out.codes.shape == shape, f'codes should be {shape}, got {tuple(out.codes.shape)}')
    inside = ((out.codes >= 0) & (out.codes < sizes)).all()
    _told(inside, f'codes should lie below {tuple(sizes.tolist())}, got {out.codes.min()} to {out.codes.max()}')
    _told(torch.equal(out.codes, again.codes), 'two calls on the same vectors give different codes')
    encoded = quantizer.encode(z)
    _told(torch.equal(encoded, out.codes), 'encode(z) and forward(z).codes differ')
    decoded = quantizer.decode(out.codes)
    near = decoded.shape == out.z.shape and torch.allclose(decoded, out.z, rtol=1e-4, atol=1e-4)
    _told(near, 'decode(codes) and forward(z).z differ')
    losses = [torch.as_tensor(v) for v in out.losses.values()]
    _told(all(v.numel() == 1 and v.isfinite().all() for v in losses), 'a loss is no finite number')


class UntrainedCodes(Quantizer):
    "Control: the signs of an encoder that never learns, for no gradient reaches it; only the decoder does"

    def __init__(self, bits):
        super().__init__(bits, (2,) * bits)

    def encode(self, z):
        self.check(z)
        return (z > 0).long()

    def decode(self, codes):
        self.check_codes(codes)
        return 2.0 * codes - 1

    def forward(self, z):
        codes = self.encode(z)
        return Quantized(self.decode(codes).to(z), codes, {})


def _use(codes, sizes):
    "Mean over codebooks: perplexity of the codes of all patches, divided by the codebook's size"
    columns = [column.reshape(-1, 1) for column in codes.unbind(-1)]
    return sum(2 ** code_entropy(column) / size for column, size in zip(columns, sizes)) / len(sizes)


class QuantizerComparison(Comparison):
    "Quantizers in one patch tokenizer"

    seam = 'quantizer'
    about = 'Quantizers in the same patch tokenizer: what comes back from the codes, and what they carry.'
    worlds = 'tw-288', 'tw-2', 'emoji'
    baseline = 'vq'
    control = 'signs of an encoder that never learns'
    trivial = 'the mean picture'
    curve = 'step', 'squared error'
    measures = (
        Measure('error', 'squared error'),
        Measure('exact', 'exact pictures', 'more'),
        Measure('kept', 'bits of a picture', 'more'),
        Measure('use', 'codebook use', 'more'),
        Measure('bits', 'bits of a patch', ''),
    )
    settings = dict(
        ci=dict(steps=150, seeds=2),
        cpu=dict(steps=800, bits=6, width=128, batch=32, lr=0.003),
        gpu=dict(steps=8000),
    )

    def measure(self, part, options, world, seed, cfg):
        quantizer = seeded(seed, lambda: build_quantizer(part, cfg.bits, 0.25 * world_std(world) ** 2, options))
        check_quantizer(quantizer)
        return self._trained(quantizer, world, seed, cfg)

    def measure_control(self, world, seed, cfg):
        return self._trained(UntrainedCodes(cfg.bits), world, seed, cfg)

    def _trained(self, quantizer, world, seed, cfg):
        model = seeded(seed, lambda: PatchTokenizer(quantizer, SIZE, PATCH, cfg.width))
        curve = train_tokenizer(model, world, seed, cfg)
        ids, images = used_pictures(world)
        with torch.no_grad():
            back, codes = model(images)[0].clamp(0, 1), model.encode(images)
        numbers = dict(
            error=(back - images).square().mean(),
            exact=(world.parse(back).ids == ids).double().mean(),
            kept=code_entropy(codes),
            use=_use(codes, quantizer.codebook_sizes),
            bits=quantizer.bits,
        )
        held = sum(v.numel() for v in quantizer.state_dict().values() if v.is_floating_point())
        learned = {id(p) for p in quantizer.parameters()}
        outside = sum(p.numel() for p in model.parameters() if id(p) not in learned)
        sizes = 'x'.join(map(str, quantizer.codebook_sizes))
        facts = dict(sizes=sizes, parameters=f'{outside:,}, and {held:,} numbers in the quantizer')
        return Measurement(numbers, curve, before_and_after(images, back), facts)

    def measure_trivial(self, world, seed, cfg):
        return mean_picture_error(world)

    def floors(self, world, cfg):
        _, images = used_pictures(world)
        different = len(to_patches(images, PATCH).flatten(0, 1).unique(dim=0))
        pictures = len(images.flatten(1).unique(dim=0))
        known = dict(kept=math.log2(pictures), use=1.0)
        return known | (dict(error=0.0, exact=1.0) if different <= 2**cfg.bits else {})


def world_std(world):
    "Standard deviation of the pixels"
    return float(used_pictures(world)[1].std())
