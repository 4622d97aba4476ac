"""Prose of the pages: lines are broken between words, and nothing that a reader sees changes."""

import json

import pytest

from visual_token_diffusion.docs.bibliography import find_citations
from visual_token_diffusion.docs.form import count_form
from visual_token_diffusion.docs.prose import ragged_cells, wrap_page, wrap_prose

LONG = ' '.join(['word'] * 60)
ATOMS = ['`a = b + c`', '$x_0 + \\sigma z$', '[two words](page.ipynb#a-b)', '**[a [b] c](d(e))**']
BLOCKS = [f'# {LONG}', f'> {LONG}', f'| {LONG} |', f'```\n{LONG}\n```', f'$$\n{LONG}\n$$', f'<p>{LONG}</p>']


def test_lines_are_short_and_words_are_kept():
    wrapped = wrap_prose(LONG)
    assert max(map(len, wrapped.split('\n'))) <= 100
    assert wrapped.split() == LONG.split()
    assert wrap_prose(wrapped) == wrapped


def test_what_follows_a_list_mark_is_indented():
    first, second = wrap_prose(f'12. {LONG}').split('\n')[:2]
    assert first.startswith('12. word') and second.startswith('    word')


@pytest.mark.parametrize('atom', ATOMS)
def test_code_mathematics_and_links_stay_whole(atom):
    for n in range(80, 110):
        text = 'x ' * (n // 2) + 'y' * (n % 2) + ' ' + atom + ' z' * 30
        assert sum(atom in line for line in wrap_prose(text).split('\n')) == 1


@pytest.mark.parametrize('mark', ['-', '+', '3.', '4)', '#', '>', '|', '=', ':::', '---'])
def test_no_line_begins_a_block_that_was_none(mark):
    for n in range(80, 110):
        text = 'x ' * (n // 2) + 'y' * (n % 2) + f' {mark} ' + 'z ' * 40
        assert not any(line.startswith(mark) for line in wrap_prose(text).split('\n'))


@pytest.mark.parametrize('block', BLOCKS)
def test_headings_tables_code_and_equations_are_left_alone(block):
    assert wrap_prose(block) == block


def test_a_ragged_paragraph_is_broken_anew_and_hard_breaks_stay():
    ragged = f'{LONG}\nend\n{LONG}'
    assert wrap_prose(ragged) == wrap_prose(f'{LONG} end {LONG}')
    assert wrap_prose('a  \nb\n- c\n  d\n- e\n\nf\ng') == 'a  \nb\n- c d\n- e\n\nf g'


def test_a_page_with_a_long_line_is_found_and_mended(tmp_path):
    page = tmp_path / 'nbs' / 'page.ipynb'
    page.parent.mkdir()
    cell = dict(cell_type='markdown', id='a', metadata={}, source=[LONG])
    page.write_text(json.dumps(dict(cells=[cell], metadata={}, nbformat=4, nbformat_minor=5)))
    module = tmp_path / 'tests' / 'a.py'
    module.parent.mkdir()
    module.write_text('x = 1\n')
    assert ragged_cells(page) == [LONG[:60]]
    assert any('prose to be wrapped' in finding for finding in count_form(tmp_path)[0])
    assert wrap_page(page) == 1
    assert wrap_page(page) == 0
    assert not ragged_cells(page)


def test_a_citation_is_found_across_lines():
    found = find_citations('see Ho and others,\n2020, and Ho and\nothers (2020)')
    assert [match['who'] for match in found] == ['Ho and others'] * 2
