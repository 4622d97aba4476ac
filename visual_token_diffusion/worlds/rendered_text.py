"""Text as a picture: words drawn on lines of square patches, after the renderer of PIXEL (Rust and others, 2022,
https://arxiv.org/abs/2207.06991)."""

import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

__all__ = ['RenderedText', 'TextRenderer', 'WordSheets', 'missing_characters', 'n_text_patches', 'text_mask']


@lru_cache(64)
def _font(size, path=None):
    "DejaVu Sans, which matplotlib brings along, or another font file"
    if path is None:
        import matplotlib

        path = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / 'DejaVuSans.ttf'
    try:
        return ImageFont.truetype(str(path), size)
    except OSError as e:
        raise ValueError(f'{path} cannot be read as a font: {e}') from None


def missing_characters(
    text: str,
    size: int = 8,  # of the font, in pixels
    path: str | None = None,  # of the font; None takes DejaVu Sans
) -> list:
    "The characters of `text` that the font has no picture of, each once: those that it draws as its empty box"
    font = _font(size, path)
    box = bytes(font.getmask('\uffff'))
    return [c for c in dict.fromkeys(text) if not c.isspace() and bytes(font.getmask(c)) == box]


def n_text_patches(
    width: float,  # of the drawn text, in pixels
    patch: int = 16,  # pixels along each side; PIXEL's 16
    left: int = 2,  # pixels before the text; PIXEL's 2
    right: int = 2,  # pixels after it at least; PIXEL's 2
) -> int:
    "How many patches a text takes, the separator not counted: PIXEL's rule without its cut at the end of the strip"
    return math.ceil((left + width + right) / patch)


def text_mask(
    n_patches: int,  # with text
    length: int,  # of the strip, in patches
) -> torch.Tensor:
    "(length,) bool: the patches that PIXEL looks at, those with text and the separator after them"
    return torch.arange(length) < n_patches + 1


class RenderedText(NamedTuple):
    "Patches (P,patch**2) float, ink 1 on 0; the patch in which each word begins; the number of patches with text"

    patches: torch.Tensor
    starts: tuple
    n_patches: int


