"The bibliography: no citation without a link, no link that says something else than the file, nothing uncited."

import ast
import json
import re
from pathlib import Path

import pytest

from visual_token_diffusion.docs.bibliography import (
    anchor_of, bibliography_table, citing_pages, find_citations, find_reference, fix_citations, link_citations, main,
    references, unlinked_citations,
)
from visual_token_diffusion.docs.links import page_files

root = Path(__file__).resolve().parents[2]
nbs = root / 'nbs'
HOW = 'add the source to assets/references.tsv, then python -m visual_token_diffusion.docs.bibliography --fix'


def test_every_citation_is_a_link():
    assert unlinked_citations(nbs) == [], HOW
    for name in ('README.md', 'CONTRIBUTING.md'):
        assert [m[0] for m in find_citations((root / name).read_text(encoding='utf-8'))] == [], name


def linked_citations():
    "`(page, name and year, address)` of every citation that is a link"
    linked = re.compile(r'\[([^\]]*?)[,( ]+((?:18|19|20)\d\d)[a-z]?\)?\]\((https?://[^)\s]+)\)')
    for page in page_files(nbs):
        for cell in json.loads(page.read_text(encoding='utf-8'))['cells']:
            if cell['cell_type'] == 'markdown':
                for found in linked.finditer(''.join(cell['source'])):
                    if find_citations(f'{found[1]}, {found[2]}'):
                        yield page.stem, found[1], found[2], found[3]


def test_links_say_what_the_file_says():
    wrong = []
    for page, who, year, address in linked_citations():
        reference = find_reference(who, year)
        if reference is None or reference.link != address:
            wrong.append((page, who, year, address))
    assert wrong == [], HOW


def docstring_citations():
    "`(module, match)` of every citation in a docstring of the library"
    for path in (root / 'visual_token_diffusion').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            doc = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node)
            yield from ((path.stem, m) for m in (find_citations(doc.replace('`', '')) if doc else []))


def test_citations_in_docstrings_are_known():
    "The site shows them, and links them"
    found = [(name, m[0], find_reference(m['who'], m['year'][:4])) for name, m in docstring_citations()]
    assert [(name, text) for name, text, reference in found if reference is None] == [], HOW


def test_the_file_of_sources():
    found = references()
    assert len({(r.name, r.year) for r in found}) == len(found)
    assert len({anchor_of(r) for r in found}) >= len(found) - 2
    for r in found:
        assert r.name and r.title and re.fullmatch(r'(18|19|20)\d\d', r.year), r
        assert not r.link or re.match(r'https://\S+$', r.link) and '(' not in r.link and ')' not in r.link, r
    without = [r.name for r in found if not r.link]
    assert len(without) <= 5, without
    official = [r for r in found if re.match(r'https://(arxiv\.org/abs/|doi\.org/10\.)', r.link)]
    assert len(official) >= 0.85 * len(found)
    numbers = [r.link.split('/abs/')[1] for r in found if '/abs/' in r.link]
    assert all(re.fullmatch(r'\d{4}\.\d{4,5}|[a-z-]+/\d{7}', n) for n in numbers)


def test_every_source_is_cited():
    in_code = {find_reference(m['who'], m['year'][:4]) for _, m in docstring_citations()}
    assert [r.name for r, pages in citing_pages(nbs).items() if not pages and r not in in_code] == []


FOUND = [
    ('as in Vaswani (2017), it', ['Vaswani (2017']),
    ('(Vaswani, 2017)', ['Vaswani, 2017']),
    ('(Vaswani et al., 2017)', ['Vaswani et al., 2017']),
    ('Vaswani et al. (2017) say', ['Vaswani et al. (2017']),
    ('Ho and others, 2020; Song, Meng and Ermon, 2020', ['Ho and others, 2020', 'Song, Meng and Ermon, 2020']),
    ('Kneser and Ney 1995; van den Oord and others, 2017', ['Kneser and Ney 1995', 'van den Oord and others, 2017']),
    ('*MaskGIT*; Chang & colleagues, 2022', ['Chang & colleagues, 2022']),
    ('Song and others (2020, *DDIM*)', ['Song and others (2020']),
    ('Jégou and others, 2011b', ['Jégou and others, 2011b']),
]
NOTHING = [
    'In 2025 somebody tried', 'since May 2024', 'ICLR 2021', 'x_2020', '2,017 of 2,048', '`Ho, 2020`',
    '[Ho and others, 2020](https://arxiv.org/abs/2006.11239)', '```\nHo, 2020\n```', '![Ho, 2020](a.png)',
]


@pytest.mark.parametrize('text,wanted', FOUND)
def test_what_is_a_citation(text, wanted):
    assert [m[0] for m in find_citations(text)] == wanted


@pytest.mark.parametrize('text', NOTHING)
def test_what_is_none(text):
    assert find_citations(text) == []


def test_linking():
    ddpm, ddim = 'https://arxiv.org/abs/2006.11239', 'https://arxiv.org/abs/2010.02502'
    assert link_citations('(Ho and others, 2020)') == f'([Ho and others, 2020]({ddpm}))'
    assert link_citations('Song and others (2020, *DDIM*)') == f'Song and others ([2020]({ddim}), *DDIM*)'
    shannon = 'https://doi.org/10.1002/j.1538-7305.1959.tb03905.x'
    assert link_citations('Shannon (1959) showed') == f'[Shannon (1959)]({shannon}) showed'
    assert link_citations('Firth, 1957', 'b.ipynb') == '[Firth, 1957](b.ipynb#firth-1957)', 'has no page of its own'
    assert link_citations('Nobody, 1999; `Ho, 2020`') == 'Nobody, 1999; `Ho, 2020`'
    once = link_citations('Ho and others, 2020')
    assert link_citations(once) == once


def test_short_names_lead_to_the_source():
    assert find_reference('MDM-Prime', '2025').name == 'Chao and others'
    assert find_reference('Show-o', '2024') and find_reference('Xie and others', '2024')
    assert find_reference('Shannon', '1948') != find_reference('Shannon', '1959')
    assert find_reference('Ho and others', '1999') is None


def page(folder, name, *sources):
    cells = [dict(cell_type='markdown', source=text.splitlines(True)) for text in sources]
    code = dict(cell_type='code', source=['# Ho and others, 2020'], outputs=[])
    path = folder / f'{name}.ipynb'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(cells=[*cells, code]), indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    return path


def test_a_page_is_mended(tmp_path, monkeypatch, capsys):
    found = page(tmp_path / 'nbs', 'diffusion/a', '# Title\n\nJégou and others, 2011', 'Nobody, 1999 and Firth, 1957')
    wanted = ['Jégou and others, 2011', 'Nobody, 1999', 'Firth, 1957']
    assert [c for _, c in unlinked_citations(tmp_path / 'nbs')] == wanted
    monkeypatch.chdir(tmp_path)
    assert main(['--fix']) is True and 'diffusion/a: Nobody, 1999' in capsys.readouterr().out
    text = found.read_text(encoding='utf-8')
    assert '(../core/bibliography.ipynb#firth-1957)' in text and '# Ho and others, 2020"' in text
    assert not fix_citations(found, tmp_path / 'nbs')
    sources = {r.name: pages for r, pages in citing_pages(tmp_path / 'nbs').items() if pages}
    assert sources == {'Firth': ['diffusion/a.ipynb'], 'Jégou and others': ['diffusion/a.ipynb']}
    table = bibliography_table(tmp_path / 'nbs')
    assert '<a id="firth-1957"></a>Firth | 1957' in table and '[a](../diffusion/a.ipynb)' in table
