"Shapes: masks in range, and looks that differ."

import torch
from visual_token_diffusion.worlds.shapes import COLOURS, SHAPES, SIZES, mask, tint


def test_masks_lie_between_nothing_and_everything():
    for name in SHAPES:
        for px in (8, 10, 33):
            m = mask(name, SIZES['big'], px)
            assert m.shape == (px, px) and m.min() >= 0 and m.max() <= 1
            assert 0.1 < m.mean() < 0.9, name


def test_no_two_looks_are_alike_at_ten_pixels():
    masks = [mask(name, size, 10) for name in SHAPES for size in SIZES.values()]
    x = torch.stack([tint(m, c) for m in masks for c in COLOURS.values()]).flatten(1).double()
    assert torch.cdist(x, x).fill_diagonal_(torch.inf).min() > 0.25
