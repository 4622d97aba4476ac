"`vtd encode` and `vtd decode`: pictures that were turned, saved anew, or written by another model."

import shutil

import pytest
from PIL import Image

from support.command_line import vtd, vtd_bytes
from visual_token_diffusion.cli.main import main


@pytest.fixture(scope='module')
def pictures(folder, tmp_path_factory):
    "A folder with the model and a picture of two words"
    place = tmp_path_factory.mktemp('pictures')
    shutil.copytree(folder / 'model', place / 'model')
    shutil.copy(folder / 'python.txt', place)
    assert vtd('encode', 'model', 'a cat', '-o', 'good.png', cwd=place).returncode == 0
    return place


def test_a_picture_without_its_chunk_is_read_with_a_note(pictures, tmp_path):
    Image.open(pictures / 'good.png').convert('RGB').save(tmp_path / 'bare.png')
    ran = vtd('decode', 'model', tmp_path / 'bare.png', cwd=pictures)
    assert ran.returncode == 0 and ran.stdout == 'a cat' and 'lost its text chunk' in ran.stderr


def test_standard_input_is_text(pictures, tmp_path):
    text = 'ein Text\nüber 猫\n'
    ran = vtd_bytes('encode', 'model', '-', '-o', tmp_path / 'x.png', cwd=pictures, input=text.encode())
    assert ran.returncode == 0, ran.stderr
    assert vtd_bytes('decode', 'model', tmp_path / 'x.png', cwd=pictures).stdout.decode() == text
    ran = vtd_bytes('encode', 'model', '-', '-o', tmp_path / 'y.png', cwd=pictures, input=b'\xff\xfe')
    assert ran.returncode == 2 and b'not UTF-8' in ran.stderr and ran.stderr.count(b'\n') == 1
    assert not (tmp_path / 'y.png').exists()


def test_a_turned_picture_is_refused_and_a_palette_does_no_harm(pictures, tmp_path, capsysbinary):
    text = 'The quick brown fox jumps over the lazy dog, and nobody knows why it does so.'
    model, path = str(pictures / 'model'), str(tmp_path / 'y.png')
    assert main(['encode', model, text, '-o', str(tmp_path / 'x.png')]) == 0
    capsysbinary.readouterr()
    image = Image.open(tmp_path / 'x.png').convert('RGB')
    mirrored = image.transpose(Image.FLIP_LEFT_RIGHT)
    for made in (image.rotate(90, expand=True), image.rotate(180), mirrored):
        made.save(path)
        assert main(['decode', model, path]) == 2
    image.quantize(256).save(path)
    capsysbinary.readouterr()
    assert main(['decode', model, path]) == 0
    assert capsysbinary.readouterr().out.decode() == text


def test_another_models_picture_is_refused(pictures):
    sizes = ['--profile', 'ci', 'steps=2', 'epochs=1', 'unit=words', 'codebook=random']
    ran = vtd('train', 'python.txt', '-o', 'second', *sizes, cwd=pictures)
    assert ran.returncode == 0, ran.stderr
    ran = vtd('decode', 'second', 'good.png', cwd=pictures)
    assert ran.returncode == 2 and 'another model' in ran.stderr
