"Promised speeds: the quick one is kept, and what is missing says so."

import sys

import pytest

from visual_token_diffusion.experiments.metrics.metric_speed import GOALS, main, measure


def test_the_vendi_score_keeps_its_promise():
    assert GOALS['vendi'].is_met(measure('vendi'))


def test_goals_know_their_direction():
    assert GOALS['patcher'].is_met(11) and not GOALS['patcher'].is_met(9)
    assert GOALS['language statistics'].is_met(100) and not GOALS['language statistics'].is_met(130)


def test_missing_parts_are_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, 'visual_token_diffusion.text.patching', None)
    with pytest.raises(ValueError, match='patcher: not measured, its module is missing') as error:
        measure('patcher')
    assert '\n' not in str(error.value)
    monkeypatch.chdir(tmp_path)
    main(['--only', 'patcher'])
    assert 'not measured' in capsys.readouterr().out
    with pytest.raises(ValueError, match='speeds are measured of'):
        measure('everything')
