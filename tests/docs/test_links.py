"Links: anchors as Pandoc makes them, what is dead, and where a word in backticks leads."

import json

import pytest

from visual_token_diffusion.docs.links import (
    anchors, bound_names, broken_links, defined_names, doc_target, heading_anchor, mend_doc_links, output_name,
    page_name,
)

ADDRESS = 'https://x.org/visual_token_diffusion'


def write(path, *cells):
    "A page of cells: text is Markdown, a tuple is code and what it put out"
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(dict(cell_type='markdown', source=cell))
        else:
            outputs = [dict(data=data) for data in cell[1:]]
            made.append(dict(cell_type='code', source=cell[0], outputs=outputs))
    path.write_text(json.dumps(dict(cells=made)))


@pytest.mark.parametrize(
    'text,anchor',
    [
        ('The loop, naively', 'the-loop-naively'),
        ('`Class.name` and [a link](x.ipynb)', 'class.name-and-a-link'),
        ('3. What *is* it?', 'what-is-it'),
        ('snake_case stays', 'snake_case-stays'),
        ('12', 'section'),
    ],
)
def test_anchors_of_headings(text, anchor):
    assert heading_anchor(text) == anchor


CODE = '''#| exports
class Part:
    def used(self): pass
    def _inner(self): pass

@patch
def more(self:Part): pass

@patch(as_prop=True)
def both(self:Part | Other): pass
'''


def test_what_a_cell_defines():
    assert defined_names(CODE) == ['Part', 'Part.more', 'Part.both', 'Other.both']
    assert defined_names('%matplotlib inline\ndef f(): pass') == ['f']
    assert defined_names('not python at all') == []


def test_anchors_of_a_page(tmp_path):
    write(tmp_path / 'a.ipynb', '# Title\n\n> q', '## A part', (CODE,), '[]{#by-hand} <a id="html"></a>')
    found = anchors(tmp_path / 'a.ipynb')
    assert {'a-part', 'part', 'part.used', 'part.more', 'other.both', 'by-hand', 'html'} <= found
    assert 'title' not in found


def test_dead_links_are_found(tmp_path):
    (tmp_path / 'sub').mkdir()
    write(tmp_path / 'index.ipynb', '# A\n\n> b', '## Here')
    write(tmp_path / 'sub' / '02_b.ipynb', '# B\n\n> b', '## There')
    table, card = {'text/markdown': '[t](gone.ipynb)'}, {'text/html': '<a href="gone.html">x</a>'}
    alive = '[x](#here) [y](sub/02_b.ipynb#there) [z](https://z) ![d](data:image/png;base64,AA) `[q](q)`'
    dead = '[x](#nowhere) [y](sub/02_b.ipynb#here) ![p](p.png)'
    fine = {'text/html': '<a href="sub/b.html">x</a>'}
    write(tmp_path / 'a.ipynb', '# A\n\n> b', '## Here', alive, dead, ('x', table, card, fine))
    wanted = ['#nowhere', 'sub/02_b.ipynb#here', 'p.png', 'gone.ipynb', 'gone.html']
    assert broken_links(tmp_path) == [('a.ipynb', target) for target in wanted]


def test_output_names_lose_the_number(tmp_path):
    assert output_name('03_grids.ipynb') == 'grids.html'
    assert output_name('06b_encoder.ipynb') == 'encoder.html'
    assert output_name('five_words.ipynb') == 'five_words.html'
    assert page_name(tmp_path / 'course' / '03_grids.ipynb', tmp_path) == 'course/grids'


def symbols():
    "An index as nbdev makes it: every name with its module and without"
    names = ['core.Part', 'core.Part.used', 'core.noise', 'core.two_words', 'other.noise']
    found = {}
    for name in names:
        module, _, rest = name.partition('.')
        entry = f'{ADDRESS}/{module}.html#{rest.lower()}', 'file', 'source'
        found |= {f'visual_token_diffusion.{name}': entry, rest: entry}
    return found


def test_where_a_word_leads():
    cells = [
        dict(cell_type='code', source='#| default_exp here\n#| export'),
        dict(cell_type='code', source='from visual_token_diffusion.core import noise as n, noise'),
        dict(cell_type='code', source='local = two_words = 3'),
    ]
    bound = bound_names(cells)
    assert bound == dict(
        n='visual_token_diffusion.core', noise='visual_token_diffusion.core', local=None, two_words=None
    )
    found = symbols()
    assert doc_target('noise', bound, found) == f'{ADDRESS}/core.html#noise', 'what the page imports'
    assert doc_target('noise', {}, found) is None, 'an everyday word that the page does not import'
    assert doc_target('two_words', {}, found) == f'{ADDRESS}/core.html#two_words'
    assert doc_target('two_words', bound, found) is None, 'a name of the page itself'
    assert doc_target('Part.used', {}, found) == f'{ADDRESS}/core.html#part.used'
    assert doc_target('Part._inner', {}, found) is None
    assert doc_target('Nobody', {}, found) is None


def test_links_are_mended():
    text = f'[`noise`]({ADDRESS}/other.html#noise) and [`Part`]({ADDRESS}/core.html#part), [`x`](y.ipynb)'
    assert mend_doc_links(text, {}, symbols()) == f'`noise` and [`Part`]({ADDRESS}/core.html#part), [`x`](y.ipynb)'
    nested = f'| [see [`Part`]({ADDRESS}/core.html#part) there](y.ipynb) | `z`'
    assert mend_doc_links(nested, {}, symbols()) == '| [see `Part` there](y.ipynb) | `z`'
    call = f'[`two_words()`]({ADDRESS}/core.html#two_words)'
    assert mend_doc_links(call, {}, symbols()) == call
