"The rules of a page, and every page run from top to bottom in the profile `ci`."

import ast, json, os, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import pytest

root = Path(__file__).resolve().parents[2]
pages = sorted(p for p in (root / 'nbs').glob('*.ipynb') if p.name[0] not in '_.')


def cells(p, kind=None):
    return [
        c
        for c in json.loads(p.read_text(encoding='utf-8'))['cells']
        if kind in (None, c['cell_type'])
    ]


def source(c):
    return ''.join(c['source'])


def code(c):
    "Source without magics and directives that are not Python"
    return '\n'.join(l for l in source(c).splitlines() if not re.match(r'\s*[%!]', l))


def outputs(p):
    for c in cells(p, 'code'):
        for o in c.get('outputs', []):
            yield ''.join(o.get('text', '')) + '\n'.join(o.get('traceback', [])) + ''.join(
                ''.join(v)
                for k, v in o.get('data', {}).items()
                if k.startswith('text/') or 'json' in k
            )


@pytest.mark.parametrize('p', pages, ids=lambda p: p.stem)
def test_page_opens_with_title_and_subtitle(p):
    first = cells(p)[0]
    assert first['cell_type'] == 'markdown'
    assert re.match(r'# \S.*\n\n> \S.*\Z', source(first).rstrip()), source(first)[:200]


@pytest.mark.parametrize('p', pages, ids=lambda p: p.stem)
def test_cells_are_short_and_imports_stand_alone(p):
    for c in cells(p, 'code'):
        s = code(c)
        assert len(s.splitlines()) <= 40, f'{len(s.splitlines())} lines:\n{s[:200]}'
        if re.search(r'#\|\s*hide\s*$', s, re.M) and 'show_doc' in s:
            continue
        body = ast.parse(s).body
        imports = [isinstance(n, (ast.Import, ast.ImportFrom)) for n in body]
        assert all(imports) or not any(imports), f'imports mixed with work:\n{s[:200]}'


@pytest.mark.parametrize('p', pages, ids=lambda p: p.stem)
def test_headings_stand_alone(p):
    for c in cells(p, 'markdown')[1:]:
        lines = source(c).strip().splitlines()
        if lines and lines[0].startswith('#'):
            assert len(lines) == 1, source(c)[:120]


@pytest.mark.parametrize('p', pages, ids=lambda p: p.stem)
def test_saved_outputs(p):
    assert p.stat().st_size <= 400 * 1024, f'{p.stat().st_size//1024} KB'
    for text in outputs(p):
        hit = re.search(
            r'(/(home|root|tmp|work|Users|usr/lib|opt)/[\w.-]+|[A-Z]:\\\\|site-packages|Traceback|Warning:)',
            text,
        )
        assert not hit, f'{hit[0]} in: {text[:200]}'
    if p.stem != 'index' and cells(p, 'code'):
        assert any(c.get('outputs') for c in cells(p, 'code')), 'no saved output'
    for c in cells(p, 'code'):
        assert not c.get('execution_count'), 'run nbdev-clean'
        assert not any(o['output_type'] == 'error' for o in c.get('outputs', []))


def test_pages_speak_of_the_project_only():
    words = re.compile(
        r'\bissue #?\d|\bthis session\b|\bhelper\b.*\bsession\b|/work/|\.library\b', re.I
    )
    for f in subprocess.run(
        ['git', 'ls-files'], cwd=root, capture_output=True, text=True
    ).stdout.splitlines():
        p = root / f
        if (
            p.name in ('test_pages.py',)
            or p.suffix in ('.png', '.gif', '.safetensors')
            or not p.is_file()
        ):
            continue
        hit = words.search(p.read_text(encoding='utf-8', errors='ignore'))
        assert not hit, f'{f}: {hit[0]}'


def run_page(p):
    "A fresh process, as a reader would start one"
    env = os.environ | dict(
        VTD_PROFILE='ci', PYTHONWARNINGS='ignore', PYTHONPATH=str(root), OMP_NUM_THREADS='1'
    )
    run = 'import sys; from nbdev.test import test_nb; from pathlib import Path; ok,s = test_nb(Path(sys.argv[1]), skip_flags=["notest","slow","gpu","net"]); sys.exit(not ok)'
    return subprocess.run(
        [sys.executable, '-c', run, str(p)],
        cwd=p.parent,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope='module')
def running(request):
    "The pages that are asked for, one on each core: much of a page's time is Python starting, which uses one"
    asked = [
        i.callspec.params['p']
        for i in request.session.items
        if getattr(i, 'originalname', '') == 'test_page_runs'
    ]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        yield {p: pool.submit(run_page, p) for p in asked}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize('p', pages, ids=lambda p: p.stem)
def test_page_runs(p, running):
    r = running[p].result()
    assert r.returncode == 0, (r.stdout + r.stderr)[-3000:]


def test_marked_cells_wait():
    "Whoever steps through a page in Jupyter meets them, too"
    for p in pages:
        s = [source(c) for c in cells(p, 'code')]
        marked = next(
            (i for i, x in enumerate(s) if re.search(r'^#\|\s*(slow|gpu|net)\s*$', x, re.M)), None
        )
        loads = next(
            (i for i, x in enumerate(s) if '%load_ext visual_token_diffusion.core.notebook' in x),
            None,
        )
        assert (
            marked is None or loads is not None and loads < marked
        ), f'{p.name} has a marked cell that would run'


def test_a_marked_cell_in_ipython(monkeypatch):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    monkeypatch.delenv('VTD_FLAGS', raising=False)
    for _ in range(2):
        shell.run_line_magic('load_ext', 'visual_token_diffusion.core.notebook')
    shell.run_cell('#| slow\nx = 1')
    shell.run_cell('y = 2')
    assert 'x' not in shell.user_ns and shell.user_ns['y'] == 2
    monkeypatch.setenv('VTD_FLAGS', 'gpu slow')
    shell.run_cell('#| slow\nx = 1')
    assert shell.user_ns['x'] == 1
