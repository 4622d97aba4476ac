"At its end a training makes room, and it can go on: with what was kept, or from the model alone."

import json
import time
from dataclasses import replace

import pytest
from support.resuming import CFG, TEXT, history, interrupted, same_state

from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.training.finished import finished_state, lengthened
from visual_token_diffusion.training.language_model import train_text
from visual_token_diffusion.training.resume import state_files

PLAIN = replace(CFG, keep=0, save_steps=0, monitor=0)


def go_on(folder, **changed):
    return train_text(TEXT, replace(PLAIN, **changed), folder, resume=True, progress=False)


@pytest.fixture
def done(tmp_path):
    return *train_text(TEXT, PLAIN, tmp_path, progress=False), tmp_path


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_states_make_room_unless_they_are_kept(done, tmp_path):
    _, metrics, folder = done
    assert not state_files(folder) and metrics['xz'] > 0
    state = finished_state(folder)
    assert state['step'] == 12 and state['epoch'] == 3 and len(state['history']) == 3
    train_text(TEXT, replace(PLAIN, keep=1), tmp_path / 'kept', progress=False)
    assert [path.name for path in state_files(tmp_path / 'kept')] == ['train_state-00000012.pt']


def test_a_finished_one_is_left_as_it_is(done):
    model, metrics, folder = done
    before = files(folder)
    again, measured = go_on(folder)
    assert same_state(again, model) and files(folder) == before
    assert {k: v for k, v in measured.items() if k != 'seconds'} == {
        k: v for k, v in metrics.items() if k != 'seconds'
    }


@pytest.mark.parametrize('keep', [0, 2])
def test_it_can_be_lengthened_again_and_again(tmp_path, keep):
    train_text(TEXT, replace(PLAIN, keep=keep), tmp_path, progress=False)
    first, seconds = finished_state(tmp_path)['history'], finished_state(tmp_path)['seconds']
    began = time.perf_counter()
    _, metrics = go_on(tmp_path, steps=24, keep=keep)
    state = finished_state(tmp_path)
    assert state['history'][:3] == first and [row['step'] for row in state['history']] == [4, 8, 12, 16, 20, 24]
    assert seconds < state['seconds'] < metrics['seconds'] + 0.1 < seconds + time.perf_counter() - began + 0.2
    go_on(tmp_path, steps=26, keep=keep)
    assert finished_state(tmp_path)['step'] == 28, 'whole epochs'
    assert len((tmp_path / 'log.csv').read_text().splitlines()) == 8


def test_interrupted_while_it_goes_on(tmp_path, monkeypatch):
    for name in 'ab':
        train_text(TEXT, PLAIN, tmp_path / name, progress=False)
    longer = replace(PLAIN, steps=24, save_steps=1)
    whole, _ = train_text(TEXT, longer, tmp_path / 'a', resume=True, progress=False)
    interrupted(tmp_path / 'b', longer, 18, 99, monkeypatch, resume=True)
    assert history(tmp_path / 'b')
    resumed, _ = train_text(TEXT, longer, tmp_path / 'b', resume=True, progress=False)
    assert same_state(resumed, whole) and not state_files(tmp_path / 'b')


def refused(folder, **changed):
    with pytest.raises(CheckpointError) as e:
        go_on(folder, **changed)
    assert '\n' not in str(e.value)
    return str(e.value)


def test_what_does_not_fit_is_refused(done):
    *_, folder = done
    assert 'has been trained for 12 steps' in refused(folder, steps=6)
    assert 'trained with lr=' in refused(folder, steps=24, lr=0.01)
    path = folder / 'training.json'
    good = json.loads(path.read_text())
    for bad in ('', '[]', '{"epoch": 3}', json.dumps(good | dict(step='12'))):
        path.write_text(bad)
        assert 'training.json is damaged' in refused(folder, steps=24)
    path.unlink()
    assert 'no training to continue' in refused(folder, steps=24)


def test_epochs_keep_their_length(done):
    *_, folder = done
    longer = lengthened(folder, replace(PLAIN, steps=13, epochs=1))
    assert (longer.steps, longer.epochs) == (16, 4)
    assert lengthened(folder, PLAIN) == PLAIN
