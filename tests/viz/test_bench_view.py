"Corruptions: each does what it says, and what is out of range is refused."

import math

import pytest
import torch

from visual_token_diffusion.viz.bench_view import bench_view, corrupt_grids


def test_corruptions(album):
    x = album.encoder(torch.arange(50))
    assert torch.equal(corrupt_grids(x), x)
    how = dict(sigma=0.2, occlusion=0.3, seed=1)
    assert torch.equal(corrupt_grids(x, **how), corrupt_grids(x, **how))
    quarter = (corrupt_grids(x, occlusion=0.25) != x).any(1).flatten(1).sum(1)
    assert (quarter <= 16).all()
    assert (corrupt_grids(x, occlusion=1.0) == 0.5).all()
    assert abs((corrupt_grids(0.5 + 0 * x, sigma=0.1) - 0.5).std() - 0.1) < 0.005


def test_every_grid_comes_back_to_its_own_place(album):
    x = album.encoder(torch.arange(50))
    jpeg = corrupt_grids(x, quality=95)
    near = (jpeg - x).flatten(1).norm(dim=1)
    far = (jpeg.roll(1, 0) - x).flatten(1).norm(dim=1)
    assert (near < far)[1:].float().mean() > 0.9


def test_a_quarter_turn(album):
    x = album.encoder(torch.arange(50))
    turned = corrupt_grids(x, degrees=90.0)
    left, right = x.rot90(1, (2, 3)), x.rot90(-1, (2, 3))
    assert min((turned - way).abs().max() for way in (left, right)) < 1e-4


@pytest.mark.parametrize(
    'bad',
    [
        dict(sigma=-1),
        dict(occlusion=2),
        dict(quality=0),
        dict(degrees=math.inf),
        dict(sigma=math.nan),
    ],
)
def test_values_out_of_range(album, bad):
    with pytest.raises(ValueError, match='should lie between'):
        corrupt_grids(album.encoder(torch.arange(5)), **bad)


def test_clean_pictures_are_decoded(album):
    line = bench_view(album, 'the cat sleeps').text.splitlines()[0]
    n = len(album.vocab.encode('the cat sleeps'))
    assert line == f'{n} of {n} tokens are decoded correctly'
