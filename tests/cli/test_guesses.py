"What somebody meant: misspelt commands, swapped arguments, texts without quotes, files in the place of models."

import json

import pytest
from PIL import Image
from support.command_line import run_main

from visual_token_diffusion.models.visual_token_lm import STORYTELLER


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    "A text, pictures of three writers, folders of several kinds"
    place = tmp_path_factory.mktemp('guesses')
    (place / 'book.txt').write_text('It was a dark night.\n' * 40, encoding='utf-8')
    (place / 'noise.bin').write_bytes(bytes(range(256)) * 4)
    Image.effect_noise((40, 30), 50).convert('RGB').save(place / 'photo.jpg')
    (place / 'texts').mkdir()
    for name in ('a.txt', 'b.md', 'c.pdf'):
        (place / 'texts' / name).write_text('one two\n')
    (place / 'runs').mkdir()
    (place / 'runs' / 'story').symlink_to(STORYTELLER)
    (place / 'empty').mkdir()
    return place


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv('VTD_PROFILE', 'ci')
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    return place


WRONG = {
    'did you mean generate?': ['generat'],
    'did you mean train?': ['trian', 'book.txt'],
    'known: train, generate': ['xyzzy'],
    'did you mean `vtd train book.txt`': ['book.txt'],
    'the command comes first; did you mean `vtd info runs/story`': ['runs/story', 'info'],
    'did you mean `vtd generate runs/story`': ['runs/story'],
    'did you mean `vtd train --help`?': ['help', 'train'],
    'a setting is written steps=VALUE': ['train', 'book.txt', '--steps', '10'],
    'did you mean --length?': ['generate', '--lenght', '4'],
    'did you mean confidence?': ['generate', '--order', 'confidense'],
    'did you mean bash?': ['completion', 'bsh'],
    "know what to do with 'It was'": ['generate', 'runs/story', 'It', 'was'],
    'the prompt is not UTF-8; convert it first': ['generate', '--prompt', 'caf\udce9'],
    'the text is not UTF-8; convert it first': ['encode', 'caf\udce9', '-o', 'y.png'],
    'goes behind --prompt': ['generate', 'the cat'],
    'did you mean runs/story?': ['generate', 'runs/stroy'],
    'book.txt is a file, not a model; train one': ['generate', 'book.txt'],
    'x.png is a picture, not a model': ['generate', 'x.png'],
    'photo.jpg is a picture, not a model': ['generate', 'photo.jpg'],
    'did you mean `vtd encode runs/story': ['encode', 'the cat', 'runs/story', '-o', 'y.png'],
    "one text of two words: vtd encode 'the cat'": ['encode', 'the', 'cat', '-o', 'y.png'],
    'got 4 words; put the text into quotes': ['encode', 'the', 'cat', 'sleeps', 'here', '-o', 'y.png'],
    'give the text too': ['encode', 'runs/story', '-o', 'y.png'],
    'should end in .png': ['encode', 'the cat', '-o', 'y.jpg'],
    'there is no text to draw; give one': ['encode', '-o', 'y.png'],
    'did you mean `vtd decode runs/story x.png`': ['decode', 'x.png', 'runs/story'],
    'expected [DIR] X.png, got 0 words': ['decode'],
    'expected [DIR] X.png, got 3': ['decode', 'a', 'b', 'c'],
    'is a folder; name the picture too': ['decode', 'runs/story'],
    'not a picture we can read': ['decode', 'photo.jpg'],
    'is an empty folder; train a model into it': ['info', 'empty'],
    'there is no folder nowhere': ['info', 'nowhere'],
}


@pytest.mark.parametrize('said', WRONG)
def test_the_line_says_what_was_meant(said, here, capsys):
    if not (here / 'x.png').exists():
        assert run_main(capsys, 'encode', 'the cat', '-o', 'x.png')[0] == 0
    code, out, err = run_main(capsys, *WRONG[said])
    assert code == 2 and out == '' and err.count('\n') == 1 and err.startswith('vtd: '), err
    assert said in err and 'Traceback' not in err, err
    assert not (here / 'y.png').exists() and not (here / 'y.jpg').exists()


