"What happens to pictures on their way: shapes, seeds, and slow references."

import pytest
import torch

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.encoders.corruptions import (
    CORRUPTIONS,
    enlarge,
    first,
    mask_pixels,
    mask_side,
    jpeg,
    jpeg_like,
    keep_scales,
    mixture,
    noise,
    scale_noise,
    turn,
)
from visual_token_diffusion.encoders.pyramid import avg_pool, laplacian_pyramid, upsample
from visual_token_diffusion.encoders.robust import RobustEncoder


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def learned_grids(n, size):
    encoder = RobustEncoder(random_codes(n, 3, size, gen()), generator=gen())
    return encoder(torch.arange(n)).detach()


@pytest.mark.parametrize('name', CORRUPTIONS)
def test_corruptions_keep_shape_and_are_repeatable(name):
    x = learned_grids(20, 4)
    corrupt = CORRUPTIONS[name]
    y = corrupt(x, gen(3))
    assert y.shape == x.shape and y.isfinite().all() and torch.equal(y, corrupt(x, gen(3)))
    if not name.startswith('open'):
        assert y.min() >= -1e-6 and y.max() <= 1 + 1e-6


def test_noise():
    x = torch.full((4000, 3, 2, 2), 0.5)
    assert noise(0.3)(x, gen()).std().item() == pytest.approx(0.3, rel=0.03)
    uneven = noise(0.3, upto=True)(x, gen())
    assert uneven.std().item() == pytest.approx(0.3 / 3**0.5, rel=0.05)
    y = noise(2.0, clip=True)(x, gen())
    assert y.min() == 0 and y.max() == 1


def test_hiding():
    x = torch.rand(200, 3, 8, 8, generator=gen()).clamp(0.6, 1)
    y = mask_pixels(x, gen(1))
    masked = y == 0.5
    assert (masked[:, 0] == masked[:, 2]).all()
    assert (masked[:, 0].flatten(1).sum(1) == 32).all()
    assert torch.equal(y[~masked], x[~masked])
    assert masked[:, 0].float().mean(0).sub(0.5).abs().max() < 0.15
    masked = (mask_side(x, gen(1)) == 0.5)[:, 0]
    sides = {tuple(k.flatten().int().tolist()) for k in masked}
    assert len(sides) == 4 and (masked.flatten(1).sum(1) == 32).all()


def test_turning():
    x = torch.rand(3, 3, 8, 8, generator=gen())
    assert torch.allclose(turn(0)(x), x, atol=1e-5)
    quarters = (x.rot90(k, (2, 3)) for k in (1, -1))
    assert any(torch.allclose(turn(90)(x), quarter, atol=1e-4) for quarter in quarters)
    assert not torch.allclose(turn(5)(x), x, atol=0.01)
    random = turn(9, upto=True)
    assert torch.equal(random(x, gen(1)), random(x, gen(1)))


def test_enlarging_keeps_flat_pictures():
    assert torch.allclose(enlarge(torch.full((1, 3, 8, 8), 0.3)), torch.tensor(0.3))
    x = torch.rand(2, 3, 8, 8, generator=gen())
    assert enlarge(x).var() < x.var()


def test_the_copy_of_jpeg():
    flat = torch.tensor([0.5, 0.25, 0.75])[None, :, None, None].expand(1, 3, 8, 8)
    assert (jpeg_like(flat) - flat).abs().max() < 0.06
    x = learned_grids(200, 6)
    real = jpeg(x)
    assert (jpeg_like(x) - real).abs().mean() < (x - real).abs().mean() / 3
    y = x.clone().requires_grad_()
    jpeg_like(y).sum().backward()
    assert y.grad.abs().sum() > 0
    assert (jpeg(x, quality=95) - x).abs().mean() < (real - x).abs().mean()
    assert jpeg(x[:0]).shape == (0, 3, 8, 8)
    with pytest.raises(ValueError, match='8 pixels'):
        jpeg_like(torch.rand(1, 3, 16, 16))


def test_mixture_has_every_part():
    x = torch.rand(64, 3, 8, 8, generator=gen())
    y = mixture(x, gen(1))
    assert y.shape == x.shape
    assert all((a != b).any() for a, b in zip(y.split(8), x.split(8)))
    assert mixture(x[:3], gen()).shape == (3, 3, 8, 8)


def test_scales_that_are_kept():
    x = torch.rand(50, 3, 16, 16, generator=gen())
    assert torch.allclose(keep_scales(2)(x), upsample(avg_pool(x, 8), 16))
    assert torch.equal(keep_scales(3)(x), sum(upsample(b, 16) for b in laplacian_pyramid(x)))
    some = keep_scales(None)(x, gen())
    blurred = [upsample(avg_pool(x, s), 16) for s in (4, 8, 16)]
    kept = [(some - y).flatten(1).abs().amax(1) < 1e-5 for y in blurred]
    assert (sum(k.int() for k in kept) == 1).all() and all(k.any() for k in kept)


def test_noise_of_every_scale():
    empty = torch.zeros(200, 3, 16, 16, dtype=torch.double)
    bands = laplacian_pyramid(scale_noise((0.1, 0.2, 0.4))(empty, gen(1)))
    energy = [upsample(b, 16).square().sum().item() / 200 for b in bands]
    assert energy == pytest.approx([48 * 0.01, 144 * 0.04, 576 * 0.16], rel=0.05)


def test_one_corruption_after_the_other():
    x = torch.rand(5, 3, 16, 16, generator=gen())
    both = first(keep_scales(None), noise(0.2))
    generator = gen(2)
    assert torch.equal(both(x, gen(2)), noise(0.2)(keep_scales(None)(x, generator), generator))
    assert torch.equal(first()(x), x)
