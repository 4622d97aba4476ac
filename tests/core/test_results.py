"Saved results: what comes back, and what is refused."

import json

import pytest
import torch

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.core.results import load_run, runs_folder, save_run


def test_a_result_comes_back(tmp_path):
    loss = torch.tensor([0.5, 0.25])
    metrics = dict(loss=loss, by_seed={0: 1 / 3}, name='x', n=3, none=None)
    save_run('a-try', metrics, 'python try.py', load_settings('ci'), tmp_path)
    r = load_run('a-try', tmp_path)
    expected = dict(loss=[0.5, 0.25], by_seed={'0': 0.333333}, name='x', n=3, none=None)
    assert r['metrics'] == expected and r['command'] == 'python try.py'
    assert r['settings']['profile'] == 'ci' and r['facts']['threads'] >= 1
    assert [f.name for f in tmp_path.iterdir()] == ['a-try.json']
    assert '"loss": [0.5, 0.25]' in (tmp_path / 'a-try.json').read_text()


def test_what_cannot_be_kept_is_refused(tmp_path):
    save_run('x', dict(a=1), 'c', folder=tmp_path)
    for name, metrics in (('../up', {}), ('Big', {}), ('x', dict(f=print))):
        with pytest.raises(ValueError) as e:
            save_run(name, metrics, '', folder=tmp_path)
        assert '\n' not in str(e.value)
    assert load_run('x', tmp_path)['metrics'] == dict(a=1)


def test_missing_and_damaged_results(tmp_path):
    with pytest.raises(ValueError, match='no result'):
        load_run('never-made', tmp_path)
    (tmp_path / 'bad.json').write_text('{')
    with pytest.raises(ValueError, match='cannot be read'):
        load_run('bad', tmp_path)


def test_all_kept_results_are_whole():
    files = sorted(runs_folder().glob('*.json'))
    assert files
    for f in files:
        r = json.loads(f.read_text())
        assert set(r) == {'name', 'command', 'facts', 'settings', 'metrics'} and r['name'] == f.stem
