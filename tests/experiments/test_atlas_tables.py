"One command makes the atlas's tables: what is missing, nothing twice, and a failing one stops no other."

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from visual_token_diffusion.experiments import atlas_tables
from visual_token_diffusion.experiments.atlas_tables import TABLES, Table, command_of, main, state
from visual_token_diffusion.experiments.resume import saved_metrics

ROOT = Path(__file__).parents[2]
ATLAS = sorted((ROOT / 'nbs' / 'atlas').glob('*.ipynb'))

COUNTING = '''
import argparse
from visual_token_diffusion.core.results import save_run
from visual_token_diffusion.experiments.resume import saved_metrics
parser = argparse.ArgumentParser()
parser.add_argument('--seeds', type=int)
for seed in range(parser.parse_args().seeds):
    found = saved_metrics('counted')
    if f'arm|{seed}' not in found:
        save_run('counted', found | {f'arm|{seed}': seed}, 'python -m counting')
'''


@pytest.fixture
def place(tmp_path, monkeypatch):
    "Three small experiments, one of which fails and one of which saves nothing, outside of the repository"
    for name, text in dict(counting=COUNTING, failing='raise SystemExit(3)', silent='').items():
        (tmp_path / f'{name}.py').write_text(text)
    tables = [
        Table(('failed',), ('here',), 'failing', seeds=''), Table(('silent',), ('here',), 'silent', seeds=''),
        Table(('counted',), ('there',), 'counting'), Table(('cells',), ('page',), seeds=''),
    ]
    monkeypatch.setattr(atlas_tables, 'TABLES', tables)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', f'{ROOT}:{tmp_path}')
    return tmp_path


def test_what_is_missing_is_made_and_nothing_twice(place, capsys):
    main(['--only', 'counted', '--seeds', '1'])
    assert 'counted: made' in capsys.readouterr().out
    main(['--only', 'there', '--seeds', '1'])
    assert 'counted: nothing was missing' in capsys.readouterr().out
    main(['--only', 'there', '--seeds', '3'])
    assert 'counted: went on' in capsys.readouterr().out
    assert saved_metrics('counted') == {'arm|0': 0, 'arm|1': 1, 'arm|2': 2}
    assert state('counted') == '3 entries, seeds 0, 1, 2'


def test_a_failing_table_is_told_and_the_others_go_on(place, capsys):
    with pytest.raises(SystemExit) as e:
        main(['--seeds', '1'])
    said = capsys.readouterr().out
    assert e.value.code == 1 and saved_metrics('counted')
    assert 'failed with exit code 3; python -m failing' in said and 'counted: made' in said
    assert 'silent: failed: it ended without a saved result' in said
    assert 'cells: left out' in said


def test_the_dry_list_makes_nothing(place, capsys):
    main(['--dry'])
    said = capsys.readouterr().out
    assert 'counted (there): missing' in said and '4 results, 4 missing' in said
    assert not (place / 'runs').exists()


@pytest.mark.parametrize('words', [['--only', 'countd'], ['--seeds', '0'], ['--seeds', 'x']])
def test_bad_input_is_one_line_and_exit_code_2(words, place, capsys):
    with pytest.raises(SystemExit) as e:
        main(words)
    assert e.value.code == 2 and not (place / 'runs').exists()
    assert words[0] != '--only' or "did you mean 'counted'" in capsys.readouterr().err


@pytest.mark.parametrize('path', ATLAS, ids=lambda path: path.stem)
def test_every_result_that_a_page_reads_is_made_and_refreshes_it(path):
    cells = [''.join(cell['source']) for cell in json.loads(path.read_text())['cells']]
    loaded = set(re.findall(r"load_run\('([^']+)'\)", '\n'.join(cells)))
    shown = {run for table in TABLES for run in table.runs if path.stem in table.pages}
    assert loaded <= shown
    assert all(run.rpartition('-')[0] in path.read_text() or run in path.read_text() for run in shown)


@pytest.mark.parametrize('table', TABLES, ids=lambda table: table.name)
def test_every_table_has_its_maker(table):
    if table.module:
        assert find_spec(table.module)
        assert command_of(table).startswith(f'python -m {table.module}')
    else:
        page = (ROOT / 'nbs' / 'atlas' / f'{table.pages[0]}.ipynb').read_text()
        assert '#| slow' in page and all(f"save_run('{run}'" in page for run in table.runs)
    for run in table.runs:
        kept = ROOT / 'nbs' / 'lab' / 'runs' / f'{run}.json'
        said = json.loads(kept.read_text())['command'] if kept.is_file() else command_of(table)
        assert said.startswith(command_of(table).partition(' --')[0])
