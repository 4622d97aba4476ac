"The repository as a whole: settings, links, layers, README, imports."

import ast, configparser, json, os, re, subprocess, sys
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path
import pytest
from visual_token_diffusion.core.config import RunConfig, SettingsError, load_settings

root = Path(__file__).resolve().parents[2]
lib = root / 'visual_token_diffusion'

# A module imports only from the rows above its own.
layers = '''settings runs text grammar things scenes world stories clip semantics grids codebooks quantizers encoder decoder readers calibration robust losses learnt spectral diffusion discrete samplers continuous heads denoiser scales nextscale painting guidance informed opponents letters composing model animations views charts
metrics diagnostics referee
checkpoints race caching callbacks monitor watch corpus data distributed factories cards learner
widgets dashboard site shell arguments serving cli'''.split()


def ini():
    c = configparser.ConfigParser(interpolation=None)
    c.read(root / 'settings.ini')
    return c


def test_every_key_of_settings_ini_is_a_field():
    c, known = ini(), {f.name for f in fields(RunConfig)}
    for s in ['DEFAULT', *c.sections()]:
        assert set(c[s]) <= known, set(c[s]) - known


@pytest.mark.parametrize('profile', ['ci', 'cpu', 'gpu', 'gpus'])
def test_built_in_profiles_equal_the_file(profile, tmp_path, monkeypatch):
    here = load_settings(profile, file=root / 'settings.ini')
    monkeypatch.chdir(tmp_path)
    assert load_settings(profile) == here


@pytest.mark.parametrize(
    'kw,near',
    [
        (dict(profile='cpuu'), 'cpu'),
        (dict(overrides=['widht=3']), 'width'),
        (dict(overrides=['steps=many']), 'steps'),
        (dict(overrides=['steps']), 'key=value'),
        (dict(overrides=['lr=nan']), 'lr'),
        (dict(overrides=['profile=gpu']), 'profile'),
        (dict(overrides=['grid=0']), 'grid'),
        (dict(overrides=['length=100000']), '65536'),
    ],
)
def test_bad_settings_are_one_line(kw, near):
    with pytest.raises(SettingsError) as e:
        load_settings(**kw)
    assert near in str(e.value) and '\n' not in str(e.value)


def test_profile_from_environment(monkeypatch):
    monkeypatch.setenv('VTD_PROFILE', 'ci')
    assert load_settings().profile == 'ci'


def test_quarto_link_holds():
    link = root / 'nbs' / '_quarto.yml'
    assert link.is_symlink() and os.readlink(link) == '../_quarto.yml'
    assert link.read_text() == (root / '_quarto.yml').read_text()


def test_sidebar_names_every_page():
    named = set(re.findall(r'[\w]+\.ipynb', (root / '_quarto.yml').read_text()))
    assert named == {p.name for p in (root / 'nbs').glob('*.ipynb')}


def test_layers():
    for f in lib.glob('*.py'):
        if f.stem.startswith('_'):
            continue
        assert f.stem in layers, f'{f.name} has no row in the table of layers'
        top = [
            n for n in ast.parse(f.read_text()).body if isinstance(n, (ast.Import, ast.ImportFrom))
        ]
        for n in top:
            m = (
                re.match(r'(?:visual_token_diffusion)?\.?(\w+)', n.module or '')
                if isinstance(n, ast.ImportFrom)
                and (n.level or (n.module or '').startswith('visual_token_diffusion.'))
                else None
            )
            name = (n.module or '').split('.')[-1] if m else None
            if name in layers:
                assert layers.index(name) < layers.index(
                    f.stem
                ), f'{f.stem} imports {name}, which stands below it'
        text = f.read_text()
        if layers.index(f.stem) < layers.index('callbacks'):
            assert not re.search(r'^\s*(from|import) fastai', text, re.M), f'{f.name} knows fastai'


def test_modules_are_short():
    for f in lib.glob('*.py'):
        if not f.stem.startswith('_'):
            assert len(f.read_text().splitlines()) <= 330, f'{f.name} has grown long'


def public(f):
    "Functions and classes of a module that `from module import *` gives"
    tree = ast.parse(f.read_text())
    names = next(
        (
            ast.literal_eval(n.value)
            for n in tree.body
            if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == '__all__'
        ),
        [],
    )
    return [
        n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name in names
    ]


known = {('factories', n) for n in ('show_batch', 'show_results')}  # what fastai dispatches on


def test_public_names_are_explained_and_used():
    "A docstring (a thing of the world needs none), and a use or a mention beside the definition"
    words = Counter(
        w
        for f in [
            *(root / 'nbs').glob('*.ipynb'),
            *(root / 'tests').glob('*.py'),
            root / 'pyproject.toml',
        ]
        for w in re.findall(r'\w+', f.read_text(encoding='utf-8').replace('\\n', ' '))
    )
    for f in lib.glob('[!_]*.py'):
        for n in public(f):
            if (f.stem, n.name) in known:
                continue
            if f.stem != 'things':
                assert ast.get_docstring(n), f'{f.stem}.{n.name} has no docstring'
            assert words[n.name] > 1 or issubclass_of_vocab(n), f'{f.stem}.{n.name} is used nowhere'


