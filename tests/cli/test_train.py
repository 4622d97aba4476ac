"`vtd train` that is stopped, continued, started twice; and what it tells a new user."

import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.command_line import PROGRAM, run_main, vtd
from visual_token_diffusion.training.resume import load_state, state_files

SMALL = ['--profile', 'ci', 'width=16', 'heads=1', 'depth=1', 'feature_dim=8', 'valid_sequences=8']
LONG = [
    *SMALL, 'length=16', 'batch=4', 'steps=100000', 'epochs=1000', 'save_steps=20', 'sentences=400',
    'threads=1',
]


def start(folder, *more):
    "A training that hears Ctrl-C, also in a shell's background, which turns it off for all that it starts"
    return subprocess.Popen(
        [*PROGRAM, 'train', '-o', 'm', *LONG, *more],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until(process, condition, seconds=120):
    began = time.time()
    while not condition() and process.poll() is None and time.time() - began < seconds:
        time.sleep(0.02)
    assert condition(), process.communicate()[1]


def end(process, number):
    "`(exit code, errors)` after a signal"
    process.send_signal(number)
    err = process.communicate(timeout=60)[1]
    return process.returncode, err


def test_stopped_in_the_middle_and_kept_apart(tmp_path):
    steps = lambda: [int(f.stem[-8:]) for f in state_files(tmp_path / 'm')]
    process = start(tmp_path)
    until(process, lambda: max(steps(), default=0) >= 40)
    second = vtd('train', '-o', 'm', *LONG, cwd=tmp_path)
    assert second.returncode == 2
    assert 'already holds' in second.stderr or 'another training' in second.stderr
    third = vtd('train', '-o', 'm', *LONG, '--resume', cwd=tmp_path)
    assert third.returncode == 2 and third.stderr.count('\n') == 1
    assert 'another training is writing' in third.stderr
    assert end(process, signal.SIGINT) == (130, 'vtd: interrupted; continue with --resume\n')
    at = load_state(tmp_path / 'm')['step']
    process = start(tmp_path, '--resume')
    until(process, lambda: max(steps()) > at + 20)
    stopped = (143, 'vtd: ended by SIGTERM; continue with --resume\n')
    assert end(process, signal.SIGTERM) == stopped and load_state(tmp_path / 'm')['step'] > at
    files = (tmp_path / 'm').iterdir()
    assert not [f for f in files if f.suffix == '.tmp' or f.name.startswith('.')]


@pytest.mark.parametrize('after', [0.4, 1.2, 2.5])
def test_ctrl_c_while_it_starts(tmp_path, after):
    "In the middle of imports, mostly; nothing is left behind"
    process = start(tmp_path)
    time.sleep(after)
    code, err = end(process, signal.SIGINT)
    assert code == 130 and err.count('\n') == 1 and err.startswith('vtd: interrupted'), err
    if 'nothing was saved' in err or err == 'vtd: interrupted\n':
        assert not list(tmp_path.rglob('*.tmp')) and not list(tmp_path.rglob('train_state*'))


def test_two_that_start_at_once(tmp_path):
    "Both find an empty place; one gets it"
    a, b = start(tmp_path), start(tmp_path)
    until(a, lambda: a.poll() is not None or b.poll() is not None)
    loser, winner = (a, b) if a.poll() is not None else (b, a)
    assert loser.returncode == 2 and loser.communicate()[1].count('\n') == 1
    until(winner, lambda: state_files(tmp_path / 'm'))
    assert end(winner, signal.SIGTERM)[0] == 143


def test_a_missing_folder_is_not_sought_on_the_hub(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'models').mkdir()
    asked = lambda *args, **kwargs: pytest.fail('asked the hub')
    monkeypatch.setattr('visual_token_diffusion.models.checkpoint.hf_hub_download', asked)
    for name in ('runs/book', 'models/book', str(tmp_path / 'x' / 'y')):
        code, _, err = run_main(capsys, 'info', name)
        assert code == 2 and 'there is no folder' in err and err.count('\n') == 1


def test_a_script_that_bpe_does_not_know_gets_a_hint(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = 'кошка видит собаку, собака видит кошку\n'
    Path('ru.txt').write_text(line * 60, encoding='utf-8')
    options = [*SMALL, 'steps=1', 'epochs=1', 'length=8']
    code, out, _ = run_main(capsys, 'train', 'ru.txt', '-o', 'a', 'unit=letters', *options)
    assert code == 0 and 'note:' not in out

    def train_text(text, cfg, path, resume, started):
        started('model', len(text))
        raise SystemExit(3)

    monkeypatch.setattr('visual_token_diffusion.cli.train.train_text', train_text)
    code, out, _ = run_main(capsys, 'train', 'ru.txt', '-o', 'b', *options)
    assert code == 3 and 'unit=letters' in out
