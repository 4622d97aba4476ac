"Pictures that anybody may have made: every mode that a file may have, upright, within a limit, or one line."

import sys
import tracemalloc
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from support.fuzzing import memory_peak
from support.png_mutations import make_png

from visual_token_diffusion.core.errors import CallError, DataError
from visual_token_diffusion.viz.picture_file import FITS, picture_info, read_picture

PIXELS = np.random.default_rng(0).integers(0, 255, (12, 9, 3), dtype=np.uint8)
MODES = ('RGB', 'CMYK', 'L', '1', 'P', 'LA', 'RGBA', 'LAB')


@pytest.mark.parametrize('mode', MODES)
def test_every_mode_looks_as_pillow_shows_it(mode, tmp_path):
    path = tmp_path / ('x.tif' if mode in ('CMYK', 'LAB') else 'x.png')
    image = Image.fromarray(PIXELS).convert(mode)
    image.save(path)
    assert picture_info(path) == ('PNG' if path.suffix == '.png' else 'TIFF', (9, 12))
    want = np.asarray(Image.open(path).convert('RGB').resize((6, 6), Image.Resampling.LANCZOS)).astype(int)
    found = read_picture(path, 6, 'stretch').permute(1, 2, 0).numpy().astype(int)
    assert np.abs(want - found).max() <= (40 if mode in 'P1' else 2)


@pytest.mark.parametrize('ending', ['png', 'tif'])
def test_sixteen_bits_are_not_cut_off(ending, tmp_path):
    ramp = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / f'x.{ending}')
    assert (read_picture(tmp_path / f'x.{ending}', 8)[0].numpy() == ramp // 257).all()


def test_numbers_that_no_screen_shows_are_refused(tmp_path):
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / 'x.tif')
    with pytest.raises(DataError, match='numbers of 32 bits; save it with 8 or 16'):
        read_picture(tmp_path / 'x.tif', 4)


def test_a_photograph_stands_upright(tmp_path):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32] = 255
    upright = Image.fromarray(pixels)
    turns = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    for orientation, turn in turns.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        held = upright.transpose(turn) if turn else upright
        held.save(tmp_path / 'x.jpg', exif=exif, quality=95)
        found = read_picture(tmp_path / 'x.jpg', 8).float()
        assert found[:, :3].min() > 230 and found[:, 5:].max() < 25, orientation


def test_the_first_of_an_animation(tmp_path):
    frames = [Image.new('RGB', (8, 8), colour) for colour in ('red', 'green', 'blue')]
    for ending in ('gif', 'png', 'webp'):
        options = dict(lossless=True) if ending == 'webp' else {}
        frames[0].save(tmp_path / f'x.{ending}', save_all=True, append_images=frames[1:], **options)
        assert read_picture(tmp_path / f'x.{ending}', 4)[:, 0, 0].tolist() == [255, 0, 0]


def _zeros(width, height, color=0):
    packer = zlib.compressobj(9)
    row = b'\0' * (1 + width * {0: 1, 2: 3, 6: 4}[color])
    return make_png(width, height, b''.join(packer.compress(row) for _ in range(height)) + packer.flush(), color)


@pytest.mark.parametrize('compression', ['tiff_lzw', 'tiff_adobe_deflate'])
def test_a_damaged_tiff_is_one_line_and_nothing_is_printed(compression, tmp_path, capfd):
    path = tmp_path / 'x.tif'
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, compression=compression)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = b'\xff' * 200
    path.write_bytes(data)
    with pytest.raises(DataError, match='cannot be read as a picture'):
        read_picture(path, 8)
    assert capfd.readouterr().err == ''
    print('still heard', file=sys.stderr)
    assert capfd.readouterr().err == 'still heard\n'


BAD = {
    'more than 67,108,864': _zeros(65535, 1025),
    'cannot identify': b'',
    'cannot identify ': b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n',
    'truncated': _zeros(300, 300)[:-40],
    'identify': make_png(0, 0, zlib.compress(b'')),
}


@pytest.mark.parametrize('said', BAD)
def test_one_line_for_what_is_none(said, tmp_path):
    (tmp_path / 'x.png').write_bytes(BAD[said])
    with pytest.raises(DataError, match=f'x.png cannot be read as a picture: .*{said.strip()}') as e:
        read_picture(tmp_path / 'x.png', 8)
    assert '\n' not in str(e.value) and len(str(e.value)) < 250 + len(str(tmp_path))
    with pytest.raises(DataError, match='cannot be read'):
        read_picture(tmp_path / 'nowhere.png', 8)
    with pytest.raises(CallError, match='expected the path of a picture, got 3'):
        read_picture(3, 8)


def test_programs_are_not_started_for_a_picture(tmp_path, monkeypatch):
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, 'Ghostscript', lambda *args, **kwargs: pytest.fail('a program was started'))
    (tmp_path / 'x.png').write_bytes(BAD['cannot identify '])
    with pytest.raises(DataError):
        read_picture(tmp_path / 'x.png', 8)
    assert picture_info(tmp_path / 'x.png') is None


@pytest.mark.parametrize('fit', FITS)
def test_a_line_of_pixels_takes_little_memory(fit, tmp_path):
    "Padded to a square before it was made small, it took 12 GB"
    Image.new('RGB', (65535, 3), 'red').save(tmp_path / 'x.png')
    tracemalloc.start()
    found = read_picture(tmp_path / 'x.png', 8, fit)
    assert tracemalloc.get_traced_memory()[1] < 2**20 and found.shape == (3, 8, 8)
    tracemalloc.stop()
    if fit == 'pad':
        assert torch.equal(found[:, 0, 0], torch.full((3,), 255, dtype=torch.uint8))


def test_a_large_photograph_is_read_small(tmp_path):
    "A JPEG is decoded at an eighth: 81 million pixels need no gigabyte, and no patience"
    Image.new('RGB', (9000, 9000), 'red').save(tmp_path / 'x.jpg')
    before = memory_peak()
    assert read_picture(tmp_path / 'x.jpg', 16).shape == (3, 16, 16)
    assert memory_peak() - before < 200
