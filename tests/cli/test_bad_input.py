"What a user may do wrong: one line, exit code 2, and nothing left behind."

import json
import os
import resource
import shutil

import pytest
from PIL import Image

from support.command_line import run_main, tree, vtd
from visual_token_diffusion.cli.main import main

NEW = ('train', 'python.txt', '-o', 'new')
ENDINGS = dict(noweights='model.safetensors', noconfig='config.json', novocab='vocab.json')


def damaged_models(folder):
    "Models that lack a file, and models with a third of it"
    for name, file in ENDINGS.items():
        shutil.copytree(folder / 'model', folder / name)
        (folder / name / file).unlink()
        bad = shutil.copytree(folder / 'model', folder / f'bad{name}') / file
        whole = bad.read_bytes()
        bad.write_bytes(whole[: len(whole) // 3])
    config = shutil.copytree(folder / 'model', folder / 'newer') / 'config.json'
    config.write_text(json.dumps(json.loads(config.read_text()) | dict(format=9)))


@pytest.fixture(scope='session')
def traps(folder):
    "Files that are wrong in every way"
    (folder / 'empty.txt').write_text('')
    (folder / 'word.txt').write_text('hello')
    (folder / 'binary.txt').write_bytes(bytes(range(256)) * 10)
    (folder / 'dir').mkdir()
    vtd('encode', 'model', 'a cat', '-o', 'good.png', cwd=folder)
    whole = (folder / 'good.png').read_bytes()
    (folder / 'cut.png').write_bytes(whole[: len(whole) // 2])
    (folder / 'text.png').write_text('not a png')
    Image.effect_noise((64, 64), 50).convert('RGB').save(folder / 'foreign.png')
    damaged_models(folder)
    (folder / 'readonly').mkdir()
    (folder / 'readonly').chmod(0o500)
    return folder


bad = {
    'missing file': ('train', 'nowhere.txt'),
    'empty text': ('train', 'empty.txt'),
    'binary file': ('train', 'binary.txt'),
    'folder': ('train', 'dir'),
    'one word': ('train', 'word.txt'),
    'unknown profile': ('train', 'python.txt', '--profile', 'gpuu'),
    'unknown key': ('train', 'python.txt', 'widht=3'),
    'wrong value': ('train', 'python.txt', 'width=wide'),
    'unknown part': ('train', 'python.txt', 'head=flatt'),
    'impossible grid': (*NEW, 'grid=7'),
    'too few entries': (*NEW, 'codebook_size=3'),
    'no such device': (*NEW, 'device=cuda:7'),
    'out is a file': ('train', 'python.txt', '-o', 'python.txt'),
    'out below a file': ('train', 'python.txt', '-o', 'python.txt/x'),
    'out is taken': ('train', 'python.txt', '-o', 'model'),
    'nothing to resume': (*NEW, '--resume'),
    'other text to resume': ('train', 'good.png', '-o', 'model', '--resume'),
    'no model': ('generate', 'nowhere'),
    'model is a file': ('generate', 'python.txt'),
    'model is a picture': ('generate', 'foreign.png'),
    'empty folder': ('info', 'dir'),
    'empty file': ('info', 'empty.txt'),
    'nothing to tell of': ('info', 'nowhere'),
    **{name: ('generate', name) for name in [*ENDINGS, *map('bad{}'.format, ENDINGS), 'newer']},
    'no steps': ('generate', 'model', '--steps', '0'),
    'no samples': ('generate', 'model', '-n', '0'),
    'long prompt': ('generate', 'model', '--prompt', 'word ' * 200),
    'cold': ('generate', 'model', '--temperature', '-1'),
    'too long': ('generate', 'model', '--length', '1000000'),
    'negative length': ('generate', 'model', '--length', '-3'),
    'no length': ('generate', 'model', '--length', '0'),
    'too many': ('generate', 'model', '-n', '1000000000'),
    'steps below zero': ('generate', 'model', '--steps', '-5'),
    'no such sampler': ('generate', 'model', '--sampler', 'entropy_bund'),
    'a sampler for another process': ('generate', 'model', '--sampler', 'psi,kappa=.5'),
    'a bound below zero': ('generate', 'model', '--sampler', 'entropy_bound,bound=-1'),
    'an option without value': ('generate', 'model', '--sampler', 'entropy_bound,bound'),
    'a bound of nothing': ('generate', 'model', '--sampler', 'entropy_bound,bound=0'),
    'crossed thresholds': ('generate', 'model', '--sampler', 'editing,threshold=.5,edit_threshold=.9'),
    'blocks for another process': ('generate', 'model', '--sampler', 'blocks'),
    'uniform blocks for another process': ('generate', 'model', '--sampler', 'uniform_blocks'),
    'fewer steps than blocks': ('generate', 'model', '--sampler', 'masked,block=2', '--steps', '3'),
    'blocks that do not divide': (*NEW, 'process=block', 'length=30'),
    'bytes that are no text': ('encode', 'model', 'caf\udce9', '-o', 'e.png'),
    'not a number': ('generate', 'model', '-n', 'many'),
    'odd picture name': ('generate', 'model', '--out', 'x.jpg'),
    'no folder for picture': ('generate', 'model', '--out', 'no/x.png'),
    'no text': ('encode', 'model', '', '-o', 'e.png'),
    'encode needs out': ('encode', 'model', 'cat'),
    'encode to folder': ('encode', 'model', 'cat', '-o', 'dir'),
    'foreign png': ('decode', 'model', 'foreign.png'),
    'truncated png': ('decode', 'model', 'cut.png'),
    'text as png': ('decode', 'model', 'text.png'),
    'missing png': ('decode', 'model', 'no.png'),
    'unknown command': ('paint',),
    'unknown option': ('info', 'model', '--colour'),
}


@pytest.mark.parametrize('name', bad)
def test_bad_input(traps, name, capsys, monkeypatch):
    monkeypatch.chdir(traps)
    monkeypatch.setenv('VTD_PROFILE', 'ci')
    before = tree(traps)
    code, _, err = run_main(capsys, *bad[name])
    assert code == 2, err
    last = [line for line in err.strip().splitlines() if not line.startswith(('usage:', ' '))]
    assert len(last) == 1 and len(last[0]) < 400 and 'Traceback' not in err, err
    assert tree(traps) == before, 'something was left behind'


through_the_command = ('missing file', 'one word', 'unknown key', 'foreign png', 'truncated png', 'badnoweights')


@pytest.mark.parametrize('name', through_the_command)
def test_bad_input_through_the_real_command(traps, name):
    before = tree(traps)
    ran = vtd(*bad[name], cwd=traps, env=os.environ | dict(VTD_PROFILE='ci'))
    said = ran.stdout + ran.stderr
    assert ran.returncode == 2 and ran.stdout == '', said
    assert ran.stderr.startswith('vtd: ') and ran.stderr.count('\n') == 1, said
    assert tree(traps) == before


def test_a_picture_cut_anywhere_is_refused(traps, tmp_path, capsys):
    whole = (traps / 'good.png').read_bytes()
    for n in {*range(0, len(whole), 37), *range(len(whole) - 14, len(whole))}:
        (tmp_path / 'x.png').write_bytes(whole[:n])
        code, out, err = run_main(capsys, 'decode', traps / 'model', tmp_path / 'x.png')
        assert code == 2, n
        assert out == '' and err.count('\n') == 1


def test_a_disk_that_fills_up(traps):
    "No file may grow beyond a megabyte: the checkpoint does not fit"
    before = tree(traps)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))
    sizes = ['--profile', 'ci', 'steps=4', 'epochs=1']
    ran = vtd('train', 'python.txt', '-o', 'deep/new/model', *sizes, cwd=traps, preexec_fn=limit)
    assert ran.returncode == 2 and ran.stderr.count('\n') == 1, ran.stderr
    assert 'is the disk full?' in ran.stderr, ran.stderr
    assert tree(traps) == before


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='needs /proc, where nobody makes folders')
def test_a_folder_that_nobody_can_make(traps):
    ran = vtd('train', 'python.txt', '-o', '/proc/model', '--profile', 'ci', cwd=traps)
    assert ran.returncode == 2 and ran.stderr.count('\n') == 1, ran.stderr
    assert 'name another with -o' in ran.stderr, ran.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_folder_that_cannot_be_written(traps):
    ran = vtd('train', 'python.txt', '-o', 'readonly/model', '--profile', 'ci', cwd=traps)
    assert ran.returncode == 2 and 'permission' in ran.stderr
    assert not list((traps / 'readonly').iterdir())


def test_folder_that_cannot_be_written_even_by_root(traps, monkeypatch, capsys):
    monkeypatch.chdir(traps)
    monkeypatch.setattr('visual_token_diffusion.cli.train.os.access', lambda path, mode: False)
    assert main(['train', 'python.txt', '-o', 'fresh/model', '--profile', 'ci']) == 2
    assert 'permission' in capsys.readouterr().err and not (traps / 'fresh').exists()
