"Real processes, really killed: resumed, they end in the same bits."

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
from support.command_line import quiet_main
from support.resuming import ARGS, TEXT, finish, same, start

from visual_token_diffusion.training.resume import load_state, state_files


def killed_once(folder, out, rng):
    "Start or resume, wait for a newer state, and kill at a random moment after it; the newest step"
    before = state_files(out)[-1:] if out.exists() else []
    p = start(folder, out.name, *(['--resume'] if before else []))
    while p.poll() is None and state_files(out)[-1:] == before:
        time.sleep(0.005)
    time.sleep(rng.uniform(0, 0.3))
    p.send_signal(signal.SIGKILL)
    p.wait()
    for f in state_files(out):
        assert torch.load(f, weights_only=True)['format'] == 1, 'a state that cannot be read'
    return int(state_files(out)[-1].stem[-8:])


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    "The folder of a training that nobody disturbed"
    folder = tmp_path_factory.mktemp('undisturbed')
    (folder / 'book.txt').write_text(TEXT)
    code, _, errors = quiet_main(folder, *ARGS, '-o', 'whole')
    assert code == 0, errors
    return folder / 'whole'


def kill_and_compare(folder, whole, n, seed=0):
    (folder / 'book.txt').write_text(TEXT)
    rng = random.Random(seed)
    steps = [killed_once(folder, folder / 'killed', rng) for _ in range(n)]
    finish(folder, 'killed', '--resume')
    same(folder / 'killed', whole)
    return steps


def test_killed_by_the_system_three_times(tmp_path, whole):
    assert kill_and_compare(tmp_path, whole, 3)


@pytest.mark.skipif(not os.environ.get('VTD_SLOW'), reason='twenty processes; set VTD_SLOW=1')
def test_killed_by_the_system_twenty_times(tmp_path, whole):
    assert any(s % 40 for s in kill_and_compare(tmp_path, whole, 20))


HALF = '''
import io, os, signal, torch

plain, n = torch.save, [0]

def save(obj, f):
    n[0] += 1
    if n[0] < 5:
        return plain(obj, f)
    whole = io.BytesIO()
    plain(obj, whole)
    f.write(whole.getvalue()[:len(whole.getvalue()) // 2])
    f.flush()
    os.kill(os.getpid(), signal.SIGKILL)

torch.save = save
from visual_token_diffusion.cli.main import main
main(%r)
'''


def test_killed_in_the_middle_of_a_write(tmp_path, whole):
    (tmp_path / 'book.txt').write_text(TEXT)
    command = [sys.executable, '-c', HALF % [*ARGS, '-o', 'killed']]
    r = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    out = tmp_path / 'killed'
    assert r.returncode == -signal.SIGKILL and len(list(out.glob('*.tmp'))) == 1, r.stderr
    assert load_state(out)['step'] == 6
    finish(tmp_path, 'killed', '--resume')
    same(out, whole)
    assert not list(out.glob('*.tmp'))
