"Layouts, palettes and textures: how many there are, how far apart, and what is refused."

import pytest
import torch

from visual_token_diffusion.encoders.visual_codebooks import layouts, palettes, textures, walsh_patterns


@pytest.mark.parametrize('size', [1, 2, 10, 37])
@pytest.mark.parametrize('side,mirror', [(4, False), (4, True), (5, True)])
def test_layouts_differ_and_their_complements_too(size, side, mirror):
    masks = layouts(size, side, mirror)
    assert masks.shape == (size, side, side) and (masks[:, 0, 0] == 0).all()
    signs = 2 * masks.flatten(1) - 1
    assert ((signs @ signs.T).abs().fill_diagonal_(0) < side * side).all()
    assert not mirror or torch.equal(masks, masks.flip(2))


@pytest.mark.parametrize('size,delta', [(1, 30), (10, 30), (37, 30), (10, 1)])
def test_palettes_are_light_and_dark_with_room_for_texture(size, delta):
    pairs = palettes(size, delta)
    assert pairs.shape == (size, 2, 3) and delta <= pairs.min() and pairs.max() <= 255 - delta
    luma = pairs.float() @ torch.tensor([0.299, 0.587, 0.114])
    assert (luma[:, 0] - luma[:, 1] >= 82).all()
    assert len(pairs.flatten(1).unique(dim=0)) == size


@pytest.mark.parametrize('side', [4, 5, 8, 16])
def test_textures_are_orthogonal_to_layouts(side):
    patterns = textures(37, side)
    cells = 5 if side == 5 else 4
    masks = layouts(37, cells, side < 8)
    if side > 5:
        masks = masks.repeat_interleave(side // 4, 1).repeat_interleave(side // 4, 2)
    assert (patterns.flatten(1) @ masks.flatten(1).T).abs().max() == 0
    assert len(patterns.flatten(1).unique(dim=0)) == 37


def test_walsh_patterns_are_orthogonal_and_sorted_by_changes():
    patterns, changes = walsh_patterns(8)
    flat = patterns.flatten(1)
    assert torch.equal(flat @ flat.T, 64 * torch.eye(64, dtype=torch.long))
    for pattern, n in zip(patterns, changes):
        down, across = pattern[:, 0].diff(), pattern[0].diff()
        assert (down != 0).sum() + (across != 0).sum() == n


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: layouts(2000), 'no room for 2000 layouts'),
        (lambda: palettes(10_000), 'no room for 10000 palettes'),
        (lambda: textures(97, 8), 'room for 96 textures'),
        (lambda: textures(257, 4), 'room for 256 textures'),
    ],
)
def test_too_many_are_refused_in_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)
