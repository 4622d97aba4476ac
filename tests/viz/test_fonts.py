"The font of a label knows its letters, or another of the machine does, or it says that none does."

import pytest
from PIL import ImageFont

from visual_token_diffusion.viz import fonts
from visual_token_diffusion.viz.grids import sentence_image


@pytest.fixture
def fresh():
    for cached in (fonts._base_font, fonts._machine_fonts, fonts._other_font, fonts.label_font):
        cached.cache_clear()
    yield
    for cached in (fonts._base_font, fonts._machine_fonts, fonts._other_font, fonts.label_font):
        cached.cache_clear()


def test_common_scripts_are_known():
    for text in ('', 'cat', 'schläft', 'Кошка', '·', '⏎', 'a\nb', 'Ελλάς'):
        assert fonts.has_letters(text), text


def test_another_font_of_the_machine_helps(fresh, monkeypatch, tmp_path):
    deja = fonts._base_font(12)
    monkeypatch.setattr(fonts, '_base_font', lambda size: ImageFont.load_default(size))
    (tmp_path / 'noto.ttf').write_text('no font')
    monkeypatch.setattr(fonts, '_machine_fonts', lambda: (str(tmp_path / 'noto.ttf'), deja.path))
    assert fonts.label_font(12, 'кот').path == deja.path and fonts.has_letters('кот')


def test_without_any_font_boxes_are_drawn(fresh, monkeypatch):
    monkeypatch.setattr(fonts, '_machine_fonts', lambda: ())
    assert not fonts.has_letters('ネコ')
    import torch

    assert sentence_image(torch.rand(1, 3, 8, 8), ['ネコ']).width > 0


def test_the_font_is_found_without_importing_matplotlib(fresh, monkeypatch):
    from matplotlib import get_data_path

    usual = fonts._base_font(12).path
    assert usual.startswith(get_data_path()), 'the one that it names'
    fonts._base_font.cache_clear()
    monkeypatch.setattr(fonts, 'find_spec', lambda name: None)
    assert fonts._base_font(12).path == usual, 'data that lie elsewhere are asked for'
