"The house: layers, circles, form of a line, words, the table of parts."

import json
import re
from pathlib import Path

import pytest

from visual_token_diffusion.docs.form import LIMITS, count_form
from visual_token_diffusion.docs.parts import seams_table
from visual_token_diffusion.docs.structure import (
    LAYERS, circles, module_imports, package_arrows, structure_svg, upward_imports,
)
from visual_token_diffusion.docs.words import RETIRED, public_names, retired_in

root = Path(__file__).resolve().parents[2]
library = root / 'visual_token_diffusion'


def test_no_import_upward_and_no_circle():
    imports = module_imports()
    assert len(imports) > 80
    assert upward_imports(imports) == []
    assert circles(imports) == []


def test_wrong_imports_are_found(tmp_path):
    "Inside functions, relative or absolute, of a module or of a name"
    (tmp_path / 'core').mkdir()
    (tmp_path / 'models').mkdir()
    for folder in (tmp_path, tmp_path / 'core', tmp_path / 'models'):
        (folder / '__init__.py').touch()
    (tmp_path / 'core' / 'low.py').write_text('def f():\n    from ..models import high\n')
    (tmp_path / 'models' / 'high.py').write_text('import visual_token_diffusion.core.low\n')
    imports = module_imports(tmp_path)
    assert 'core.low imports models.high' in upward_imports(imports)
    assert circles(imports) == [['core.low', 'models.high', 'core.low']]


def test_the_top_of_the_package_is_small():
    folders = {p.name for p in library.iterdir() if p.is_dir() and p.name != '__pycache__'}
    assert folders - {'assets'} == set(LAYERS) and len(folders) <= 20
    assert {p.stem for p in library.glob('*.py')} == {'__init__', '__main__', '_modidx'}


def test_fastai_is_known_from_training_on():
    below = LAYERS[LAYERS.index('training') :]
    for path in library.rglob('*.py'):
        package = path.relative_to(library).parts[0]
        if package in LAYERS and package not in below:
            assert not re.search(r'^\s*(from|import) fastai', path.read_text(), re.M), path


def test_the_drawing_shows_every_package():
    imports = module_imports()
    drawing = structure_svg(imports)
    assert all(f'>{name} (' in drawing for name in LAYERS)
    assert drawing.count('<path') == len(package_arrows(imports))


def test_the_form_of_a_line():
    "Nothing is over the limits; the counts may only fall, and they are zero"
    findings, p90 = count_form(root)
    assert findings == [], '\n'.join(findings[:40])
    assert p90 <= LIMITS['most_lines']


def test_bad_form_is_found(tmp_path):
    (tmp_path / 'tests').mkdir()
    (tmp_path / 'visual_token_diffusion').mkdir()
    (tmp_path / 'nbs').mkdir()
    wide, dense = 'x = ' + '1' * 120, 'x = [' + '1, ' * 25 + '1]'
    lines = ['a = 1; b = 2', wide, dense, 'a, b, c = 1, 2, 3', 'def f(): "text"; return 1']
    lines.append('y = (1 if a else 2, 3 if b else 4)')
    (tmp_path / 'tests' / 'test_x.py').write_text('\n'.join(lines) + '\n')
    findings = '\n'.join(count_form(tmp_path)[0])
    for what in ('semicolon', '124 characters', 'tokens', '3 things', 'docstring beside', '2 conditional'):
        assert what in findings, what


def write_page(folder, *sources):
    cells = [dict(cell_type='code', id=f'c{i}', source=source) for i, source in enumerate(sources)]
    (folder / 'nbs').mkdir()
    (folder / 'nbs' / 'page.ipynb').write_text(json.dumps(dict(cells=cells)))
    (folder / 'tests').mkdir()
    (folder / 'tests' / 'test_x.py').write_text('x = 1\n')


@pytest.mark.parametrize(
    'line, what',
    [
        ('plt.plot(x);', 'a semicolon'),
        ('a = 1; b = 2', 'a semicolon'),
        ('x = ' + '1' * 120, '124 characters'),
        ('a, b, c = 1, 2, 3', '3 things'),
        ('f(1 if a else 2, 3 if b else 4)', '2 conditional'),
    ],
)
def test_bad_form_is_found_in_a_cell_that_is_only_shown(tmp_path, line, what):
    write_page(tmp_path, '%matplotlib inline; x', f'import math\n{line}')
    (finding,) = count_form(tmp_path)[0]
    assert finding.startswith('nbs/page.ipynb c1:2: ') and what in finding


def test_good_form_in_a_cell(tmp_path):
    text = '"a; b"  # a comment; with one'
    write_page(tmp_path, f'%time f()\n{text}\na, b = 1, 2\nx = [1 if a else 2]')
    assert count_form(tmp_path)[0] == []


def test_no_retired_word_is_left_in_public_names():
    names = public_names()
    assert len(names) > 500
    assert retired_in(names) == []


@pytest.mark.parametrize('name', ['hidden', 'sample_hidden', 'GridReader', 'race_bound', 'n_opponents', 'opponent'])
def test_a_retired_word_is_found(name):
    assert retired_in([name])
    assert not retired_in(['hidden_states', 'GridDecoder', 'trace', 'brace'])
    assert len(RETIRED) > 60


def test_the_table_of_parts_names_every_seam():
    table = seams_table()
    for part in ('`lfq`', '`semantic`', '`nearest`', '`masked`', '`feature_tree`', '`balanced`', '`cooccurrence`'):
        assert part in table
