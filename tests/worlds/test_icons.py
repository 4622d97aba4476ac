"Icons: every drawn word at every size, no two alike, one line for what is wrong, SVG that parses."

import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch

from visual_token_diffusion.worlds import icons
from visual_token_diffusion.worlds.drawings import PARTS, load_drawings, split_drawings
from visual_token_diffusion.worlds.drawings.colours import PALETTE
from visual_token_diffusion.worlds.icons import add_icon, draw_icon, draw_icons, icon_svg, icon_words
from visual_token_diffusion.worlds.icons import read_drawing, read_mark, render_drawing
from visual_token_diffusion.worlds.stories import LEXICON

FUNCTION_WORDS = set(
    'the every this another each and but while because when so if until is than who that'.split()
)
SVG = '{http://www.w3.org/2000/svg}'


def distances(size):
    "(N,N) root mean square difference of every two icons"
    x = draw_icons(icon_words(), size).flatten(1).double()
    return (torch.cdist(x, x) / x.shape[1] ** 0.5).fill_diagonal_(torch.inf)


def test_every_story_word_but_the_function_words_has_a_drawing():
    words = {word for group in LEXICON.values() for word in group}
    assert words - set(icon_words()) == FUNCTION_WORDS
    assert len(icon_words()) == len(set(icon_words())) == 175


@pytest.mark.parametrize('size', [8, 16, 32])
def test_every_word_renders(size):
    x = draw_icons(icon_words(), size)
    assert x.shape == (175, 3, size, size) and x.dtype == torch.float32
    assert x.min() >= 0 and x.max() <= 1
    painted = (x < 0.95).any(1).double().mean((1, 2))
    assert painted.min() > 0.15


@pytest.mark.parametrize('size,least', [(16, 0.145), (8, 0.14), (32, 0.14)])
def test_no_two_drawings_are_near(size, least):
    d = distances(size)
    row, col = divmod(d.argmin().item(), len(d))
    assert d.min() > least, f'{icon_words()[row]} and {icon_words()[col]} are {d.min():.3f} apart'


def test_only_colours_are_nearer_than_a_fifth():
    d, words = distances(16), icon_words()
    near = {frozenset((words[i], words[j])) for i, j in (d < 0.2).nonzero().tolist()}
    assert all(pair <= set(LEXICON['adjective.colour']) for pair in near)


def test_a_drawing_is_the_same_every_time_and_its_own_copy():
    first = draw_icon('cat')
    first.zero_()
    icons._icon.cache_clear()
    second = draw_icon('cat')
    assert second.mean() > 0.2
    assert torch.equal(second, render_drawing(load_drawings()['cat']))
    assert torch.equal(second, draw_icons(['cat'])[0]) and torch.equal(second, draw_icons('cat')[0])


def test_sizes_agree():
    for word in ('witch', 'under', 'river', 'white'):
        large = draw_icon(word, 64)
        small = torch.nn.functional.avg_pool2d(large[None], 4)[0]
        assert (small - draw_icon(word, 16)).abs().mean() < 0.02, word


def test_colour_words_show_their_colour():
    for word in LEXICON['adjective.colour']:
        x = draw_icon(word, 32)
        middle = x[:, 14:18, 14:18].mean((1, 2))
        assert (middle - torch.tensor(PALETTE[word])).abs().max() < 0.02, word


def test_size_words_grow():
    def share(word):
        "Share of purple pixels"
        purple = torch.tensor(PALETTE['purple'])[:, None, None]
        return ((draw_icon(word, 64) - purple).abs() < 0.15).all(0).double().mean()

    order = [share(word) for word in ('tiny', 'little', 'small', 'medium', 'big', 'huge')]
    assert order == sorted(order) and order[0] > 0


def test_place_words_show_the_place():
    def rows(word, colour):
        "Mean row of a colour, in pixels of 64"
        rgb = torch.tensor(PALETTE[colour])[:, None, None]
        painted = ((draw_icon(word, 64) - rgb).abs() < 0.1).all(0)
        return painted.nonzero()[:, 0].double().mean()

    assert rows('above', 'red') < rows('above', 'tan')
    assert rows('below', 'red') > rows('below', 'tan')
    assert rows('under', 'red') > rows('under', 'tan')


def one_line(error):
    "The message, which has to be one line of at most 200 characters"
    message = str(error.value)
    assert '\n' not in message and len(message) <= 200
    return message


