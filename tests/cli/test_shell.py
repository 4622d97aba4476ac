"`vtd` among other programs: exit codes, pipes, full disks, and errors in one line."

import os
import resource

import pytest

from support.command_line import run_main, shell, vtd
from visual_token_diffusion.cli.shell import run_command
from visual_token_diffusion.core.errors import InputError
from visual_token_diffusion.models.visual_token_lm import STORYTELLER

NO_ROOM = "can't allocate memory: you tried to allocate 9 bytes"


def test_verbose_gives_the_traceback(capsys):
    code, _, err = run_main(capsys, 'info', 'nowhere', '-v')
    assert code == 2 and 'Traceback' in err
    assert err.splitlines()[-1].startswith('vtd: there is no folder')


@pytest.mark.parametrize(
    'error,code,text',
    [
        (InputError('a\nb'), 2, 'vtd: a b\n'),
        (FileNotFoundError(2, 'No such file', 'x'), 2, 'vtd: cannot use x: No such file\n'),
        (OSError(28, 'No space left on device'), 2, 'vtd: the system refused: No space left on device\n'),
        (MemoryError(), 2, 'not enough memory'),
        (RuntimeError(NO_ROOM), 2, 'not enough memory'),
        (KeyboardInterrupt(), 130, 'vtd: interrupted\n'),
        (BrokenPipeError(), 0, ''),
        (SystemExit(2), 2, ''),
    ],
)
def test_every_error_has_its_code_and_line(error, code, text, capsys):
    def run(console):
        raise error

    assert run_command(run) == code and text in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_hidden():
    def run(console):
        raise KeyError('ours')

    with pytest.raises(KeyError):
        run_command(run)


def test_a_reader_that_leaves_and_a_disk_without_room():
    ran = shell('vtd generate -n 200 --length 64 --steps 1 | head -1')
    assert ran.returncode == 0 and ran.stderr == '' and ran.stdout.count('\n') == 1
    ran = shell('vtd --help | true')
    assert ran.returncode == 0 and ran.stderr == ''
    if os.path.exists('/dev/full'):
        ran = shell('vtd info > /dev/full')
        assert ran.returncode == 2 and ran.stderr.count('\n') == 1 and 'No space' in ran.stderr
    ran = shell('vtd info >&-')
    assert ran.returncode == 0 and ran.stderr == ''


def test_a_disk_that_fills_up_under_a_picture(tmp_path):
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    text = 'the cat ' * 99 + 'the'
    ran = vtd('encode', STORYTELLER, text, '-o', 'e.png', cwd=tmp_path, preexec_fn=limit)
    assert ran.returncode == 2 and ran.stderr.count('\n') == 1, ran.stderr
    assert 'cannot write' in ran.stderr and not list(tmp_path.iterdir()), ran.stderr
