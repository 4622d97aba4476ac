import math

import pytest
import torch
from visual_token_diffusion.worlds.rendered_text import (
    TextRenderer,
    WordSheets,
    missing_characters,
    n_text_patches,
    text_mask,
)

WORDS = 'sometimes every quiet frog hides under the bridge'.split()


def test_patches_of_a_text_follow_pixels_rule():
    # Rust and others, 2022, pygame_renderer.py: the next patch after 2 + width + 2, written anew
    for width in range(1, 400, 3):
        offset = math.ceil((2 + width + 2) / 16) * 16
        assert n_text_patches(width) == offset // 16
    assert text_mask(3, 5).tolist() == [True] * 4 + [False]
    assert text_mask(5, 5).all()


def test_words_of_a_list_start_in_patches_of_their_own():
    renderer = TextRenderer()
    page = renderer(WORDS)
    sizes = [len(renderer.draw(word)) for word in WORDS]
    for word, start, size in zip(WORDS, page.starts, sizes):
        assert torch.equal(page.patches[start : start + size], renderer.draw(word))
        assert start // renderer.columns == (start + size - 1) // renderer.columns  # no word is broken
    assert page.n_patches == page.starts[-1] + sizes[-1]
    assert page.patches.min() == 0 and page.patches.max() <= 1


def test_a_picture_holds_the_patches():
    renderer = TextRenderer(lines=2, columns=14)
    page = renderer(WORDS)
    picture = renderer.picture(page.patches)
    assert picture.shape == (24, 168)
    for p in (0, 5, 17):
        y, x = divmod(p, 14)
        tile = picture[12 * y : 12 * y + 12, 12 * x : 12 * x + 12]
        assert torch.equal(tile.flatten(), page.patches[p])


def test_a_string_is_drawn_as_it_is_with_a_separator():
    renderer = TextRenderer(lines=2, columns=14, separator=True)
    page = renderer('a cat')
    assert page.starts == (0,)
    assert torch.equal(page.patches[page.n_patches], torch.ones(144))
    assert page.patches[page.n_patches + 1 :].sum() == 0


@pytest.mark.parametrize('text', ['', ' ', [], ['']])
def test_no_text(text):
    with pytest.raises(ValueError, match='no text'):
        TextRenderer()(text)


@pytest.mark.parametrize('text', ['x' * 100, ['sometimes'] * 9, ['x' * 30]])
def test_text_that_does_not_fit_is_refused_and_not_cut(text):
    with pytest.raises(ValueError, match='nothing is cut'):
        TextRenderer()(text)


def test_the_separator_needs_room():
    full = ['sometimes'] * 2
    assert TextRenderer(1, 10)(full).n_patches == 10
    with pytest.raises(ValueError, match='nothing is cut'):
        TextRenderer(1, 10, separator=True)(full)


def test_characters_without_a_picture():
    assert missing_characters('a中b中') == ['中']
    with pytest.raises(ValueError, match='no picture of'):
        TextRenderer()(['中'])
    with pytest.raises(ValueError, match='no picture of'):
        TextRenderer()('two\nlines')
    with pytest.raises(ValueError, match='no white space'):
        TextRenderer()(['two words'])


def test_impossible_pages():
    with pytest.raises(ValueError, match='at least one'):
        TextRenderer(lines=0)
    with pytest.raises(ValueError, match='do not fit patches'):
        TextRenderer(font_size=12)


def test_sheets_are_the_renderers_pages():
    renderer, words = TextRenderer(), [*WORDS, '.']
    sheets = WordSheets(renderer, words)
    ids = torch.randint(len(words), (50, 8), generator=torch.Generator().manual_seed(0))
    indices, starts, fits = sheets.layout(ids)
    for row, index, start, fit in zip(ids.tolist(), indices, starts, fits):
        text = [words[i] for i in row]
        if fit:
            page = renderer(text)
            assert torch.equal(sheets.patches(index), page.patches)
            assert tuple(start.tolist()) == page.starts
        else:
            assert not index.any()
            with pytest.raises(ValueError):
                renderer(text)
    assert not sheets.layout(torch.zeros(1, 8, dtype=torch.long))[2]  # 'sometimes' eight times