@pytest.mark.parametrize('word,said', [('hause', "did you mean 'house'?"), ('the', '175'), ('_eyes', 'no drawing')])
def test_a_word_without_drawing_is_one_line(word, said):
    for call in (draw_icon, icon_svg, lambda word: draw_icons(['cat', word])):
        with pytest.raises(ValueError) as error:
            call(word)
        assert said in one_line(error)


@pytest.mark.parametrize('word', [None, 3, 'x' * 10_000, '', 'cat\n', ('cat',)])
def test_what_is_no_word_is_one_line(word):
    with pytest.raises(ValueError) as error:
        draw_icon(word)
    one_line(error)


@pytest.mark.parametrize('size', [7, 257, 0, -8, 16.5, '16', None, True, float('nan')])
def test_what_is_no_size_is_one_line(size):
    for call in (draw_icon, lambda word, size: draw_icons([], size)):
        with pytest.raises(ValueError) as error:
            call('cat', size)
        assert 'from 8 to 256' in one_line(error)


MARKS = ['oval blu 8 8 2 1', 'oval red 8 8', 'scribble red 1', 'line red 1 2,3', 'poly red 1,2 3;4', 'both', '-- x']


@pytest.mark.parametrize('mark', [*MARKS, 'put unicorn', 'put', 'put cat a b', 'oval red 8 8 nan 1'])
def test_a_mark_that_cannot_be_read_is_one_line(mark):
    with pytest.raises(ValueError) as error:
        read_drawing(mark)
    one_line(error)


def test_a_drawing_cannot_be_put_into_itself():
    with pytest.raises(ValueError, match='into itself'):
        add_icon('loop', 'put loop')
    assert 'loop' not in icon_words()


def test_both_is_a_mark_and_its_mirror_image():
    x = render_drawing('flat\nboth oval red 4 6 2 3', 32)
    torch.testing.assert_close(x, x.flip(-1), rtol=0, atol=1e-6)
    assert len(read_mark('both oval red 4 6 2 3')) == 2


def test_an_added_word_is_drawn_and_drawn_again():
    try:
        add_icon('dot', 'oval red 8 8 3 3')
        red = draw_icon('dot')
        add_icon('dot', 'oval blue 8 8 3 3')
        assert not torch.equal(red, draw_icon('dot'))
        assert 'dot' in icon_words() and '<ellipse' in icon_svg('dot')
    finally:
        icons._drawings().pop('dot', None)


@pytest.mark.parametrize('word', ['two words', '', '_part', None, 4])
def test_a_drawing_belongs_to_one_word(word):
    with pytest.raises(ValueError) as error:
        add_icon(word, 'oval red 8 8 3 3')
    one_line(error)


def test_svg_is_well_formed_and_safe_to_inline():
    for word in icon_words():
        root = ElementTree.fromstring(icon_svg(word))
        assert root.tag == f'{SVG}svg' and root.get('viewBox') == '0 0 16 16'
        assert root.get('aria-label') == word
        assert {child.tag for child in root} <= {f'{SVG}{kind}' for kind in ('ellipse', 'polygon', 'polyline')}
        assert not re.search(r'nan|inf|script|href', icon_svg(word))


def test_svg_draws_as_many_marks_as_the_board():
    for word in ('cat', 'sleeps', 'red'):
        layers = read_drawing(load_drawings()[word])
        wanted = sum(len(layer.marks) * (1 + bool(layer.outline)) for layer in layers)
        assert len(ElementTree.fromstring(icon_svg(word))) == wanted


def test_drawings_are_split_at_the_margin(monkeypatch):
    text = 'cat\n  oval red 1 2 3 4\n\n# a remark\ndog\n  flat\n  box red 1 2 3 4\n'
    assert split_drawings(text) == {'cat': ('oval red 1 2 3 4',), 'dog': ('flat', 'box red 1 2 3 4')}
    assert len(PARTS) == len(set(PARTS))


def test_every_part_is_used():
    found = load_drawings()
    used = {line.split()[1] for lines in found.values() for line in lines if line.startswith('put ')}
    assert {name for name in found if name[0] == '_'} <= used


def test_blank_lines_around_a_drawing_are_no_marks():
    mark = 'oval red 8 8 2 1'
    assert read_drawing(f'\n\n  {mark}\n\n') == read_drawing(mark) == read_drawing([mark])
