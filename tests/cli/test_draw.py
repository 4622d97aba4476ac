"`vtd draw` and `vtd decode` without a model; the old way with a model stays; bad input is one line and exit code 2."

import io
import json
import sys

import pytest
from PIL import Image
from support.command_line import run_main, vtd_bytes

from visual_token_diffusion.cli.parser import parse_arguments
from visual_token_diffusion.encoders import icon_choice

TEXTS = ['The cat sleeps under the tree.', 'Die Katze schläft.\n', 'Кошка спит', '猫は木の下で寝る。', 'blorf wugs\tzindle ']


@pytest.mark.parametrize('text', TEXTS)
def test_a_text_goes_there_and_back(text, tmp_path, capsys):
    path = tmp_path / 'x.png'
    code, out, err = run_main(capsys, 'draw', text, '-o', path)
    assert code == 0 and 'tokens' in out + err, err
    code, out, err = run_main(capsys, 'decode', path)
    assert (code, out, err) == (0, text, '')


def test_words_and_json(tmp_path, capsys):
    code, out, _ = run_main(capsys, 'draw', 'the cat sleeps', '-o', tmp_path / 'x.png', '--words', '--json')
    told = json.loads(out)
    assert code == 0 and told['tokens'] == 3 and told['icons'] == 2 and told['language'] == 'en'
    assert Image.open(told['words']).height > Image.open(told['picture']).height


def test_standard_input(tmp_path):
    ran = vtd_bytes('draw', '-', '-o', tmp_path / 'x.png', input='ein Haus\n'.encode())
    assert ran.returncode == 0, ran.stderr
    assert vtd_bytes('decode', tmp_path / 'x.png').stdout.decode() == 'ein Haus\n'


def test_a_picture_that_lost_its_chunk_is_read_with_a_note(tmp_path, capsys):
    run_main(capsys, 'draw', 'the cat', '-o', tmp_path / 'x.png')
    Image.open(tmp_path / 'x.png').convert('RGB').save(tmp_path / 'bare.png')
    code, out, err = run_main(capsys, 'decode', tmp_path / 'bare.png')
    assert code == 0 and out == 'the cat' and 'lost its text chunk' in err


def test_without_the_extra_it_says_what_would_draw_more(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(icon_choice, 'emoji_installed', lambda: False)
    code, out, err = run_main(capsys, 'draw', 'the cat', '-o', tmp_path / 'x.png')
    assert code == 0 and "pip install 'visual_token_diffusion[emoji]'" in out + err


@pytest.mark.skipif(not icon_choice.emoji_installed(), reason='the extra emoji is not installed')
def test_who_drew_the_emoji_is_said_and_kept(tmp_path, capsys):
    code, out, err = run_main(capsys, 'draw', 'a guitar', '-o', tmp_path / 'x.png')
    assert code == 0 and 'OpenMoji' in out + err and b'OpenMoji' in (tmp_path / 'x.png').read_bytes()
    code, out, err = run_main(capsys, 'draw', 'a cat', '-o', tmp_path / 'y.png')
    assert code == 0 and 'OpenMoji' not in out + err and b'OpenMoji' not in (tmp_path / 'y.png').read_bytes()


def turned(path):
    Image.open(path).rotate(180).save(path)
    return path


def painted(path):
    Image.new('RGB', (40, 40), 'red').save(path)
    return path


BAD = {
    'should end in .png': lambda p: ['draw', 'a cat', '-o', p / 'x.jpg'],
    'no folder': lambda p: ['draw', 'a cat', '-o', p / 'no' / 'x.png'],
    'no text to draw': lambda p: ['draw', '', '-o', p / 'y.png'],
    "did you mean 'de'": lambda p: ['draw', 'a cat', '-o', p / 'y.png', '--language', 'dee'],
    'not UTF-8': lambda p: ['draw', 'a \udcff', '-o', p / 'y.png'],
    'No such file': lambda p: ['decode', p / 'nowhere.png'],
    'is a folder': lambda p: ['decode', p],
    'cannot be read without a model|not a picture': lambda p: ['decode', turned(p / 'x.png')],
    'not a picture we can read': lambda p: ['decode', painted(p / 'red.png')],
}


@pytest.mark.parametrize('said', BAD)
def test_bad_input_is_one_line_and_code_2(said, tmp_path, capsys):
    run_main(capsys, 'draw', 'the cat', '-o', tmp_path / 'x.png')
    code, out, err = run_main(capsys, *BAD[said](tmp_path))
    assert code == 2 and out == '' and err.count('\n') == 1
    assert any(part in err for part in said.split('|')), err
    assert not (tmp_path / 'y.png').exists()


def test_pictures_of_models_and_drawn_ones_are_told_apart(folder, tmp_path, capsys):
    model = folder / 'model'
    assert run_main(capsys, 'encode', model, 'a cat', '-o', tmp_path / 'm.png')[0] == 0
    assert run_main(capsys, 'draw', 'a cat', '-o', tmp_path / 'd.png')[0] == 0
    assert run_main(capsys, 'decode', model, tmp_path / 'm.png')[:2] == (0, 'a cat')
    code, _, err = run_main(capsys, 'decode', tmp_path / 'm.png')
    assert code == 2 and 'vtd decode MODEL' in err and err.count('\n') == 1
    code, _, err = run_main(capsys, 'decode', model, tmp_path / 'd.png')
    assert code == 2 and err.count('\n') == 1


def test_the_parser_takes_a_picture_alone_or_after_a_model():
    assert parse_arguments(['decode', 'x.png'])['given'] == ['x.png']
    assert parse_arguments(['decode', 'runs/a', 'x.png'])['given'] == ['runs/a', 'x.png']
    assert parse_arguments(['decode', 'runs/a', '--json', 'x.png'])['given'] == ['runs/a', 'x.png']


def test_train_takes_the_grid_that_the_encoder_is_made_for():
    from visual_token_diffusion.cli.train import _split_words

    assert 'grid=16' in _split_words(['encoder=pictograms'])[1]
    assert 'grid=16' not in _split_words(['encoder=pictograms', 'grid=8'])[1]
    assert not any(s.startswith('grid') for s in _split_words(['encoder=pyramid', 'steps=3'])[1])
    assert not any(s.startswith('grid') for s in _split_words(['encoder=nothing'])[1])


def test_importing_the_parser_imports_no_torch():
    code = 'import sys, visual_token_diffusion.cli.parser; sys.exit("torch" in sys.modules)'
    import subprocess

    assert subprocess.run([sys.executable, '-c', code]).returncode == 0


@pytest.mark.parametrize('n, said', [(5_000_000, '5,000,000 characters'), (20_000_000, 'more than 8,000,000 bytes')])
def test_a_text_of_millions_is_refused_before_it_is_drawn(n, said, folder, tmp_path, capsys, monkeypatch):
    for command in (['draw'], ['encode', folder / 'model']):
        monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(bytes(n))))
        code, out, err = run_main(capsys, *command, '-', '-o', tmp_path / 'x.png')
        assert code == 2 and out == '' and err.count('\n') == 1 and said in err


def test_ten_thousand_names_and_control_characters_come_back(tmp_path, capsys):
    for text in ('cat dog house ' * 3334, 'a\x01b\x1b[31m cat\x07'):
        assert run_main(capsys, 'draw', text, '-o', tmp_path / 'x.png')[0] == 0
        assert run_main(capsys, 'decode', tmp_path / 'x.png')[:2] == (0, text)
