"A bad checkpoint, a full disk, a read-only folder: one line, code 2, and what was there stays."

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.resuming import ARGS, TEXT

from visual_token_diffusion.cli.main import main
from visual_token_diffusion.core import files
from visual_token_diffusion.training import resume
from visual_token_diffusion.training.resume import load_state, save_state, state_files

SHORT = ['steps=6', 'save_steps=0']


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bad')
    (folder / 'book.txt').write_text(TEXT)
    here = os.getcwd()
    os.chdir(folder)
    try:
        assert main([*ARGS, '-o', 'm', *SHORT]) == 0
    finally:
        os.chdir(here)
    return folder


class Evil:
    def __reduce__(self):
        return (os.system, ('touch ran',))


def change(d, **kwargs):
    "Other values in the newest state; None takes a key out"
    f = state_files(d)[-1]
    state = torch.load(f, weights_only=True) | kwargs
    torch.save({k: v for k, v in state.items() if v is not None}, f)


def write(d, content):
    "Other bytes in place of the newest state"
    state_files(d)[-1].write_bytes(content)


def half(d):
    write(d, state_files(d)[-1].read_bytes()[:5000])


def less(d):
    "The model of the newest state without a tensor"
    model = torch.load(state_files(d)[-1], weights_only=True)['model']
    model.pop('backbone.blocks.0.up.weight')
    change(d, model=model)


def without(d, name):
    "A saved model without a tensor"
    tensors = load_file(d / 'model.safetensors')
    tensors.pop(name)
    save_file(tensors, d / 'model.safetensors')


def edit(f, **kwargs):
    f.write_text(json.dumps(json.loads(f.read_text()) | kwargs))


def rename_a_word(d):
    f = d / 'vocab.json'
    f.write_text(f.read_text().replace('"cat"', '"zebu"'))


RESUME_TRAPS = {
    'older state': (lambda d: change(d, format=0), 'written by version'),
    'newer state': (lambda d: change(d, format=2, library_version='9.0'), 'written by version 9.0'),
    'state of another vocabulary': (lambda d: change(d, vocab='0' * 16), 'another vocabulary'),
    'state without a tensor': (less, 'up.weight'),
    'state without a part': (lambda d: change(d, opt=None), "no 'opt'"),
    'state with another part': (lambda d: change(d, epoch='two'), "'epoch' is not"),
    'state with a pickle': (
        lambda d: torch.save(dict(format=1, evil=Evil()), state_files(d)[-1]),
        'not opened',
    ),
    'state that is a bare pickle': (lambda d: write(d, pickle.dumps(Evil())), 'not opened'),
    'half a state': (half, 'damaged'),
    'empty state': (lambda d: write(d, b''), 'damaged'),
    'a list': (lambda d: torch.save([1], state_files(d)[-1]), 'not a training state'),
}
MODEL_TRAPS = {
    'newer model': (lambda d: edit(d / 'config.json', format=9), 'format 9'),
    'model without a tensor': (lambda d: without(d, 'backbone.blocks.0.up.weight'), 'up.weight'),
    'model without another tensor': (
        lambda d: without(d, 'backbone.blocks.0.down.weight'),
        'damaged',
    ),
    'pickle as model': (lambda d: torch.save(dict(a=Evil()), d / 'model.safetensors'), 'damaged'),
    'another vocabulary': (rename_a_word, 'altered'),
}


def contents(d):
    return {p: p.read_bytes() for p in d.rglob('*') if p.is_file()}


@pytest.mark.parametrize('name', [*RESUME_TRAPS, *MODEL_TRAPS])
def test_a_bad_checkpoint_is_one_line_and_code_2(trained, tmp_path, capsys, monkeypatch, name):
    shutil.copytree(trained, tmp_path / 'x')
    monkeypatch.chdir(tmp_path / 'x')
    d = Path('m')
    spoil, want = (RESUME_TRAPS | MODEL_TRAPS)[name]
    spoil(d)
    before = contents(d)
    resuming = [*ARGS, '-o', 'm', *SHORT, '--resume']
    capsys.readouterr()
    code = main(resuming if name in RESUME_TRAPS else ['generate', 'm'])
    err = capsys.readouterr().err
    assert code == 2 and err.count('\n') == 1 and want in err and len(err) < 400, err
    assert not Path('ran').exists() and contents(d) == before


def test_a_disk_that_fills_up_later(tmp_path, capsys, monkeypatch):
    "The start is saved, the next state is not: one line, code 2, and what was saved is whole"
    monkeypatch.chdir(tmp_path)
    Path('book.txt').write_text(TEXT)
    plain, n = torch.save, [0]

    def full(obj, f):
        n[0] += 1
        if n[0] == 2:
            f.write(b'half')
            raise OSError(28, 'No space left on device')
        return plain(obj, f)

    monkeypatch.setattr(resume.torch, 'save', full)
    assert main([*ARGS, '-o', 'm']) == 2
    err = capsys.readouterr().err
    assert err.count('\n') == 1 and 'is the disk full' in err, err
    assert load_state('m')['step'] == 0 and not list(Path('m').glob('*.tmp'))


def test_a_folder_that_has_become_read_only(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(trained / 'book.txt', '.')

    def read_only(a, b):
        raise PermissionError(13, 'Permission denied', str(b))

    # root may write anywhere, so the system's answer is played
    monkeypatch.setattr(files.os, 'replace', read_only)
    assert main([*ARGS, '-o', 'n', *SHORT]) == 2
    err = capsys.readouterr().err
    assert err.count('\n') == 1 and 'read-only' in err, err


def test_a_started_training_is_not_overwritten(trained, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    shutil.copy(trained / 'book.txt', '.')
    Path('m').mkdir()
    save_state(dict(a=1), 'm', 0)
    assert main([*ARGS, '-o', 'm']) == 2 and '--resume' in capsys.readouterr().err
