"Drawings: well-formed, inside their frame, readable on any ground, and true to what they draw."

import re
import xml.etree.ElementTree as ET

import pytest
import torch

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.diffusion.base import Process
from visual_token_diffusion.encoders.pyramid import PyramidEncoder
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.networks.attention_masks import causal, dense, omni
from visual_token_diffusion.viz.diagrams import attention_mask, masking, pyramid, seams, whole_way
from visual_token_diffusion.viz.svg_parts import Drawing, words
from visual_token_diffusion.viz.trees import class_tree, code_tree

labels = 'cat dog red blue one two three four'.split()
table = random_codes(8, 3, 3, torch.Generator().manual_seed(0))
grids = SemanticVisualEncoder(table)(torch.arange(8))
pyramid_grid = PyramidEncoder(table, (4, 8, 16))(torch.tensor(3))
picture = torch.tensor([0, 0, 1, 1, 1, 0])

DRAWINGS = dict(
    whole_way=whole_way(labels[:3], [0, 1, 2], table.codes[:3], grids[:3]),
    code_tree=code_tree(table, labels, grids=grids),
    masking=masking(labels),
    masking_grids=masking(labels[:4], [3, 1, 0, 2], grids[:4]),
    seams=seams(),
    pyramid=pyramid(pyramid_grid),
    omni=attention_mask(dense(omni(picture), 6)[0, 0], list('abcdef'), picture),
    class_tree=class_tree(Process),
)
every = pytest.mark.parametrize('drawing', DRAWINGS.values(), ids=DRAWINGS)


def elements(drawing):
    root = ET.fromstring(drawing.standalone())
    return root, [e for e in root.iter() if e is not root]


@every
def test_it_is_well_formed_named_and_wide(drawing):
    root, _ = elements(drawing)
    assert root.get('aria-label') == drawing.title and drawing.width >= 900
    html = drawing._repr_html_()
    assert 'vtd-drawing' in html and 'xmlns' not in html
    ET.fromstring(html.replace('href=', 'data-href='))


@every
def test_nothing_leaves_the_frame(drawing):
    _, found = elements(drawing)
    for e in found:
        tag = e.tag.split('}')[-1]
        if tag in ('rect', 'image'):
            x, y, w, h = (float(e.get(k)) for k in ('x', 'y', 'width', 'height'))
            assert 0 <= x and 0 <= y and x + w <= drawing.width and y + h <= drawing.height, e.attrib
        if tag == 'text':
            wide = 0.55 * float(e.get('font-size')) * len(e.text)
            left = float(e.get('x')) - dict(start=0, middle=0.5, end=1)[e.get('text-anchor')] * wide
            assert -2 <= left and left + wide <= drawing.width + 2, e.text
            assert 5 <= float(e.get('y')) <= drawing.height, e.text


@every
def test_words_take_the_color_of_their_page_and_fills_are_faint(drawing):
    _, found = elements(drawing)
    for e in found:
        tag = e.tag.split('}')[-1]
        if tag == 'text':
            assert e.get('fill') == 'currentColor' and float(e.get('opacity')) >= 0.7
            assert float(e.get('font-size')) >= 13
        if tag == 'rect' and e.get('fill') != 'none':
            assert float(e.get('fill-opacity')) <= 0.6
    assert not re.search('"(#000|#fff|black|white)', drawing._repr_html_())


def said(drawing):
    return [e.text for e in elements(drawing)[1] if e.tag.endswith('text')]


def test_the_code_tree_is_that_of_the_table():
    text = said(code_tree(table, labels, grids=grids))
    for word, codes in zip(labels, table.codes.tolist()):
        assert text[text.index(word) + 1] == ' '.join(map(str, codes))
    edges = {tuple(c[: m + 1]) for c in table.codes.tolist() for m in range(3)}
    assert code_tree(table, labels)._repr_html_().count('<polyline') == len(edges)
    assert 'dog' not in said(code_tree(table, labels, [0, 2]))


def test_masking_goes_in_the_order_that_was_asked_for():
    drawing = masking(labels[:4], [3, 1, 0, 2])
    counts = [said(drawing).count(word) for word in labels[:4]]
    assert counts == [3, 2, 4, 1]
    assert drawing._repr_html_().count('stroke-dasharray') == 0 + 1 + 2 + 3 + 4


def test_the_mask_is_that_of_attention():
    mask = dense(causal, 5)[0, 0]
    html = attention_mask(mask, list('abcde'))._repr_html_()
    assert html.count('fill-opacity="0.55"') == int(mask.sum()) + 1, 'and one in the key'
    assert 'within one picture' not in html


def test_the_tree_of_classes_has_all_parts():
    text = ' '.join(said(class_tree(Process)))
    assert all(f"'{name}'" in text for name in Process.names())


def test_words_are_escaped_and_files_are_written(tmp_path):
    drawing = Drawing([words(10, 10, '<b> & "c"')], 900, 20, 'a "title" <x>')
    assert ET.fromstring(drawing.standalone())[-1].text == '<b> & "c"'
    drawing.save(tmp_path / 'a.svg')
    assert 'prefers-color-scheme:dark' in (tmp_path / 'a.svg').read_text()
