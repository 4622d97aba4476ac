"The site as nbdev processes it: foot, entries, links, pictures; and its width, in a browser."

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.browser import chromium, missing, new_page
from support.checkout import copy_project
from support.pages import cells, join, shown_markdown, site_html

from visual_token_diffusion.docs.exports import is_shown
from visual_token_diffusion.docs.links import heading_anchor, page_files, page_name

root = Path(__file__).resolve().parents[2]
nbs = root / 'nbs'
PAGES = page_files(nbs)


# What nbdev-docs does, without Quarto. It reads pyproject.toml for every cell: once is enough. One process, as the
# other tests use the other cores, and each would load torch anew.
PROGRAM = '''
from functools import cache
from nbdev import config

config.tomllib.loads = cache(config.tomllib.loads)
from nbdev.doclinks import _build_modidx
from nbdev.serve import proc_nbs

_build_modidx()
proc_nbs(n_workers=0)
'''


@pytest.fixture(scope='module')
def processed(tmp_path_factory):
    "nbdev's own processing, of a copy"
    copy = copy_project(tmp_path_factory.mktemp('site') / 'project')
    env = os.environ | dict(PYTHONPATH=str(copy), PYTHONWARNINGS='ignore', VTD_PROFILE='ci', OMP_NUM_THREADS='1')
    (copy / 'proc.py').write_text(PROGRAM)
    result = subprocess.run(
        [sys.executable, 'proc.py'], cwd=copy, env=env, capture_output=True, text=True, timeout=3600
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return copy / '_proc'


def test_all_pages_are_processed(processed):
    made = {p.relative_to(processed).as_posix() for p in page_files(processed)}
    assert made == {p.relative_to(nbs).as_posix() for p in PAGES}
    assert (processed / 'llms.txt').exists() and (processed / 'site.scss').exists()
    assert not (processed / '_quarto.yml').is_symlink()


def test_every_page_has_a_foot_with_its_source(processed):
    for page in page_files(processed):
        if page.stem == 'index':
            continue
        name = page.relative_to(processed).as_posix()
        last = join(cells(page)[-1]['source'])
        wanted = ['**Measured.**', '**Source.**', f'blob/main/nbs/{name}', 'colab.research.google.com/github']
        for text in wanted:
            assert text in last, (name, text)
        for path in re.findall(r'blob/main/(visual_token_diffusion/[\w/]+\.py)', last):
            assert (root / path).exists(), path


def test_pictures_have_texts_and_html_is_raw(processed):
    for page in page_files(processed):
        for cell in cells(page):
            for output in cell.get('outputs', []):
                data = output.get('data', {})
                assert 'text/html' not in data or 'image/png' in data, f'{page.name}: Quarto would fetch libraries'
                if 'image/png' in data:
                    assert '#| fig-alt:' in join(cell['source']), page.name
            if cell['cell_type'] == 'markdown':
                for alt in re.findall(r'!\[([^\]]*)\]\(', join(cell['source'])):
                    assert alt.strip(), f'{page.name}: a picture without a text'


def test_the_animation_is_on_the_first_page(processed):
    found = [join(c['source']) for c in cells(processed / 'index.ipynb') if c['cell_type'] == 'markdown']
    text = '\n'.join(found)
    assert 'when-format="html"' in text and 'class="vtd"' in text
    assert text.count('images/denoising.gif') == 1
    saved = (nbs / 'images' / 'animation.html').read_text(encoding='utf-8')
    assert '\n\n' not in saved and not re.search('https?:', saved)


def entries(page):
    "The Markdown of nbdev's entries"
    for cell in cells(page):
        if cell['cell_type'] == 'code' and 'show_doc(' in join(cell['source']):
            yield from (text for text in shown_markdown(cell) if text)


def anchors(page):
    "What can stand behind `#` on a processed page"
    found = set()
    for cell in cells(page):
        for text in shown_markdown(cell):
            found |= {heading_anchor(h) for h in re.findall(r'^#{1,6}\s+(.+?)\s*$', text, re.M)}
            found |= set(re.findall(r'\{#([\w.:-]+)', text))
    return found


def test_doc_links_hit_entries(processed):
    "Links that nbdev put in lead to entries that exist"
    base = re.search(r'Documentation = "(.*?)"', (root / 'pyproject.toml').read_text())[1]
    known = {page_name(p, processed): anchors(p) for p in page_files(processed)}
    dead = []
    for page in page_files(processed):
        for cell in cells(page):
            for text in shown_markdown(cell):
                for name, anchor in re.findall(re.escape(base) + r'([\w./]+)\.html#([\w.]+)', text):
                    if anchor not in known.get(name, ()):
                        dead.append((page.name, name, anchor))
    assert dead == []


def test_entries_say_how_a_thing_is_called(processed):
    anything = re.compile(r'\(\s*\*args(?::\s*Any)?,\s*\*\*kwargs(?::\s*Any)?\s*\)')
    count = 0
    for page in page_files(processed):
        for text in entries(page):
            count += 1
            assert '__main__' not in text, (page.name, text[:300])
            assert not anything.search(text) or 'def loss(' in text, (page.name, text[:300])
    assert count > 400


def test_every_public_method_has_an_anchor(processed):
    "Methods that are written in the body of an exported class are listed under it"
    import ast

    for page in page_files(nbs):
        found = None
        for cell in cells(page):
            source = join(cell['source'])
            if cell['cell_type'] != 'code' or not re.search(r'^#\|\s*exports?\s*$', source, re.M):
                continue
            for node in ast.parse(source).body:
                if not isinstance(node, ast.ClassDef) or node.name.startswith('_'):
                    continue
                found = anchors(processed / page.relative_to(nbs)) if found is None else found
                names = [n.name for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith('_')]
                missed = [n for n in names if f'{node.name}.{n}'.lower() not in found]
                assert missed == [], (page.name, node.name)


def test_pages_about_code_show_it(processed):
    for page in page_files(processed):
        original = nbs / page.relative_to(processed)
        wanted = sum(bool(re.search(r'^#\|\s*exports\s*$', join(c['source']), re.M)) for c in cells(original))
        shown = sum('#| code-summary: "Exported source"' in join(c['source']) for c in cells(page))
        assert shown == wanted, page.name
        assert shown or not is_shown(page_name(original, nbs)) or not wanted


def test_a_build_leaves_the_settings_alone():
    "nbdev writes nbdev.yml at each build: git does not keep it"
    listed = subprocess.run(['git', 'ls-files', 'nbs/nbdev.yml'], cwd=root, capture_output=True, text=True)
    assert listed.stdout == '' and '/nbs/nbdev.yml' in (root / '.gitignore').read_text().splitlines()


WIDE = '''() => {
  const width = document.documentElement.clientWidth;
  const hidden = e => {
    for (let p = e.parentElement; p; p = p.parentElement)
      if (getComputedStyle(p).overflowX !== 'visible') return true;
    return false;
  };
  const wide = [...document.querySelectorAll('main *')].filter(
    e => e.getBoundingClientRect().right > width + 1 && !hidden(e));
  const first = wide.slice(0, 2).map(e => `${e.tagName}: ${e.textContent.slice(0, 60)}`);
  return [document.documentElement.scrollWidth - width, first];
}'''


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_no_page_is_wider_than_a_phone(processed, tmp_path):
    with chromium() as browser:
        page = new_page(browser, 1400)
        for path in page_files(processed):
            (tmp_path / 'page.html').write_text(site_html(path), encoding='utf-8')
            page.goto((tmp_path / 'page.html').as_uri())
            for width, theme in ((390, 'light'), (1400, 'dark')):
                page.set_viewport_size(dict(width=width, height=800))
                page.emulate_media(color_scheme=theme)
                over, first = page.evaluate(WIDE)
                assert over <= 0, (path.name, width, over, first)


FORMULA = '<math display="block"><mrow>' + '<mi>wide</mi><mo>+</mo>' * 60 + '<mn>1</mn></mrow></math>'
LONG = 'a_name_that_never_ends_' * 6
SAMPLE = f'<ul><li><code>{LONG}</code></li></ul><h2>{LONG}<a class="anchorjs-link">#</a></h2>{FORMULA}'


@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize('styled,wider', [(True, False), (False, True)], ids=['with our style', 'without'])
def test_the_style_sheet_is_what_holds_it(styled, wider, tmp_path):
    "Formulas, code in lists and long headings: without our style they are wider than a phone"
    notebook = tmp_path / 'a.ipynb'
    notebook.write_text('{"cells": []}')
    (tmp_path / 'page.html').write_text(site_html(notebook, styled).replace('<main>', f'<main>{SAMPLE}'))
    with chromium() as browser:
        page = new_page(browser, 390, 800)
        page.goto((tmp_path / 'page.html').as_uri())
        assert (page.evaluate(WIDE)[0] > 0) == wider
