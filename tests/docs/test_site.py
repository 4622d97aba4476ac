"The site: nbdev's processing of all pages, their foot, their links, their pictures; nothing is asked of anybody."

import json, os, re, shutil, subprocess, sys
from html.parser import HTMLParser
from pathlib import Path
import pytest
from visual_token_diffusion.docs.results import gallery, headline, page_of, results, results_table
from visual_token_diffusion.docs.site import broken_links, footer, live_film, plain_outputs, runs_of

root = Path(__file__).resolve().parents[2]
pages = sorted(p for p in (root / 'nbs').glob('*.ipynb') if p.name[0] not in '_.')
cells = lambda p: json.loads(p.read_text(encoding='utf-8'))['cells']
join = lambda x: x if isinstance(x, str) else ''.join(x)


def test_links_between_pages():
    assert broken_links(root / 'nbs') == []
    for f in ('README.md', 'CONTRIBUTING.md'):
        for t in re.findall(r'\]\(([^)\s]+)\)', (root / f).read_text(encoding='utf-8')):
            if not re.match(r'[a-z]+:|#', t):
                assert (root / t).exists() or (root / 'nbs' / t).exists(), f'{f}: {t}'


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / 'a.ipynb').write_text(
        json.dumps(
            dict(
                cells=[
                    dict(
                        cell_type='markdown',
                        source='[x](b.ipynb#y) [y](a.ipynb) [z](https://z) `[q](q)` ![p](p.png)',
                    )
                ]
            )
        )
    )
    assert broken_links(tmp_path) == [('a.ipynb', 'b.ipynb#y'), ('a.ipynb', 'p.png')]


def test_every_page_ends_with_exercises():
    for p in pages:
        if p.stem != 'index':
            assert any(
                join(c['source']).strip() == '## Try it'
                for c in cells(p)
                if c['cell_type'] == 'markdown'
            ), p.name


def test_every_result_has_a_page_and_a_headline():
    rs = results(root / 'nbs' / 'runs')
    assert {r['name'] for r in rs} == {p.stem for p in (root / 'nbs' / 'runs').glob('*.json')}
    t = results_table(rs)
    for r in rs:
        assert (
            re.search(r'\d', headline(r)) and headline(r) != 'no number' and '\n' not in headline(r)
        )
        assert not page_of(r) or (root / 'nbs' / f'{page_of(r)}.ipynb').exists()
        assert f"| {r['name']} |" in t
    assert (
        len({line.count('|') - line.count('\\|') for line in t.splitlines()}) == 1
    ), 'every row has the same number of cells'
    assert (
        headline(dict(name='robust', metrics={'a': 3})) == 'a 3'
        and headline(dict(name='new', metrics={})) == 'no number'
    )


def test_no_saved_widget():
    for p in pages:
        nb = json.loads(p.read_text(encoding='utf-8'))
        assert 'widgets' not in nb['metadata'] and not any(
            'widget-view' in k
            for c in nb['cells']
            for o in c.get('outputs', [])
            for k in o.get('data', {})
        ), p.name


def test_outputs_load_nothing():
    "No address from outside in what pages show"
    for p in pages:
        for c in cells(p):
            for o in c.get('outputs', []):
                h = join(o.get('data', {}).get('text/html', ''))
                assert not re.search(
                    r'(?:src|href)\s*=\s*["\']?(?:https?:)?//|@import|url\(\s*["\']?http', h
                ), p.name


@pytest.fixture(scope='module')
def processed(tmp_path_factory):
    "nbdev's own processing, of a copy"
    d = tmp_path_factory.mktemp('site') / 'project'
    keep = subprocess.run(
        ['git', 'ls-files', '-co', '--exclude-standard'], cwd=root, capture_output=True, text=True
    ).stdout.splitlines()
    for f in keep:
        if f.startswith(('nbs/', 'visual_token_diffusion/')) or f in (
            'pyproject.toml',
            'settings.ini',
            '_quarto.yml',
            'README.md',
        ):
            (d / f).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / f, d / f, follow_symlinks=True)
    env = os.environ | dict(PYTHONPATH=str(d), PYTHONWARNINGS='ignore', VTD_PROFILE='ci')
    code = 'from nbdev.serve import proc_nbs\nif __name__=="__main__": proc_nbs(n_workers=2)'
    (d / 'proc.py').write_text(code)
    r = subprocess.run(
        [sys.executable, 'proc.py'], cwd=d, env=env, capture_output=True, text=True, timeout=900
    )
    assert r.returncode == 0, r.stderr[-3000:]
    return d / '_proc'


