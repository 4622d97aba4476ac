"Trees as drawings: every word once, in order, with its picture; what is no tree is refused in one line."

import re

import pytest
import torch

from visual_token_diffusion.viz.parse_tree import Tree

TREE = ('S', ('NP', 'the', 'cat'), ('V', 'sleeps'), ('more',))
GRIDS = {'cat': torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))}


def texts(svg):
    "`(x, y, text)` of what is written"
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg)
    return [(float(x), float(y), text) for x, y, text in found]


def test_every_name_is_written_once_and_leaves_stand_in_order():
    svg = Tree(TREE, GRIDS)._repr_html_()
    assert sorted(t for _, _, t in texts(svg)) == sorted(['S', 'NP', 'the', 'cat', 'V', 'sleeps', 'more'])
    at = {t: x for x, _, t in texts(svg)}
    assert at['the'] < at['cat'] < at['sleeps'] < at['more'] < 960
    assert at['NP'] == pytest.approx((at['the'] + at['cat']) / 2, abs=0.2)
    assert svg.count('<image') == 1 and svg.count('<line') == 6 and svg.startswith('<svg')


def test_the_drawing_holds_everything_and_takes_the_colors_of_its_page():
    for width in (300, 960):
        svg = Tree(TREE, GRIDS, width=width)._repr_html_()
        x0, y0, w, h = map(float, re.search(r'viewBox="(\S+) (\S+) (\S+) (\S+)"', svg).groups())
        assert w == width
        assert all(0 <= x <= w for x, _, _ in texts(svg))
        assert all(y0 < y < y0 + h for _, y, _ in texts(svg))
        assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) == {'currentColor'}


def test_names_are_escaped():
    assert '&lt;unk&gt;' in Tree(('S', '<unk>'))._repr_html_()
    assert repr(Tree(TREE)) == 'Tree([S [NP the cat] [V sleeps] [more]])'


BAD = [(), ('S', 3), [1], ('S', ()), (('S',), 'a'), None]


@pytest.mark.parametrize('bad', BAD)
def test_what_is_no_tree_is_refused_in_one_line(bad):
    with pytest.raises(ValueError, match='a tree is a word or a tuple') as e:
        Tree(bad)
    assert '\n' not in str(e.value)
