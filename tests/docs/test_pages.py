"The rules of a page, and every page run from top to bottom in the profile `ci`."

import ast
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from support.page_runner import PageRunner

from visual_token_diffusion.docs.site import page_files

root = Path(__file__).resolve().parents[2]
PAGES = page_files(root / 'nbs')
NAMES = [p.relative_to(root / 'nbs').with_suffix('').as_posix() for p in PAGES]
every_page = pytest.mark.parametrize('page', PAGES, ids=NAMES)


def cells(page, kind=None):
    found = json.loads(page.read_text(encoding='utf-8'))['cells']
    return [c for c in found if kind in (None, c['cell_type'])]


def source(cell):
    return ''.join(cell['source'])


def code(cell):
    "Source without magics and directives that are not Python"
    return '\n'.join(line for line in source(cell).splitlines() if not re.match(r'\s*[%!]', line))


def texts(output):
    "Everything that a saved output says in words"
    yield ''.join(output.get('text', ''))
    yield '\n'.join(output.get('traceback', []))
    for kind, value in output.get('data', {}).items():
        if kind.startswith('text/') or 'json' in kind:
            yield ''.join(value)


@every_page
def test_page_opens_with_title_and_subtitle(page):
    first = cells(page)[0]
    assert first['cell_type'] == 'markdown'
    assert re.match(r'# \S.*\n\n> \S.*\Z', source(first).rstrip()), source(first)[:200]


@every_page
def test_cells_are_short_and_imports_stand_alone(page):
    for cell in cells(page, 'code'):
        text = code(cell)
        assert len(text.splitlines()) <= 40, f'{len(text.splitlines())} lines:\n{text[:200]}'
        if re.search(r'#\|\s*hide\s*$', text, re.M):
            continue
        imports = [isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.parse(text).body]
        assert all(imports) or not any(imports), f'imports mixed with work:\n{text[:200]}'


@every_page
def test_headings_stand_alone(page):
    for cell in cells(page, 'markdown')[1:]:
        lines = source(cell).strip().splitlines()
        if lines and lines[0].startswith('#'):
            assert len(lines) == 1, source(cell)[:120]


@every_page
def test_saved_outputs(page):
    assert page.stat().st_size <= 400 * 1024, f'{page.stat().st_size//1024} KB'
    strange = r'(/(home|root|tmp|work|Users|usr/lib|opt)/[\w.-]+|[A-Z]:\\\\|site-packages|Traceback|Warning:)'
    for cell in cells(page, 'code'):
        assert not cell.get('execution_count'), 'run nbdev-clean'
        for output in cell.get('outputs', []):
            assert output['output_type'] != 'error', source(cell)[:120]
            for text in texts(output):
                hit = re.search(strange, text)
                assert not hit, f'{hit[0]} in: {text[:200]}'
    if page.stem != 'index' and cells(page, 'code'):
        assert any(c.get('outputs') for c in cells(page, 'code')), 'no saved output'


@every_page
def test_a_page_that_exports_is_named_like_its_module(page):
    "Pages of the path are named for their question, and may export a part of any package"
    if re.match(r'\d\d_', page.stem) and page.parent.name == 'course':
        return
    for cell in cells(page, 'code'):
        if found := re.search(r'#\|\s*default_exp\s+([\w.]+)', source(cell)):
            name = page.relative_to(root / 'nbs').with_suffix('').as_posix()
            assert found[1].split('.')[-1] == page.stem, (found[1], name)


def test_pages_speak_of_the_project_only():
    words = re.compile(r'\bissue #?\d|\bthis session\b|\bhelper\b.*\bsession\b|/work/|(?<!torch)\.library\b', re.I)
    listed = subprocess.run(['git', 'ls-files'], cwd=root, capture_output=True, text=True).stdout.splitlines()
    for name in listed:
        path = root / name
        if path.name == 'test_pages.py' or path.suffix in ('.png', '.gif', '.safetensors') or not path.is_file():
            continue
        hit = words.search(path.read_text(encoding='utf-8', errors='ignore'))
        assert not hit, f'{name}: {hit[0]}'


@pytest.fixture(scope='session')
def runner():
    "A process that holds the libraries"
    fast = dict(VTD_PROFILE='ci', PYTHONWARNINGS='ignore', PYTHONPATH=str(root), OMP_NUM_THREADS='1')
    made = PageRunner(root, os.environ | fast)
    yield made
    made.close()


@every_page
def test_page_runs(page, runner):
    ok, seconds, output = runner.run(page)
    assert ok, output


def test_marked_cells_wait():
    "Whoever steps through a page in Jupyter meets them, too"
    for page in PAGES:
        found = [source(c) for c in cells(page, 'code')]
        marked = [i for i, text in enumerate(found) if re.search(r'^#\|\s*(slow|gpu|net)\s*$', text, re.M)]
        loads = [i for i, text in enumerate(found) if '%load_ext visual_token_diffusion.core.notebook' in text]
        assert not marked or loads and loads[0] < marked[0], f'{page.name} has a marked cell that would run'
