"Twenty more wrong commands and twenty wrong calls: each one line, none with a traceback, none silent."

import numpy as np
import pytest
import torch
from support.command_line import run_main

import visual_token_diffusion as package
from visual_token_diffusion.diffusion.gaussian import RectifiedFlow
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.patch import PatchTokenizer
from visual_token_diffusion.viz.grids import Grids, sentence_image
from visual_token_diffusion.viz.png import load_sentence, save_sentence
from visual_token_diffusion.viz.views import View

COMMANDS = [
    ['--verison'],
    ['help'],
    ['train', 'a.txt', 'b.txt'],
    ['train', 'steps'],
    ['train', '', '-o', 'm'],
    ['train', '--steps', '100', 'book.txt'],
    ['train', 'book.txt', 'steps=ten'],
    ['train', 'book.txt', 'encoder=semantics'],
    ['generate', '--n', '3'],
    ['generate', '-n', '2.5'],
    ['generate', '--prompt'],
    ['generate', '--prompts', 'nowhere.txt'],
    ['generate', '--sampler', ''],
    ['generate', '--top-p', 'half'],
    ['generate', '--seed', '1e5'],
    ['generate', '--out', '.png'],
    ['generate', 'http://example.org/model'],
    ['encode', '-o', 'x.png', '  ', 'runs'],
    ['encode', 'the cat'],
    ['decode', 'book.txt'],
    ['decode', '/dev/null'],
    ['draw', 'a cat'],
    ['draw', 'a', 'cat', '-o', 'x.png'],
    ['info', '--json', '--verbsoe'],
    ['completion'],
    ['completion', 'powershell'],
]


@pytest.mark.parametrize('words', COMMANDS, ids=' '.join)
def test_a_wrong_command_is_one_line(words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    monkeypatch.setenv('VTD_PROFILE', 'ci')
    (tmp_path / 'book.txt').write_text('It was a dark night.\n' * 30)
    code, out, err = run_main(capsys, *words)
    assert code == 2 and out == '', (code, out)
    assert err.startswith('vtd: ') and err.count('\n') == 1 and 20 < len(err) < 400, err
    assert [p.name for p in tmp_path.iterdir()] == ['book.txt'], 'something was left behind'


def flow_dls():
    from fastai.data.core import DataLoaders

    data = [(torch.rand(3, 24, 24), 0)] * 8
    return DataLoaders.from_dsets(data, data, bs=4)


CALLS = {
    'from_pretrained takes no file': lambda: package.VisualTokenLM.from_pretrained(__file__),
    'no text': lambda: package.train_on(''),
    'no corpus': lambda: package.train_on(None),
    'a number': lambda: package.train_on(5),
    'an open file': lambda: package.train_on(open(__file__)),
    'a folder': lambda: package.train_on('/'),
    'a setting that is none': lambda: package.train_on('the cat ' * 99, width='wide'),
    'a setting misspelt': lambda: package.train_on('the cat ' * 99, widht=3),
    'a vocabulary of no name': lambda: package.make_vocab('wrods', 'the cat'),
    'a vocabulary of a number': lambda: package.make_vocab(5),
    'a vocabulary of no text': lambda: package.make_vocab('words', 5),
    'settings as a dict': lambda: package.load_settings('ci', {'steps': 3}),
    'settings as a text': lambda: package.load_settings('ci', 'steps=3'),
    'a profile that is a number': lambda: package.load_settings(5),
    'a seam misspelt': lambda: package.seam_base('quantiser'),
    'a seam that is a number': lambda: package.seam_base(5),
    'a part misspelt': lambda: package.seam_base('quantizer').make('vqq', 3),
    'text to draw that is none': lambda: package.TextDrawer().draw(5),
    'grids to read that are none': lambda: package.TextDrawer().read('x.png'),
    'a language that is none': lambda: package.TextDrawer('klingon', emoji=False),
    'a language that is a number': lambda: package.TextDrawer(3),
    'a view to nowhere': lambda: View('<p>x</p>', 'x').save('nowhere/x.html'),
    'a view to no path': lambda: View('<p>x</p>', 'x').save(None),
    'curves of nothing': lambda: package.training_view([]),
    'curves of a text': lambda: package.training_view('losses'),
    'no folder of pictures': lambda: package.picture_dls('nowhere'),
    'pictures of no size': lambda: package.picture_dls('.', size=None),
    'a learner of a list': lambda: package.tokenizer_learner([1, 2], None),
    'a process in the place of a model': lambda: package.diffusion_learner(flow_dls(), RectifiedFlow()),
    'a class in the place of a process': lambda: package.diffusion_learner(flow_dls(), None, RectifiedFlow),
    'samples of a model': lambda: package.sample_pictures(torch.nn.Linear(1, 1)),
    'a tokenizer without a quantizer': lambda: PatchTokenizer('vq'),
    'a tokenizer of a class': lambda: PatchTokenizer(VectorQuantizer),
    'pictures that are none': lambda: PatchTokenizer(VectorQuantizer(4, 8)).encode('photo.png'),
    'pictures as an array': lambda: PatchTokenizer(VectorQuantizer(4, 8)).encode(np.zeros((1, 3, 24, 24))),
    'vectors that are none': lambda: VectorQuantizer(4, 8).encode([1.0, 2.0]),
    'a sentence of no grids': lambda: sentence_image('the cat'),
    'grids of a list': lambda: Grids([[1]]),
    'a sentence to a jpg': lambda: save_sentence('x.jpg', torch.zeros(1, 3, 8, 8)),
    'a sentence from a number': lambda: load_sentence(5),
}


@pytest.mark.parametrize('what', CALLS)
def test_a_wrong_call_is_one_line(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('VTD_PROFILE', 'ci')
    with pytest.raises(ValueError) as e:
        CALLS[what]()
    said = str(e.value)
    assert '\n' not in said and 15 < len(said) < 400, said
    assert list(tmp_path.iterdir()) == []
