"Environment variables with nonsense in them: one line that names the variable, or what to start the processes with."

import os

import pytest
from support.command_line import run_main, vtd

COMMAND = ('train', 'book.txt', '-o', 'm', 'steps=2', 'epochs=1')
ODD = dict(
    VTD_PROFILE=('laptop', "profile 'laptop'"),
    WORLD_SIZE=('abc', "WORLD_SIZE should be a number of processes, as torchrun sets it, got 'abc'; unset it"),
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    "A folder with a text, and no processes"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('VTD_PROFILE', 'ci')
    for key in ('MASTER_ADDR', 'MASTER_PORT', 'RANK', 'WORLD_SIZE'):
        monkeypatch.delenv(key, raising=False)
    (tmp_path / 'book.txt').write_text('It was a dark night.\n' * 30)
    return tmp_path


def assert_one_line(err, said, place):
    assert err.startswith('vtd') and err.count('\n') == 1 and said in err, err
    assert [p.name for p in place.iterdir()] == ['book.txt']


@pytest.mark.parametrize('name', ODD)
def test_nonsense_in_the_environment_is_one_line(name, place, capsys, monkeypatch):
    value, said = ODD[name]
    monkeypatch.setenv(name, value)
    code, out, err = run_main(capsys, *COMMAND)
    assert (code, out) == (2, '')
    assert_one_line(err, said, place)


def test_processes_that_cannot_meet_are_one_line(place):
    alone = dict(WORLD_SIZE='2', RANK='0', MASTER_ADDR='127.0.0.1', MASTER_PORT='x')
    ran = vtd(*COMMAND, env=os.environ | alone)
    assert (ran.returncode, ran.stdout) == (2, '')
    assert_one_line(ran.stderr, 'start them with torchrun', place)
