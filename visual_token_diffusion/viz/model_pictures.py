"""The picture of a text as a model draws it, and grids out of whatever holds the picture of a text."""

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..core.errors import CallError
from .grids import sentence_image
from .png import _tiles_by_facts, _tiles_by_pixels, load_sentence, save_sentence
from .png_bytes import KEYWORD
from .saving import checked_ending

__all__ = ['read_picture', 'save_text_picture', 'text_picture']


def text_picture(
    model,  # a `VisualTokenLM`
    text: str,  # what the pictures shall say
    **kwargs,  # of `sentence_image`
) -> Image.Image:
    "The grids of a text with its words beneath. Raises `ValueError`"
    return sentence_image(model.encode_text(text), words=model.text_labels(text), **({'width': 600} | kwargs))


def save_text_picture(
    model,  # a `VisualTokenLM`
    text: str,  # what the picture shall say
    path,  # file to write, a .png
) -> Path:
    "Write a text as a PNG that comes back exactly. Raises `ValueError`"
    path = checked_ending(path, '.png')
    save_sentence(path, model.encode_text(text), dict(fingerprint=model.fingerprint))
    return path


def _image_grids(image, size):
    "Grids of a Pillow picture: one grid of `size` pixels, or a sentence as `save_sentence` lays it out"
    pixels = np.asarray(image.convert('RGB'))
    if pixels.shape[:2] == (size, size):
        tiles = pixels[None]
    elif KEYWORD in image.info:
        tiles = _tiles_by_facts(pixels, image.info[KEYWORD], size)[0]
    else:
        tiles = _tiles_by_pixels(pixels, size)[0]
    return torch.from_numpy(np.array(tiles)).permute(0, 3, 1, 2).float() / 255


def read_picture(
    given,  # a Pillow picture, or the path of a PNG
    size: int,  # side of a grid
) -> torch.Tensor:
    "Grids (L,3,size,size) of the picture of a text. Raises `ValueError` for anything else"
    if isinstance(given, Image.Image):
        return _image_grids(given, size)
    if isinstance(given, str) and not given.lower().endswith('.png') and not os.path.exists(given):
        raise CallError(f'expected grids, or the path of a PNG, got the text {given[:40]!r}; to draw a text, encode it')
    return load_sentence(given, size)[0]
