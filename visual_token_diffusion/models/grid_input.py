"""Grids in whatever form they come: a tensor, an array, a picture, a file, or a list of these."""

import os

import numpy as np
import torch
from PIL import Image

from ..core.errors import CallError
from ..core.given import described

__all__ = ['as_grids']


def _from_array(array):
    "Floats (...,3,S,S) of an array (...,3,S,S) or (...,S,S,3), of floats in [0,1] or of 8 bits"
    if array.dtype == np.uint8:
        array = array.astype(np.float32) / 255
    if not np.issubdtype(array.dtype, np.floating):
        raise CallError(f'expected an array of floats in [0,1] or of 8 bits, got {array.dtype}')
    if array.ndim >= 3 and array.shape[-3] != 3 and array.shape[-1] == 3:
        array = np.moveaxis(array, -1, -3)
    return torch.from_numpy(np.ascontiguousarray(array))


def _from_list(given, size, read_picture):
    "The grids of every element, one after the other"
    parts = [as_grids(part, size, read_picture) for part in given]
    if not parts:
        return torch.zeros(0, 3, size, size)
    return torch.cat([part.reshape(-1, *part.shape[-3:]) for part in parts])


def as_grids(
    given,  # tensor or array (L,3,S,S) or (3,S,S), array (...,S,S,3), Pillow picture, path of a PNG, list of these
    size: int,  # side of a grid
    read_picture,  # function of a picture or path and the size, which gives grids (L,3,size,size)
) -> torch.Tensor:
    "Grids (L,3,S,S) as a tensor. Raises `CallError` for what can hold none"
    if isinstance(given, (str, os.PathLike, Image.Image)):
        return read_picture(given, size)
    if isinstance(given, (list, tuple)):
        return _from_list(given, size, read_picture)
    given = getattr(given, 'grids', given)  # of a `Grids`
    grids = _from_array(given) if isinstance(given, np.ndarray) else given
    if not torch.is_tensor(grids):
        wanted = f'grids (L,3,{size},{size}): a tensor, an array, a picture or the path of a PNG'
        raise CallError(f'expected {wanted}, got {described(given)}')
    return grids[None] if grids.dim() == 3 else grids
