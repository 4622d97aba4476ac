"The sheet of drawn words on the home page: every word, of today's drawings, small."

import numpy as np
from PIL import Image
from support.checkout import ROOT

from visual_token_diffusion.docs.drawn_words import SHEET, drawn_words, sheet_of_words
from visual_token_diffusion.worlds.icons import icon_words


def test_every_word_is_there_once():
    assert sorted(drawn_words()) == sorted(icon_words())


def test_the_saved_sheet_is_what_the_command_writes():
    saved, made = Image.open(SHEET).convert('RGB'), sheet_of_words()
    assert SHEET.stat().st_size < 120_000 and saved.size == made.size
    difference = np.abs(np.asarray(saved, dtype=float) - np.asarray(made, dtype=float))
    assert difference.mean() < 3, 'python -m visual_token_diffusion.docs.drawn_words'


def test_the_home_page_shows_it():
    text = (ROOT / 'nbs' / 'index.ipynb').read_text(encoding='utf-8')
    assert 'images/drawn_words.png' in text and f'{len(icon_words())} words' in text
