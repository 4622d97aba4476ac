"""The sheet of the home page: every word that has a drawing, at 16 and at 8 pixels.

python -m visual_token_diffusion.docs.drawn_words      write it
"""

from pathlib import Path

import torch
from PIL import Image

from ..viz.grids import sentence_image
from ..worlds.icons import draw_icons, icon_words
from ..worlds.stories import LEXICON

__all__ = ['drawn_words', 'sheet_of_words']

SHEET = Path(__file__).resolve().parents[2] / 'nbs' / 'images' / 'drawn_words.png'


def drawn_words() -> list:
    "The words that have a drawing, in the order of the stories' lexicon, like beside like"
    known = icon_words()
    return [word for group in LEXICON.values() for word in group if word in known]


def sheet_of_words(words=None, cols: int = 16, scale: int = 2) -> Image.Image:
    "A picture of words: each at 16 pixels, beside it at 8, its name beneath"
    words = drawn_words() if words is None else words
    cells = torch.ones(len(words), 3, 26, 26)
    cells[:, :, 10:26, :16] = draw_icons(words, 16)
    cells[:, :, 18:26, 17:25] = draw_icons(words, 8)
    rows = []
    for start in range(0, len(words), cols):
        row = sentence_image(cells[start : start + cols], words[start : start + cols], cols=cols, scale=scale, gap=6)
        rows.append(row.crop((0, 8 * scale, row.width, row.height)))
    sheet = Image.new('RGB', (rows[0].width, sum(row.height for row in rows)), 'white')
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


if __name__ == '__main__':
    sheet_of_words().quantize(256, Image.Quantize.MAXCOVERAGE).save(SHEET, optimize=True)
