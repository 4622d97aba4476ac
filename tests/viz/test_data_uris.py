"Pictures as lines of text: Pillow reads what we wrote."

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from visual_token_diffusion.viz.data_uris import grid_uris, image_uri


def opened(uri):
    start, data = uri.split(',')
    assert start == 'data:image/png;base64'
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert('RGB'))


def test_a_grid_comes_back_pixel_for_pixel():
    grids = torch.randint(0, 256, (5, 3, 8, 8), generator=torch.Generator().manual_seed(0)) / 255
    for uri, grid in zip(grid_uris(grids), grids):
        assert opened(uri).tolist() == (grid * 255).round().int().permute(1, 2, 0).tolist()
    assert grid_uris(grids[:0]) == []


def test_larger_pictures():
    image = Image.new('RGB', (64, 48), (10, 20, 30))
    assert (opened(image_uri(image)) == [10, 20, 30]).all() and opened(image_uri(image)).shape == (48, 64, 3)


def test_what_is_no_grid_is_refused():
    with pytest.raises(ValueError) as e:
        grid_uris(torch.zeros(2, 2, 8, 8))
    assert '\n' not in str(e.value)
