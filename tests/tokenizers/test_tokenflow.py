"Scales, residuals and the two sides of TokenFlow, written anew."

import pytest
import torch
import torch.nn.functional as F
from support.parts import gen, randn, seeded

from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.shared_index import SharedIndexQuantizer
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.teacher import Teacher
from visual_token_diffusion.tokenizers.tokenflow import TokenFlow, downsample_grid, scale_sides, upsample_grid

SMALL = dict(size=12, patch=4, width=16, depth=1)


def pictures(n=3, size=12):
    return torch.rand(n, 3, size, size, generator=gen())


def make(quantizer=None, **options):
    quantizer = quantizer or SharedIndexQuantizer(5, 3, 20, generator=gen())
    return seeded(lambda: TokenFlow(quantizer, **SMALL | options))


def spans(n, side):
    "Which of `n` patches each of `side` areas touches, from floor to ceiling"
    starts = [i * n // side for i in range(side)]
    ends = [-(-(i + 1) * n // side) for i in range(side)]
    return [slice(a, b) for a, b in zip(starts, ends)]


def area_means(grid, side):
    "(B,side*side,D) of (B,G,G,D): the mean over the patches of each area"
    areas = spans(grid.shape[1], side)
    parts = [grid[:, rows, columns] for rows in areas for columns in areas]
    return torch.stack([part.mean((1, 2)) for part in parts], 1)


def test_scales_double():
    assert scale_sides(1) == (1,)
    assert scale_sides(3) == (1, 2, 3)
    assert scale_sides(8) == (1, 2, 4, 8)


def test_published_scales():
    "ByteVisionLab/TokenFlow 9812da0, by grid: CLIP at 224 pixels, ViTamin at 256, SigLIP at 384"
    assert scale_sides(14) == (1, 2, 4, 6, 8, 10, 12, 14)
    assert scale_sides(16) == (*scale_sides(14), 16)
    assert scale_sides(27) == (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 22, 27)


@pytest.mark.parametrize('side', [1, 2, 3])
def test_down_takes_means_of_areas(side):
    z = randn(2, 9, 4)
    torch.testing.assert_close(downsample_grid(z, side), area_means(z.view(2, 3, 3, 4), side))


def test_up_keeps_constants_and_whole_grids():
    constant = upsample_grid(torch.full((1, 4, 2), 3.0), 5)
    torch.testing.assert_close(constant, torch.full((1, 25, 2), 3.0))
    z = randn(2, 9, 4)
    torch.testing.assert_close(upsample_grid(z, 3), z)


def unit(x):
    "Semantic and pixel part, each of length one"
    halves = x.split([5, 3], -1)
    return torch.cat([half / half.norm(dim=-1, keepdim=True) for half in halves], -1)


def by_hand(z, codebook):
    "Codes, sum and mean squared distance of a residual over grids of 1, 2 and 3"
    rest, total = z, torch.zeros_like(z)
    codes, losses = [], []
    for side in (1, 2, 3):
        given = unit(area_means(rest.view(-1, 3, 3, 8), side))
        distance = (given[..., None, :] - unit(codebook)).square().sum(-1)
        codes.append(distance.argmin(-1))
        chosen = unit(codebook)[codes[-1]]
        losses.append((given - chosen).square().mean())
        grid = chosen.mT.unflatten(2, (side, side))
        larger = F.interpolate(grid, size=(3, 3), mode='bicubic', align_corners=False)
        part = larger.flatten(2).mT
        total = total + part
        rest = rest - part
    return torch.cat(codes, 1), total, sum(losses) / 3


def test_each_scale_codes_what_is_left():
    tokenizer = make().eval()
    z = randn(4, 9, 8)
    codes, total, loss = by_hand(z, tokenizer.quantizer.codebook.detach())
    quantized = tokenizer.quantize(z)
    assert torch.equal(quantized.codes[..., 0], codes)
    torch.testing.assert_close(quantized.z, total)
    torch.testing.assert_close(quantized.losses['codebook'], loss)
    torch.testing.assert_close(quantized.losses['commitment'], 0.25 * loss)
    torch.testing.assert_close(tokenizer.decode_latents(quantized.codes), total)


def test_the_teacher_is_met_by_cosine_distance():
    teacher = seeded(lambda: Teacher(12, 4, 8, 1))
    tokenizer = make(teacher=teacher, teacher_weight=0.5).eval()
    x = pictures()
    quantized = tokenizer(x)[1]
    a, b = tokenizer.meaning(quantized.z), teacher.features(x)
    cosine = (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))
    torch.testing.assert_close(quantized.losses['semantic'], 0.5 * (1 - cosine).mean())
    quantized.losses['semantic'].backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert tokenizer.to_semantics.weight.grad.abs().sum() > 0


def test_pixels_and_meaning_read_their_own_part():
    tokenizer = make(teacher=seeded(lambda: Teacher(12, 4, 8, 1))).eval()
    z, other = randn(2, 9, 8), randn(2, 9, 8, seed=1)
    semantic = torch.cat([other[..., :5], z[..., 5:]], -1)
    torch.testing.assert_close(tokenizer.render(z), tokenizer.render(semantic))
    assert not torch.allclose(tokenizer.meaning(z), tokenizer.meaning(semantic))


def test_training_drops_a_scale_but_never_the_first():
    tokenizer = make(drop_scale=1.0, generator=gen()).train()
    kept = {tokenizer._kept_sides() for _ in range(40)}
    assert kept == {(1, 2), (1, 3)}
    assert tokenizer(pictures())[1].codes.shape[1] in (5, 10)
    assert tokenizer.eval()._kept_sides() == (1, 2, 3)
    assert make(drop_scale=0.0).train()._kept_sides() == (1, 2, 3)


def test_first_scales_are_a_picture():
    tokenizer = make(VectorQuantizer(8, 9, generator=gen())).eval()
    codes = tokenizer.encode(pictures())
    assert codes.shape == (3, 14, 1)
    torch.testing.assert_close(tokenizer.decode(codes, 2), tokenizer.decode(codes[:, :5], 2))
    torch.testing.assert_close(tokenizer.decode(codes, 3), tokenizer.decode(codes))


def test_without_a_quantizer_latents_stay():
    tokenizer = seeded(lambda: TokenFlow(latent_dim=6, **SMALL))
    z = randn(2, 9, 6)
    assert tokenizer.quantize(z).z is z and tokenizer.split == (3, 3)


@pytest.mark.parametrize(
    'call,why',
    [
        (lambda: make(FSQ((3,))), 'semantic_dim must lie'),
        (lambda: make(semantic_dim=8), 'semantic_dim must lie'),
        (lambda: make(sides=(1, 4)), 'scales have from 1 to 3'),
        (lambda: scale_sides(0), 'at least one patch'),
        (lambda: make().decode(torch.zeros(2, 5, 1).long()), 'expected codes of 14 places'),
        (lambda: make()(torch.rand(2, 3, 8, 8)), 'expected pictures'),
        (lambda: TokenFlow(**SMALL).encode(pictures()), 'has no codes'),
    ],
)
def test_bad_input_is_one_line(call, why):
    with pytest.raises(ValueError, match=why) as e:
        call()
    assert '\n' not in str(e.value)
