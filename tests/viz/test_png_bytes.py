"Files are looked at before they are opened: what is refused, and that a bomb is not unpacked."

import io
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image, PngImagePlugin

from visual_token_diffusion.viz.png_bytes import (
    KEYWORD, NotOurPicture, PngHeader, _check_pixels, _png_chunks, _read_header, read_pixels,
)


def saved(image, **kwargs):
    file = io.BytesIO()
    image.save(file, **kwargs)
    return file.getvalue()


def picture(text='a text of ours'):
    info = PngImagePlugin.PngInfo()
    info.add_text(KEYWORD, text)
    return saved(SMALL, format='PNG', pnginfo=info)


SMALL = Image.radial_gradient('L').resize((48, 48)).convert('RGB')
DATA = picture()


def chunk(name, body):
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))


def built(packed, depth=8, interlace=0, *more):
    header = struct.pack('>IIBBBBB', 48, 48, depth, 2, 0, 0, interlace)
    parts = [chunk(b'IHDR', header), *more, chunk(b'IDAT', packed), chunk(b'IEND', b'')]
    return DATA[:8] + b''.join(parts)


PACKED = zlib.compress(bytes(48 * (1 + 48 * 3)))


def test_chunks_and_header_of_a_picture_of_ours():
    chunks = list(_png_chunks(DATA))
    assert [name for name, _ in chunks] == [b'IHDR', b'tEXt', b'IDAT', b'IEND']
    assert _read_header(chunks, 10**6) == PngHeader(48, 48, 8, 2, 0, 0, 0)
    assert _check_pixels(chunks, 10**6) == (48, 48)
    pixels, text = read_pixels(DATA, 10**6)
    assert pixels.shape == (48, 48, 3) and text == b'a text of ours'
    assert read_pixels(built(PACKED), 10**6)[1] is None


HALF = saved(SMALL.convert('RGBA').point(lambda v: v // 2), format='PNG')
REFUSED = {
    'not a PNG': [b'', b'hello', saved(SMALL, format='JPEG')],
    'checksum': [DATA[:100] + bytes([DATA[100] ^ 1]) + DATA[101:]],
    'cut off': [DATA[:300], DATA[:-4]],
    'transparent': [HALF],
    'other pixels': [built(PACKED[:-4]), built(zlib.compress(bytes(9))), built(b'x' * 50)],
    '16 bits': [built(PACKED, 16)],
    'interlaced': [built(PACKED, 8, 1)],
    'animation': [built(PACKED, 8, 0, chunk(b'acTL', bytes(8)))],
    'no header': [DATA[:8] + DATA[33:]],
}


@pytest.mark.parametrize('why,data', [(why, d) for why, files in REFUSED.items() for d in files])
def test_refused_in_one_line(why, data):
    with pytest.raises(NotOurPicture, match=why) as e:
        read_pixels(data, 10**6)
    assert '\n' not in str(e.value)


def test_too_many_pixels():
    with pytest.raises(NotOurPicture, match='more than the limit of 1,000'):
        read_pixels(DATA, 1000)
    with pytest.raises(NotOurPicture, match='too large to look for a layout'):
        read_pixels(built(PACKED), 48 * 48)


def test_a_bomb_is_counted_and_not_unpacked():
    bomb = built(zlib.compress(bytes(48 * (1 + 48 * 3) * 10_000)))
    tracemalloc.start()
    with pytest.raises(NotOurPicture, match='other pixels'):
        read_pixels(bomb, 10**6)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**20 < 48 * (1 + 48 * 3) * 10_000 / 60
