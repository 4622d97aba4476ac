"`vtd train` that is stopped, continued, started twice; and what it tells a new user."

import json
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

from support.command_line import HANGING, PROGRAM, run_main
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


def until(process, condition, seconds=600):
    began = time.monotonic()
    while not condition() and process.poll() is None and time.monotonic() - began < seconds:
        time.sleep(0.02)
    if not condition():
        process.kill()
        pytest.fail(process.communicate()[1] or f'not within {seconds} s')


def hears_signals(process):
    "Whether the handlers of `vtd` stand, as Linux tells; what comes before them is Python's own start"
    status = Path(f'/proc/{process.pid}/status')
    if not status.exists():
        return True
    caught = re.search(r'^SigCgt:\s*(\w+)', status.read_text(), re.M)
    return bool(int(caught[1], 16) >> signal.SIGTERM - 1 & 1)


def end(process, number):
    "`(exit code, errors)` after a signal"
    process.send_signal(number)
    try:
        err = process.communicate(timeout=HANGING)[1]
    finally:
        process.kill()
    return process.returncode, err


def test_stopped_in_the_middle_and_kept_apart(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    steps = lambda: [int(f.stem[-8:]) for f in state_files(tmp_path / 'm')]
    process = start(tmp_path)
    until(process, lambda: max(steps(), default=0) >= 40)
    code, _, err = run_main(capsys, 'train', '-o', 'm', *LONG)
    assert code == 2 and ('already holds' in err or 'another training' in err)
    code, _, err = run_main(capsys, 'train', '-o', 'm', *LONG, '--resume')
    assert code == 2 and err.count('\n') == 1 and 'another training is writing' in err
    assert end(process, signal.SIGINT) == (130, 'vtd: interrupted; continue with --resume\n')
    at = load_state(tmp_path / 'm')['step']
    process = start(tmp_path, '--resume')
    until(process, lambda: max(steps()) > at + 20)
    stopped = (143, 'vtd: ended by SIGTERM; continue with --resume\n')
    assert end(process, signal.SIGTERM) == stopped and load_state(tmp_path / 'm')['step'] > at
    files = (tmp_path / 'm').iterdir()
    assert not [f for f in files if f.suffix == '.tmp' or f.name.startswith('.')]


@pytest.mark.parametrize('after', [0, 0.4, 1.2, 2.5])
def test_ctrl_c_while_it_starts(tmp_path, after):
    "In the middle of imports, mostly; nothing is left behind"
    process = start(tmp_path)
    until(process, lambda: hears_signals(process))
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


BOOK = ''.join(f'{kind} sees the {size} {kind}.\n\n' for size in ('red', 'small') for kind in ('cat', 'Dog')) * 60
OPTIONS = [*SMALL, 'steps=6', 'epochs=2', 'length=8']


def train_book(capsys, *words):
    Path('book.txt').write_text(BOOK, encoding='utf-8')
    return run_main(capsys, 'train', 'book.txt', '-o', 'm', *words)


def test_the_end_says_what_it_means_and_where_everything_is(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = train_book(capsys, *OPTIONS)
    assert code == 0 and 'xz -9' in out and 'bits/byte' in out and 'The model is ' in out
    sentence = next(line for line in out.splitlines() if line.startswith('The model is '))
    assert 'bigram' in sentence or 'went wrong' in sentence
    places = dict(line.split(maxsplit=1) for line in out.splitlines() if ' m' in line[:12])
    assert all(Path(places[name]).exists() for name in ('model', 'samples', 'curve', 'metrics', 'log'))
    assert Image.open('m/curve.png').size[0] > 400 and not list(Path('m').glob('train_state*'))


def kept(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


def test_a_finished_training_goes_on_with_its_own_settings(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train_book(capsys, *OPTIONS, 'process=masked')[0] == 0
    before = kept('m')
    code, out, _ = train_book(capsys, '--resume')
    assert code == 0 and kept('m') == before and 'The model is ' in out
    code, out, _ = train_book(capsys, '--resume', 'steps=11')
    assert code == 0 and 'step     12 ' in out and 'step      3 ' not in out
    settings, metrics = (json.loads(Path('m', name).read_text()) for name in ('settings.json', 'metrics.json'))
    assert settings['steps'] == 12 and settings['process'] == 'masked' and settings['width'] == 16
    assert metrics['seconds'] > json.loads(before['metrics.json'])['seconds']
    spent = [json.loads(text)['seconds'] for text in (before['training.json'], Path('m', 'training.json').read_text())]
    assert 0 < spent[0] < spent[1]
    for words, said in ((['steps=4'], 'been trained for 12 steps'), (['steps=20', 'lr=.1'], 'with lr=')):
        code, _, err = train_book(capsys, '--resume', *words)
        assert code == 2 and said in err and err.count('\n') == 1


@pytest.mark.parametrize('word,said', [
    ('steps=0', 'at least 1'), ('lr=50', 'at most 1'), ('lr=nan', 'finite'), ('keep=-1', 'negative'),
    ('valid_parts=0', 'at least 1'), ('vocab_size=100', '256 tokens at least'), ('unit=bpe', "'byte_bpe'"),
])
def test_what_no_training_can_use_is_named(tmp_path, capsys, monkeypatch, word, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = train_book(capsys, *SMALL, 'length=8', word)
    assert code == 2 and said in err and err.count('\n') == 1 and not Path('m').exists()


def test_a_training_that_went_wrong_is_not_praised(tmp_path, capsys, monkeypatch):
    "A text of random letters, where nothing beats their frequencies, and a rate that is far too high"
    monkeypatch.chdir(tmp_path)
    rng = random.Random(0)
    Path('random.txt').write_text(''.join(rng.choice('aaaabcdefgh\n') for _ in range(9000)))
    options = [*SMALL, 'unit=letters', 'length=8', 'steps=40', 'lr=1', 'optimizer=adamw', 'monitor=0']
    code, out, _ = run_main(capsys, 'train', 'random.txt', '-o', 'm', *options)
    assert code == 0 and 'the training went wrong; try lr=0.1' in out