def test_all_pages_are_processed(processed):
    assert {p.name for p in pages} == {p.name for p in processed.glob('*.ipynb')}
    assert (
        (processed / 'llms.txt').exists()
        and (processed / 'site.scss').exists()
        and not (processed / '_quarto.yml').is_symlink()
    )
    for p in processed.glob('*.ipynb'):
        nb = json.loads(p.read_text(encoding='utf-8'))
        last = join(nb['cells'][-1]['source'])
        assert not nb['metadata'].get('widgets')
        if p.stem != 'index':
            for want in (
                '**Measured.**',
                '**Source.**',
                f'blob/main/nbs/{p.name}',
                'colab.research.google.com/github',
            ):
                assert want in last, (p.name, want)
        for c in nb['cells']:
            for o in c.get('outputs', []):
                d = o.get('data', {})
                assert (
                    'text/html' not in d or 'image/png' in d
                ), f'{p.name}: Quarto would fetch libraries for an HTML output'
                if 'image/png' in d:
                    assert '#| fig-alt:' in join(c['source']), p.name
        for c in nb['cells']:
            if c['cell_type'] == 'markdown':
                for alt in re.findall(r'!\[([^\]]*)\]\(', join(c['source'])):
                    assert alt.strip(), f'{p.name}: a picture without a text'


def test_the_film_is_on_the_first_page(processed):
    s = '\n'.join(
        join(c['source'])
        for c in json.loads((processed / 'index.ipynb').read_text(encoding='utf-8'))['cells']
        if c['cell_type'] == 'markdown'
    )
    assert 'when-format="html"' in s and 'class="vtd"' in s and s.count('images/denoising.gif') == 1
    film = (root / 'nbs' / 'images' / 'film.html').read_text(encoding='utf-8')
    assert '\n\n' not in film and not re.search('https?:', film)


def test_doc_links_go_to_pages(processed):
    "Links that nbdev put in lead to pages that exist"
    names = {p.stem for p in pages}
    base = re.search(r'Documentation = "(.*?)"', (root / 'pyproject.toml').read_text())[1]
    slug = lambda n: re.sub(r'^\d+[a-z]?_', '', n)
    known = {slug(n) for n in names} | names
    for p in processed.glob('*.ipynb'):
        for c in json.loads(p.read_text(encoding='utf-8'))['cells']:
            for t in re.findall(re.escape(base) + r'([\w.]+)\.html', join(c['source'])):
                assert t in known, (p.name, t)


def test_site_settings():
    y = (root / '_quarto.yml').read_text()
    for want in (
        'html-math-method: mathml',
        'search: true',
        'dark:',
        'light:',
        'site.scss',
        '"*.txt"',
    ):
        assert want in y
    assert '$web-font-path: false' in (root / 'nbs' / 'site.scss').read_text()


@pytest.mark.skipif(
    not shutil.which('quarto'), reason='quarto is not on the PATH: the full render does not run'
)
def test_full_render(processed):
    r = subprocess.run(
        ['quarto', 'render', '--no-execute'],
        cwd=processed,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert r.returncode == 0, r.stderr[-3000:]
    out = processed / '_docs' if (processed / '_docs').exists() else processed.parent / '_docs'
    for p in out.rglob('*.html'):
        outside = re.findall(
            r'<(?:script|link|img|iframe)[^>]*\s(?:src|href)="(https?://[^"]+)"',
            p.read_text(encoding='utf-8'),
        )
        assert not [u for u in outside if 'visual-token-diffusion.github.io' not in u], (
            p.name,
            outside[:3],
        )


def test_parts_of_the_processor():
    c = [
        dict(cell_type='markdown', source=['# A\n', '\n', '> b']),
        dict(cell_type='code', source='x', outputs=[dict(data={'text/html': 'a ```` b'})]),
    ]
    md = plain_outputs(c)[1]['outputs'][0]['data']['text/markdown']
    assert md.startswith('\n`````{=html}\n') and md.endswith('\n`````\n')
    assert runs_of(
        [dict(cell_type='code', source="load_run('a-b'); save_run(\"c\", {}); load_run(name)")]
    ) == ['a-b', 'c']
    assert 'the module `views`' in footer('15b_looking', cells(root / 'nbs' / '15b_looking.ipynb'))
    assert (
        '`widgets`'
        in footer('15d_widgets', cells(root / 'nbs' / '15d_widgets.ipynb')).split('**Source.**')[0]
    )
    c = live_film(
        [dict(cell_type='markdown', source='x\n\n![a](images/denoising.gif)\n\ny')], 'FILM'
    )[0]['source']
    assert 'FILM' in c and c.startswith('x\n') and c.endswith('\ny')
