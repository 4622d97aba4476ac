"Folders of other models than a language's, pipes and broken links: `vtd` says what they are."

import json
import os

import pytest
import torch
from support.command_line import run_main
from support.unified import build

from visual_token_diffusion.models.unified.model import UnifiedModel
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.base import ImageTokenizer
from visual_token_diffusion.viz.png import load_sentence, save_sentence

HOLDS = dict(
    words='a unified model of words and pictures',
    patches='a tokenizer of pictures (PatchTokenizer)',
    **{'words/pictures': 'what the pictures of a unified model are made of (CellCodes)'},
)


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    "A unified model, a tokenizer, a pipe, and links to nowhere"
    place = tmp_path_factory.mktemp('others')
    build('show_o').save_pretrained(place / 'words')
    torch.manual_seed(0)
    ImageTokenizer.make('patch', VectorQuantizer(4, 8), size=24, patch=8, width=16).save_pretrained(place / 'patches')
    os.mkfifo(place / 'pipe')
    (place / 'loop').symlink_to('loop')
    (place / 'gone.txt').symlink_to('nowhere')
    return place


@pytest.mark.parametrize('name', HOLDS)
def test_the_folder_of_another_model_is_named(name, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    code, out, err = run_main(capsys, 'info', name)
    assert (code, err) == (0, '') and out.startswith(f'{name} holds {HOLDS[name]}\n') and out.count('\n') == 2
    found = json.loads(run_main(capsys, 'info', name, '--json')[1])
    assert found['kind'] == 'other model' and found['about'] == HOLDS[name]
    for words in (['generate', name], ['encode', name, 'a cat', '-o', 'x.png'], ['decode', name, 'x.png']):
        code, out, err = run_main(capsys, *words)
        assert (code, out) == (2, '') and err.count('\n') == 1, err
        assert f'{name} holds {HOLDS[name]}, not a language model; ' in err and 'damaged' not in err
    with pytest.raises(ValueError, match='not a language model'):
        VisualTokenLM.from_pretrained(name)


def test_what_it_says_loads_the_model(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    said = run_main(capsys, 'info', 'words')[1]
    assert f"{UnifiedModel.__module__}.UnifiedModel.from_pretrained('words')" in said
    assert UnifiedModel.from_pretrained('words').switches == build('show_o').switches
    said = run_main(capsys, 'info', 'patches')[1]
    assert f"{ImageTokenizer.__module__}.ImageTokenizer.from_pretrained('patches')" in said
    assert type(ImageTokenizer.from_pretrained('patches')).__name__ == 'PatchTokenizer'


ODD = dict(pipe='a pipe or a device', loop='Too many levels', **{'gone.txt': 'No such file'})


@pytest.mark.parametrize('name', ODD)
def test_what_is_no_file_is_one_line(name, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    code, out, err = run_main(capsys, 'info', name)
    assert (code, out) == (2, '') and err.count('\n') == 1 and ODD[name] in err, err


def test_a_picture_says_whether_its_model_must_be_named(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert run_main(capsys, 'encode', 'the cat', '-o', 'ours.png')[0] == 0
    grids = load_sentence('ours.png')[0]
    save_sentence('theirs.png', grids, dict(fingerprint='0' * 16))
    assert run_main(capsys, 'draw', 'the cat', '-o', 'drawn.png')[0] == 0
    said = {name: run_main(capsys, 'info', f'{name}.png')[1] for name in ('ours', 'theirs', 'drawn')}
    assert 'vtd decode ours.png' in said['ours'] and 'vtd decode drawn.png' in said['drawn']
    assert 'vtd decode MODEL theirs.png' in said['theirs']
    assert run_main(capsys, 'decode', 'theirs.png')[0] == 2 and run_main(capsys, 'decode', 'ours.png')[0] == 0
