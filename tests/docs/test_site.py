"The site: nbdev's processing of all pages, their foot, their links, their pictures; nothing is asked of anybody."

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import copy_project

from visual_token_diffusion.docs.results import gallery, headline, page_of, results, results_table
from visual_token_diffusion.docs.site import (
    broken_links, footer, live_animation, page_files, plain_outputs, runs_of,
)

root = Path(__file__).resolve().parents[2]
nbs = root / 'nbs'
PAGES = page_files(nbs)
RUNS = nbs / 'lab' / 'runs'


def cells(path):
    return json.loads(path.read_text(encoding='utf-8'))['cells']


def join(text):
    return text if isinstance(text, str) else ''.join(text)


def test_links_between_pages():
    assert broken_links(nbs) == []
    for name in ('README.md', 'CONTRIBUTING.md'):
        for target in re.findall(r'\]\(([^)\s]+)\)', (root / name).read_text(encoding='utf-8')):
            if not re.match(r'[a-z]+:|#', target):
                assert (root / target).exists(), f'{name}: {target}'


def test_a_broken_link_is_found(tmp_path):
    text = '[x](b.ipynb#y) [y](a.ipynb) [z](https://z) `[q](q)` ![p](p.png)'
    (tmp_path / 'a.ipynb').write_text(json.dumps(dict(cells=[dict(cell_type='markdown', source=text)])))
    assert broken_links(tmp_path) == [('a.ipynb', 'b.ipynb#y'), ('a.ipynb', 'p.png')]


def test_every_page_ends_with_exercises():
    for page in PAGES:
        headings = [join(c['source']).strip() for c in cells(page) if c['cell_type'] == 'markdown']
        assert page.stem == 'index' or '## Try it' in headings, page.name


def test_output_names_are_unique():
    "Two pages in one folder may not become one file"
    names = [p.relative_to(nbs).with_suffix('.html').as_posix() for p in PAGES]
    assert len(set(names)) == len(names)
    for page in PAGES:
        assert not re.match(r'\d+[a-z]?_', page.name) or page.parent.name == 'course', page


def test_every_result_has_a_page_and_a_headline():
    found = results(RUNS)
    assert {r['name'] for r in found} == {p.stem for p in RUNS.glob('*.json')}
    table = results_table(found)
    for result in found:
        line = headline(result)
        assert re.search(r'\d', line) and line != 'no number' and '\n' not in line
        assert not page_of(result) or (nbs / f'{page_of(result)}.ipynb').exists(), result['command']
        assert f"| {result['name']} |" in table
    widths = {line.count('|') - line.count('\\|') for line in table.splitlines()}
    assert len(widths) == 1, 'every row has the same number of cells'
    assert headline(dict(name='robust', metrics={'a': 3})) == 'a 3'
    assert headline(dict(name='new', metrics={})) == 'no number'


def test_no_saved_widget_and_nothing_loaded_from_elsewhere():
    outside = r'(?:src|href)\s*=\s*["\']?(?:https?:)?//|@import|url\(\s*["\']?http'
    for page in PAGES:
        assert 'widgets' not in json.loads(page.read_text(encoding='utf-8'))['metadata'], page.name
        for cell in cells(page):
            for output in cell.get('outputs', []):
                data = output.get('data', {})
                assert not any('widget-view' in kind for kind in data), page.name
                assert not re.search(outside, join(data.get('text/html', ''))), page.name


@pytest.fixture(scope='module')
def processed(tmp_path_factory):
    "nbdev's own processing, of a copy"
    copy = copy_project(tmp_path_factory.mktemp('site') / 'project')
    env = os.environ | dict(PYTHONPATH=str(copy), PYTHONWARNINGS='ignore', VTD_PROFILE='ci', OMP_NUM_THREADS='1')
    program = 'from nbdev.serve import proc_nbs\nif __name__=="__main__": proc_nbs(n_workers=2)'
    (copy / 'proc.py').write_text(program)
    result = subprocess.run(
        [sys.executable, 'proc.py'], cwd=copy, env=env, capture_output=True, text=True, timeout=900
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


def test_doc_links_go_to_pages(processed):
    "Links that nbdev put in lead to pages that exist"
    base = re.search(r'Documentation = "(.*?)"', (root / 'pyproject.toml').read_text())[1]
    known = {p.relative_to(nbs).with_suffix('').as_posix() for p in PAGES}
    for page in page_files(processed):
        for cell in cells(page):
            for target in re.findall(re.escape(base) + r'([\w./]+)\.html', join(cell['source'])):
                assert target in known, (page.name, target)


def test_site_settings():
    settings = (root / '_quarto.yml').read_text()
    for wanted in ('html-math-method: mathml', 'search: true', 'dark:', 'light:', 'site.scss', '"*.txt"'):
        assert wanted in settings
    assert '$web-font-path: false' in (nbs / 'site.scss').read_text()


def test_parts_of_the_processor():
    first = dict(cell_type='markdown', source=['# A\n', '\n', '> b'])
    second = dict(cell_type='code', source='x', outputs=[dict(data={'text/html': 'a ```` b'})])
    text = plain_outputs([first, second])[1]['outputs'][0]['data']['text/markdown']
    assert text.startswith('\n`````{=html}\n') and text.endswith('\n`````\n')
    named = [dict(cell_type='code', source="load_run('a-b')\nsave_run(\"c\", {})\nload_run(name)")]
    assert runs_of(named) == ['a-b', 'c']
    foot = footer('encoders/semantic', cells(nbs / 'encoders' / 'semantic.ipynb'))
    assert 'the module `encoders.semantic`' in foot and '(../lab/results.ipynb)' in foot
    page = [dict(cell_type='markdown', source='x\n\n![a](images/denoising.gif)\n\ny')]
    text = live_animation(page, 'ANIMATION')[0]['source']
    assert 'ANIMATION' in text and text.startswith('x\n') and text.endswith('\ny')


def test_gallery_cards_are_escaped():
    from PIL import Image

    card = gallery([('a <part>', Image.new('RGB', (4, 4)), '1 & 2', 'encoders/semantic')])
    assert 'a &lt;part&gt;' in card and 'alt="a &lt;part&gt;: 1 &amp; 2"' in card
    assert 'href="../encoders/semantic.html"' in card
