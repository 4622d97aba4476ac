"Experiments measure what is missing, save it at once, and go on where they stopped."

import pytest

from visual_token_diffusion.core.results import load_run
from visual_token_diffusion.experiments.resume import measure_missing, saved_metrics


@pytest.fixture
def measured(tmp_path, monkeypatch):
    "What was measured, in order; results are kept in a folder of their own"
    monkeypatch.chdir(tmp_path)
    return []


def tasks(measured, keys):
    def measure(key):
        measured.append(key)
        if key == 'stops':
            raise KeyboardInterrupt
        return dict(score=len(measured), name=key)

    return ((key, lambda key=key: measure(key)) for key in keys)


def test_what_was_measured_is_kept_when_it_stops_and_not_measured_again(measured):
    assert saved_metrics('some-run') == {}
    with pytest.raises(KeyboardInterrupt):
        measure_missing('some-run', tasks(measured, ['a', 'b', 'stops', 'c']), 'make it')
    assert list(saved_metrics('some-run')) == ['a', 'b'] and load_run('some-run')['command'] == 'make it'
    measure_missing('some-run', tasks(measured, ['a', 'b', 'c']), 'make it')
    assert measured == ['a', 'b', 'stops', 'c']
    assert saved_metrics('some-run')['c'] == dict(score=4, name='c')


def test_facts_stand_beside_the_results(measured):
    measure_missing('some-run', tasks(measured, ['a']), 'make it', dict(steps=3))
    assert saved_metrics('some-run') == dict(steps=3, a=dict(score=1, name='a'))


def test_what_another_process_added_meanwhile_is_kept(measured):
    def slow():
        measure_missing('some-run', tasks(measured, ['other']), 'make it')
        return dict(score=1.0)

    measure_missing('some-run', [('mine', slow)], 'make it')
    assert set(saved_metrics('some-run')) == {'mine', 'other'}