class TextRenderer:
    """Draws text on `lines` lines of `columns` patches in reading order. A word begins in a patch of its own (PIXEL's
    way with lists of words; here with `left` and `right` around every word, there around the first and last only), or
    a string is drawn as it is (PIXEL's way with strings). PIXEL cuts what is too long; this refuses it"""

    def __init__(
        self,
        lines: int = 4,
        columns: int = 8,  # patches in a line
        patch: int = 12,  # pixels along each side
        font_size: int = 8,  # pixels
        left: int = 2,  # pixels before a word
        right: int = 2,  # pixels after it, at least
        separator: bool = False,  # a black patch after the text, as PIXEL has it
        font: str | None = None,  # a font file; None takes DejaVu Sans
    ):
        if min(lines, columns, patch, font_size) < 1:
            raise ValueError('a picture of text needs at least one line, one patch and one pixel')
        self.lines, self.columns = lines, columns
        self.patch, self.font_size = patch, font_size
        self.left, self.right = left, right
        self.separator, self.font = separator, font
        self._drawn = {}
        ascent, descent = _font(font_size, font).getmetrics()
        if ascent + descent > patch:
            tall = f'letters of {font_size} pixels are up to {ascent + descent} pixels tall'
            raise ValueError(f'{tall} and do not fit patches of {patch}')
        self.baseline = (patch + ascent - descent) // 2

    @property
    def length(self) -> int:
        "Patches in a picture"
        return self.lines * self.columns

    def draw(
        self,
        text: str,  # without line breaks
    ) -> torch.Tensor:
        "(n,patch**2) float: a word or a text on as many patches as it needs. Raises `ValueError`"
        if text not in self._drawn:
            if len(self._drawn) > 100_000:
                self._drawn.clear()
            self._drawn[text] = self._draw(text)
        return self._drawn[text]

    def _draw(self, text):
        if not text.strip():
            raise ValueError('there is no text to draw')
        try:
            return self._drawn_patches(text)
        except OSError as e:  # a font whose glyphs are damaged is noticed when they are drawn
            raise ValueError(f'{self.font} cannot draw {text[:20]!r}: {e}') from None

    def _drawn_patches(self, text):
        missing = missing_characters(text, self.font_size, self.font)
        if missing or not text.isprintable():
            unknown = missing or [c for c in text if not c.isprintable()]
            raise ValueError(f'the font has no picture of {unknown[0]!r} in {text[:20]!r}')
        font = _font(self.font_size, self.font)
        n = n_text_patches(font.getlength(text), self.patch, self.left, self.right)
        image = Image.new('L', (n * self.patch, self.patch), 0)
        ImageDraw.Draw(image).text((self.left, self.baseline), text, fill=255, font=font, anchor='ls')
        pixels = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255)
        return pixels.unflatten(1, (n, self.patch)).transpose(0, 1).flatten(1)

    def layout(
        self,
        words,  # strings without blanks
    ) -> tuple:
        "The patch in which each word begins, and the one after the last; no word is broken. Raises `ValueError`"
        starts, at = [], 0
        for word in words:
            n = len(self.draw(word))
            left_over = -at % self.columns or self.columns
            if n > left_over and at % self.columns:
                at += left_over
            if n > self.columns or at + n > self.length:
                self._refuse(words, at + n)
            starts.append(at)
            at += n
        if at + self.separator > self.length:
            self._refuse(words, at + 1)
        return tuple(starts), at

    def _refuse(self, words, needed):
        text = words if isinstance(words, str) else ' '.join(words)
        room = f'{self.lines} lines of {self.columns} patches'
        raise ValueError(f'{text[:40]!r} needs {needed} patches and more than {room} hold; nothing is cut')

    def __call__(
        self,
        text,  # a list of words, each in patches of its own, or a string that is drawn as it is
    ) -> RenderedText:
        "The picture of a text, in patches. Raises `ValueError` for none, too much, or characters that the font lacks"
        if isinstance(text, str):
            return self._string(text)
        words = list(text)
        if not words:
            raise ValueError('there is no text to draw')
        for word in words:
            if any(c.isspace() for c in word):
                raise ValueError(f'a word has no white space within, got {word[:20]!r}')
        starts, end = self.layout(words)
        patches = torch.zeros(self.length, self.patch**2)
        for word, at in zip(words, starts):
            drawn = self.draw(word)
            patches[at : at + len(drawn)] = drawn
        return self._ended(patches, starts, end)

    def _string(self, text):
        "One long strip, folded into lines wherever they end, as PIXEL shows it"
        drawn = self.draw(text)
        if len(drawn) + self.separator > self.length:
            self._refuse(text, len(drawn))
        patches = torch.zeros(self.length, self.patch**2)
        patches[: len(drawn)] = drawn
        return self._ended(patches, (0,), len(drawn))

    def _ended(self, patches, starts, end):
        if self.separator:
            patches[end] = 1.0
        return RenderedText(patches, starts, end)

    def batch(
        self,
        texts,  # lists of words, all of one length
    ):
        "`(patches (B,P,patch**2) float, starts (B,n) long)`"
        pages = [self(text) for text in texts]
        return torch.stack([page.patches for page in pages]), torch.tensor([page.starts for page in pages])

    def picture(
        self,
        patches,  # (...,P,patch**2)
    ) -> torch.Tensor:
        "(...,lines*patch,columns*patch): patches put together"
        tiles = patches.unflatten(-1, (self.patch, self.patch)).unflatten(-3, (self.lines, self.columns))
        return tiles.transpose(-3, -2).flatten(-4, -3).flatten(-2)


class WordSheets:
    "Pictures of many rows of known words, quickly: a table of all their patches, and for every picture indices into it"

    def __init__(
        self,
        renderer,  # a `TextRenderer` without separator
        words,  # V strings
    ):
        drawn = [renderer.draw(word) for word in words]
        self.renderer, self.words = renderer, list(words)
        self.counts = torch.tensor([len(patches) for patches in drawn])
        self.first = 1 + self.counts.cumsum(0) - self.counts
        self.table = torch.cat([torch.zeros(1, renderer.patch**2), *drawn])

    def layout(
        self,
        ids,  # (B,n) long: words
    ):
        "`(indices (B,P) long, starts (B,n) long, fits (B,) bool)`; what does not fit is said to, and its row is blank"
        n_lines, columns = self.renderer.lines, self.renderer.columns
        counts, starts = self.counts[ids], torch.zeros_like(ids)
        at = torch.zeros(len(ids), dtype=torch.long)
        for k in range(ids.shape[1]):
            left = columns - at % columns
            at = at + torch.where(counts[:, k] > left, left, 0)
            starts[:, k] = at
            at = at + counts[:, k]
        fits = (at <= n_lines * columns) & (counts <= columns).all(1)
        indices = torch.zeros(len(ids), n_lines * columns + int(self.counts.max()), dtype=torch.long)
        for j in range(int(self.counts.max())):
            where = (starts + j).clamp(max=indices.shape[1] - 1)
            value = torch.where(j < counts, self.first[ids] + j, indices.gather(1, where))
            indices.scatter_(1, where, value)
        indices = indices[:, : n_lines * columns]
        return torch.where(fits[:, None], indices, 0), starts, fits

    def patches(
        self,
        indices,  # (B,P) long
    ) -> torch.Tensor:
        "(B,P,patch**2) float"
        return self.table[indices]