def issubclass_of_vocab(n):
    return isinstance(n, ast.ClassDef) and any(
        getattr(b, 'id', '').endswith('Vocab') for b in n.bases
    )  # known by their kind


def test_workflows_hold_what_pyproject_promises():
    "Python 3.10 to 3.13, the oldest torch that is allowed, the newest, and one fixed Quarto"
    yaml = pytest.importorskip('yaml')
    project = (root / 'pyproject.toml').read_text()
    m = yaml.safe_load((root / '.github/workflows/test.yaml').read_text())['jobs']['test'][
        'strategy'
    ]['matrix']
    assert (
        m['python'] == ['3.10', '3.11', '3.12', '3.13'] and 'requires-python = ">=3.10"' in project
    )
    assert {f'Programming Language :: Python :: {v}' for v in m['python']} <= set(
        re.findall(r'"(Programming[^"]*)"', project)
    )
    oldest = re.search(r'"torch>=([\d.]+)', project)[1]
    assert m['torch'] == ['newest'] and any(
        x['torch'].startswith(oldest + '.') and x['python'] == '3.10' for x in m['include']
    )
    steps = yaml.safe_load((root / '.github/workflows/docs.yaml').read_text())['jobs']['build'][
        'steps'
    ]
    assert [
        re.fullmatch(r'\d+\.\d+\.\d+', str(s['with']['version']))
        for s in steps
        if 'quarto' in s.get('uses', '')
    ] not in ([], [None])
    hooks = [
        h['id']
        for r in yaml.safe_load((root / '.pre-commit-config.yaml').read_text())['repos']
        for h in r['hooks']
    ]
    assert hooks == ['nbdev-export', 'nbdev-clean']


def test_everything_is_python_3_10():
    "The oldest Python we support must be able to read every cell and file (a starred index, for one, came with 3.11)"

    def cells(f):
        return [
            (
                f'{f.name} {c["id"]}',
                '\n'.join(
                    l for l in ''.join(c['source']).splitlines() if not re.match(r'\s*[%!]', l)
                ),
            )
            for c in json.loads(f.read_text())['cells']
            if c['cell_type'] == 'code'
        ]

    code = [x for f in (root / 'nbs').glob('*.ipynb') for x in cells(f)] + [
        (f.name, f.read_text()) for d in (lib, root / 'tests') for f in d.glob('*.py')
    ]
    for name, text in code:
        try:
            tree = ast.parse(text, feature_version=(3, 10))
        except SyntaxError as e:
            pytest.fail(f'{name}: {e}')
        stars = [
            n.lineno
            for n in ast.walk(tree)
            if isinstance(n, ast.Subscript)
            and isinstance(n.slice, ast.Tuple)
            and any(isinstance(x, ast.Starred) for x in n.slice.elts)
        ]
        assert not stars, f'{name}: a starred index in line {stars[0]}'


def run(code, **env):
    return subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        env=os.environ | env,
        timeout=120,
    )


def test_importing_the_package_is_light():
    r = run(
        "import sys, visual_token_diffusion; print([m for m in ('torch','fastai','open_clip','matplotlib') if m in sys.modules])"
    )
    assert r.stdout.strip() == '[]', r.stdout + r.stderr


def test_model_does_not_import_fastai():
    r = run(
        "import sys; from visual_token_diffusion import VisualTokenLM; print([m for m in ('fastai','open_clip','sklearn','matplotlib') if m in sys.modules])"
    )
    assert r.stdout.strip() == '[]', r.stdout + r.stderr


def test_public_names_resolve():
    import visual_token_diffusion as v

    for n in v.__all__:
        assert getattr(v, n)
    with pytest.raises(AttributeError):
        v.no_such_name


def test_export_leaves_the_library_as_it_is():
    before = {p: p.read_bytes() for p in lib.glob('*.py')}
    subprocess.run(
        [str(Path(sys.executable).with_name('nbdev-export'))],
        cwd=root,
        check=True,
        capture_output=True,
    )
    after = {p: p.read_bytes() for p in lib.glob('*.py')}
    try:
        assert {
            p.name for p in before if before[p] != after.get(p)
        } == set(), 'modules differ from their notebooks'
    finally:
        for p, b in before.items():
            p.write_bytes(b)


def as_markdown(nb):
    "What the README must say: markdown cells, code that is shown, and text outputs"
    out = []
    for c in json.loads(nb.read_text())['cells']:
        s = ''.join(c['source']).strip()
        if c['cell_type'] == 'markdown':
            out.append(s)
    return '\n\n'.join(out)


def test_readme_and_index_say_the_same():
    readme, index = (root / 'README.md').read_text(), as_markdown(root / 'nbs' / 'index.ipynb')
    squeeze = lambda s: re.sub(r'\s+', ' ', s)
    for para in index.split('\n\n'):
        want = squeeze(para.strip()).replace('](images/', '](nbs/images/')
        assert want in squeeze(readme), f'not in README.md (run .ci/readme): {want[:120]}'
