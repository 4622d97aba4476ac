"""The picture that a link to the site shows elsewhere: a sentence in drawings, and its grids appearing out of noise.

`python -m visual_token_diffusion.docs.card` writes nbs/images/card.png.
"""

from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from ..codebooks.table import CodeTable
from ..encoders.semantic import SemanticVisualEncoder
from ..worlds.icons import draw_icon

__all__ = ['SENTENCE', 'social_card']

SENTENCE = ('cat', 'sleeps', 'under', 'tree')
SIZE = (1200, 630)  # what previews of links ask for
_INK = (18, 32, 58)
_NOISE = (0.0, 0.35, 0.8)  # standard deviations, from the bottom row up


def _picture(grid, side):
    "A grid (3,S,S) in [0,1] as a picture of `side` pixels"
    pixels = (grid.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(pixels).resize((side, side), Image.NEAREST)


def _grids():
    "One grid for each word of the sentence"
    codes = torch.tensor([[0, 1, 2], [3, 5, 1], [5, 2, 3], [1, 3, 0]])
    return SemanticVisualEncoder(CodeTable(codes, (6, 6, 6)))(torch.arange(len(SENTENCE)))


def social_card():
    "The picture, 1200 by 630 pixels"
    card = Image.new('RGB', SIZE, 'white')
    draw = ImageDraw.Draw(card)
    draw.text((60, 40), 'visual_token_diffusion', fill=_INK, font=ImageFont.load_default(56))
    draw.text((60, 118), 'a language in which every token is a picture', fill=_INK, font=ImageFont.load_default(32))
    generator, grids = torch.Generator().manual_seed(0), _grids()
    for i, word in enumerate(SENTENCE):
        x = 60 + 280 * i
        card.paste(_picture(draw_icon(word, 200), 200), (x, 190))
        for j, sigma in enumerate(reversed(_NOISE)):
            noisy = grids[i] + sigma * torch.randn(grids[i].shape, generator=generator)
            card.paste(_picture(noisy, 60), (x + 70 * j, 410))
        draw.text((x, 490), word, fill=_INK, font=ImageFont.load_default(40))
    return card


if __name__ == '__main__':
    social_card().save(Path('nbs/images/card.png'), optimize=True)