def test_encode_and_decode_take_the_model_that_ships(here, capsys):
    code, out, _ = run_main(capsys, 'encode', 'the small zebra sleeps', '-o', 'p.png')
    assert code == 0 and 'by the model that ships' in out
    assert run_main(capsys, 'decode', 'p.png')[:2] == (0, 'the small zebra sleeps')
    assert run_main(capsys, 'decode', 'runs/story', 'p.png')[:2] == (0, 'the small zebra sleeps')
    assert run_main(capsys, 'encode', '-o', 'q.png', 'runs/story', 'the cat')[0] == 0, 'options may stand first'
    assert run_main(capsys, 'decode', 'q.png')[:2] == (0, 'the cat')
    assert run_main(capsys, 'draw', 'the cat', '-o', 'd.png')[0] == 0
    assert run_main(capsys, 'decode', 'd.png')[:2] == (0, 'the cat'), 'the two are told apart'


def test_a_picture_of_either_writer_may_lose_its_chunk(here, capsys):
    for command, writer in (('encode', 'the model that ships'), ('draw', '`vtd draw`')):
        run_main(capsys, command, 'the cat sleeps', '-o', 'l.png')
        Image.open('l.png').convert('RGB').save('bare.png')
        code, out, err = run_main(capsys, 'decode', 'bare.png')
        assert (code, out) == (0, 'the cat sleeps') and f'as if {writer} had written it' in err, err


ABOUT = {
    'book.txt': ('text', 'is a text, not a model: 840 bytes'),
    'p.png': ('picture', 'the picture of a text: 2 tokens'),
    'photo.jpg': ('other picture', 'not the picture of a text'),
    'noise.bin': ('other', 'neither UTF-8 text nor a picture'),
    'texts': ('folder', 'not a model: 3 files (1 .txt, 1 .md, 1 .pdf)'),
    'runs': ('models', 'a folder of 1 models: runs/story'),
}


@pytest.mark.parametrize('path', ABOUT)
def test_info_says_what_it_is(path, here, capsys):
    run_main(capsys, 'encode', 'the cat', '-o', 'p.png')
    kind, said = ABOUT[path]
    code, out, err = run_main(capsys, 'info', path)
    assert code == 0 and said in out and err == '', out + err
    assert json.loads(run_main(capsys, 'info', path, '--json')[1])['kind'] == kind


def test_an_animation_shows_all_samples_or_says_which(here, capsys):
    options = ['generate', '--length', 4, '--steps', 2]
    heights = []
    for n in (1, 3):
        code, out, _ = run_main(capsys, *options, '-n', n, '--out', 'a.gif')
        assert code == 0 and 'shows' not in out
        heights.append(Image.open('a.gif').height)
    assert heights[1] > 2.5 * heights[0]
    out = run_main(capsys, *options, '-n', 9, '--out', 'a.gif')[1]
    assert 'shows the first 8 of 9 samples; a .png shows all' in out
    out = run_main(capsys, *options, '-n', 2, '--out', 'a.html')[1]
    assert 'shows the first of 2 samples' in out
    assert json.loads(run_main(capsys, *options, '-n', 2, '--out', 'a.html', '--json')[1])['shown'] == 1


def test_letters_that_no_font_has_are_named(here, capsys, monkeypatch):
    from visual_token_diffusion.viz import fonts

    monkeypatch.setattr(fonts, '_machine_fonts', lambda: ())
    for cached in (fonts._other_font, fonts.label_font):
        cached.cache_clear()
    out = run_main(capsys, 'encode', 'the 猫', '-o', 'c.png', '--words')[1]
    assert "no font here has '猫' (cjk)" in out and 'fonts-noto-cjk' in out
    for cached in (fonts._other_font, fonts.label_font):
        cached.cache_clear()


def test_training_on_a_folder_names_what_it_leaves_out(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'docs').mkdir()
    for i in range(6):
        (tmp_path / 'docs' / f'{i}.txt').write_text('the cat sees the dog .\n' * 30)
    (tmp_path / 'docs' / 'scan.pdf').write_bytes(b'x')
    sizes = ['--profile', 'ci', 'steps=2', 'epochs=1', 'unit=words']
    code, out, err = run_main(capsys, 'train', 'docs', '-o', 'm', *sizes)
    assert code == 0, err
    assert 'note: 1 other file in docs left out (1 .pdf); documents are .jsonl, .md' in out
