"Pictures out of files that anybody may have made: a few formats, a limit, and one line for whatever is wrong."

import contextlib
import logging
import os
import sys
import warnings

import numpy as np
import torch
from PIL import Image

from ..core.errors import DataError
from ..core.given import check_type

__all__ = ['FITS', 'FORMATS', 'MOST_PIXELS', 'picture_info', 'read_picture']

FORMATS = ('PNG', 'JPEG', 'GIF', 'BMP', 'WEBP', 'TIFF', 'PPM')  # others may start programs, such as EPS
FITS = ('crop', 'pad', 'stretch')
MOST_PIXELS = 2**26  # that are read: more take gigabytes, however small the file
_TURNS = {  # how a camera was held: Exif's orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
logging.getLogger('PIL.TiffImagePlugin').setLevel(logging.CRITICAL)  # it prints what it raises, too


def _opened(path):
    "A Pillow picture whose pixels have not been read yet"
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Pillow's own limits: there is one below
        return Image.open(path, formats=FORMATS)


def picture_info(
    path,  # of a file
):
    "`(format, (width, height))` of a picture, or None for what is none; its pixels are not read"
    try:
        with _opened(path) as image:
            return image.format, image.size
    except Exception:  # Pillow's readers raise whatever they meet
        return None


@contextlib.contextmanager
def _without_stderr():
    "Nothing reaches this process's standard error, from C neither"
    if sys.stderr is None:  # it was closed when Python started
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _load(image):
    "Read the pixels. libtiff prints what Pillow raises"
    with _without_stderr() if image.format == 'TIFF' else contextlib.nullcontext():
        image.load()


def _eight_bits(image):
    "A picture of 16 bits a pixel as one of 8; others as they are. Raises `ValueError` for other numbers"
    if image.mode not in ('I', 'F') and not image.mode.startswith('I;16'):
        return image
    values = np.asarray(image)
    if values.dtype.kind == 'f' or values.min() < 0 or values.max() >= 2**16:
        raise ValueError('its pixels are numbers of 32 bits; save it with 8 or 16')
    return Image.fromarray((values // 257).astype(np.uint8))


def _square(image, size, fit):
    "A Pillow picture, RGB or RGBA, as a square of `size` pixels, white where nothing is"
    width, height = image.size
    into, box = (size, size), None
    if fit == 'crop':
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        box = (left, top, left + side, top + side)
    elif fit == 'pad':
        into = tuple(max(1, round(size * n / max(width, height))) for n in (width, height))
    small = image.resize(into, Image.Resampling.LANCZOS, box).convert('RGBA')
    square = Image.new('RGBA', (size, size), 'white')
    square.alpha_composite(small, tuple((size - n) // 2 for n in into))
    return square.convert('RGB')


def _read(path, size, fit):
    "A Pillow picture (RGB, size x size)"
    with warnings.catch_warnings(), _opened(path) as image:
        warnings.simplefilter('ignore')
        width, height = image.size
        turn = _TURNS.get(image.getexif().get(_ORIENTATION))
        side = size * max(width, height) // max(1, min(width, height)) if fit == 'crop' else size
        image.draft('RGB', (2 * side, 2 * side))  # a JPEG is read at a half, a quarter or an eighth
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f'{width} x {height} pixels are more than {MOST_PIXELS:,}')
        _load(image)
        image = _eight_bits(image)
        mode = 'RGBA' if image.has_transparency_data else 'RGB'
        image = image if image.mode == mode else image.convert(mode)
    square = _square(image, size, fit)
    return square.transpose(turn) if turn else square


def read_picture(
    path,  # of a picture
    size: int,  # pixels along each side
    fit: str = 'crop',  # the middle of what is not square; 'pad' with white; 'stretch'
) -> torch.Tensor:
    """(3,size,size) uint8: the first picture of an animation, upright as the camera says; what is transparent becomes
    white. Raises `DataError`"""
    check_type(path, (str, os.PathLike), 'the path of a picture')
    try:
        square = _read(path, size, fit)
    except MemoryError:
        raise DataError(f'{path} cannot be read as a picture: there is not enough memory for it') from None
    except Exception as e:  # Pillow's readers raise whatever they meet
        said = ' '.join(str(e).split())[:80] or type(e).__name__
        raise DataError(f'{path} cannot be read as a picture: {said}') from None
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()
