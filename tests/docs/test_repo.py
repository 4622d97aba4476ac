"The repository as a whole: settings, README, imports, workflows, export."

import ast
import configparser
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from support.checkout import copy_project
from support.command_line import HANGING

from visual_token_diffusion.core.config import RunConfig
from visual_token_diffusion.docs.site import page_files

root = Path(__file__).resolve().parents[2]
library = root / 'visual_token_diffusion'


def test_every_key_of_settings_ini_is_a_field():
    ini, known = configparser.ConfigParser(interpolation=None), {f.name for f in fields(RunConfig)}
    ini.read(root / 'settings.ini')
    for section in ['DEFAULT', *ini.sections()]:
        assert set(ini[section]) <= known, set(ini[section]) - known


def test_quarto_link_holds():
    link = root / 'nbs' / '_quarto.yml'
    assert link.is_symlink() and os.readlink(link) == '../_quarto.yml'
    assert link.read_text() == (root / '_quarto.yml').read_text()


def test_sidebar_names_every_page_once():
    named = re.findall(r'[\w/]+\.ipynb', (root / '_quarto.yml').read_text().split('sidebar:')[1])
    pages = [p.relative_to(root / 'nbs').as_posix() for p in page_files(root / 'nbs')]
    assert sorted(named) == sorted(pages)


def public(path):
    "Functions and classes of a module that `from module import *` gives"
    tree = ast.parse(path.read_text())
    lists = [n.value for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == '__all__']
    names = ast.literal_eval(lists[0]) if lists else []
    return [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name in names]


def test_public_names_are_explained_and_used():
    "A docstring (a drawing of the world needs none), and a use or a mention beside the definition"
    modules, tests = library.rglob('*.py'), (root / 'tests').rglob('*.py')
    files = [*page_files(root / 'nbs'), *tests, *modules, root / 'pyproject.toml']
    files = [f for f in files if f.name != '_modidx.py']
    words = Counter(w for f in files for w in re.findall(r'\w+', f.read_text(encoding='utf-8').replace('\\n', ' ')))
    for path in library.rglob('[!_]*.py'):
        for node in public(path):
            if 'dispatch' in ast.unparse(node)[:80]:
                continue
            assert path.stem == 'shapes' or ast.get_docstring(node), f'{path.stem}.{node.name} has no docstring'
            registered = isinstance(node, ast.ClassDef) and 'name = ' in ast.unparse(node)
            assert words[node.name] > 2 or registered, f'{path.stem}.{node.name} is used nowhere'


def test_workflows_hold_what_pyproject_promises():
    "Python 3.10 to 3.13, the oldest torch that is allowed, the newest, and one fixed Quarto"
    yaml = pytest.importorskip('yaml')
    project = (root / 'pyproject.toml').read_text()
    workflow = yaml.safe_load((root / '.github/workflows/test.yaml').read_text())
    matrix = workflow['jobs']['test']['strategy']['matrix']
    assert matrix['python'] == ['3.10', '3.11', '3.12', '3.13'] and 'requires-python = ">=3.10"' in project
    classifiers = set(re.findall(r'"(Programming[^"]*)"', project))
    assert {f'Programming Language :: Python :: {v}' for v in matrix['python']} <= classifiers
    oldest = re.search(r'"torch>=([\d.]+)', project)[1]
    assert matrix['torch'] == ['newest']
    assert any(x['torch'].startswith(oldest + '.') and x['python'] == '3.10' for x in matrix['include'])
    docs = yaml.safe_load((root / '.github/workflows/docs.yaml').read_text())
    quarto = [s['with']['version'] for s in docs['jobs']['build']['steps'] if 'quarto' in s.get('uses', '')]
    assert [bool(re.fullmatch(r'\d+\.\d+\.\d+', str(v))) for v in quarto] == [True]
    hooks = yaml.safe_load((root / '.pre-commit-config.yaml').read_text())['repos']
    assert [h['id'] for repo in hooks for h in repo['hooks']] == ['nbdev-export', 'nbdev-clean']


def python_texts():
    "`(name, code)` of every cell and file"
    for page in page_files(root / 'nbs'):
        for cell in json.loads(page.read_text())['cells']:
            if cell['cell_type'] == 'code':
                lines = ''.join(cell['source']).splitlines()
                yield f"{page.name} {cell['id']}", '\n'.join(x for x in lines if not re.match(r'\s*[%!]', x))
    for folder in (library, root / 'tests'):
        for path in folder.rglob('*.py'):
            yield path.name, path.read_text()


def test_everything_is_python_3_10():
    "The oldest Python we support must be able to read every cell and file"
    for name, text in python_texts():
        try:
            tree = ast.parse(text, feature_version=(3, 10))
        except SyntaxError as e:
            pytest.fail(f'{name}: {e}')
        for node in ast.walk(tree):  # a starred index came with 3.11
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
                assert not any(isinstance(x, ast.Starred) for x in node.slice.elts), f'{name}: {node.lineno}'


def run(program, **env):
    command = [sys.executable, '-c', program]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | env, timeout=HANGING)


HEAVY = [
    ("import visual_token_diffusion", ('torch', 'fastai', 'open_clip', 'matplotlib')),
    ("from visual_token_diffusion import VisualTokenLM", ('fastai', 'open_clip', 'sklearn', 'matplotlib')),
]


@pytest.mark.parametrize('statement,heavy', HEAVY, ids=['package', 'model'])
def test_imports_are_light(statement, heavy):
    result = run(f'import sys; {statement}; print([m for m in {heavy} if m in sys.modules])')
    assert result.stdout.strip() == '[]', result.stdout + result.stderr


def test_help_does_not_load_torch():
    program = "import sys; from visual_token_diffusion.cli.main import main; main(['--version'])"
    result = run(program + "; print('torch' in sys.modules)")
    assert result.stdout.split()[-1] == 'False', result.stdout + result.stderr


def test_public_names_resolve():
    import visual_token_diffusion as package

    for name in package.__all__:
        assert getattr(package, name)
    with pytest.raises(AttributeError):
        package.no_such_name


def test_export_leaves_the_library_as_it_is(tmp_path):
    "In a copy, since other tests import the library meanwhile"
    copy = copy_project(tmp_path / 'project')
    command = [str(Path(sys.executable).with_name('nbdev-export'))]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    made = copy / 'visual_token_diffusion'
    names = {p.relative_to(library) for p in library.rglob('*.py')} | {p.relative_to(made) for p in made.rglob('*.py')}
    different = [n for n in names if not same_bytes(library / n, made / n)]
    assert different == [], 'modules differ from their notebooks'


def same_bytes(a, b):
    return a.exists() and b.exists() and a.read_bytes() == b.read_bytes()


def test_readme_and_index_say_the_same():
    def squeeze(text):
        return re.sub(r'\s+', ' ', text)

    readme = squeeze((root / 'README.md').read_text())
    index = json.loads((root / 'nbs' / 'index.ipynb').read_text())['cells']
    for cell in index:
        if cell['cell_type'] == 'markdown':
            for paragraph in ''.join(cell['source']).strip().split('\n\n'):
                wanted = re.sub(r'\]\((?![a-z]+:|#|nbs/)', '](nbs/', squeeze(paragraph.strip()))
                assert wanted in readme, f'not in README.md (run .ci/readme): {wanted[:120]}'
