"""A file is looked at before it is opened: chunks, checksums, sizes, and only then pixels."""

import io
import struct
import zlib
from collections import namedtuple

import numpy as np
from PIL import Image

__all__ = ['KEYWORD', 'NotOurPicture', 'read_pixels']


KEYWORD = 'visual_token_diffusion'  # our PNG text chunk begins with it


class NotOurPicture(ValueError):
    "A file that is no picture of a sentence, or a damaged one."


def _png_chunks(data):
    "(name, body) of every chunk up to IEND; refuses what is no whole PNG"
    if data[:8] != b'\x89PNG\r\n\x1a\n':
        raise NotOurPicture("not a PNG file")
    pos = 8
    while pos + 12 <= len(data):
        length, name = struct.unpack('>I4s', data[pos : pos + 8])
        end = pos + 8 + length
        if len(data) < end + 4:
            break
        body = memoryview(data)[pos + 8 : end]
        checksum = struct.unpack('>I', data[end : end + 4])[0]
        if zlib.crc32(body, zlib.crc32(name)) != checksum:
            raise NotOurPicture("damaged (a checksum is wrong)")
        yield name, body
        pos = end + 4
        if name == b'IEND':
            return
    raise NotOurPicture("cut off before its end")


PngHeader = namedtuple('PngHeader', 'width height depth color compression filter interlace')
_channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the PNG's colour type


def _read_header(chunks, limit):
    "The header of a PNG of at most `limit` pixels, of a kind that we write"
    name, body = chunks[0]
    if name != b'IHDR' or len(body) != 13:
        raise NotOurPicture("damaged (no header)")
    header = PngHeader(*struct.unpack('>IIBBBBB', body))
    width, height = header.width, header.height
    if width * height > limit:
        raise NotOurPicture(f"{width}x{height} pixels, more than the limit of {limit:,}")
    if header.depth > 8:
        raise NotOurPicture(f"{header.depth} bits per channel; ours have 8")
    if header.interlace:
        raise NotOurPicture("interlaced; ours are not")
    if any(name == b'acTL' for name, _ in chunks):
        raise NotOurPicture("an animation")
    return header


def _unpacked_size(parts, most):
    "Bytes that the packed `parts` hold; stops counting above `most`, and is -1 if the end is missing"
    total, unpacker = 0, zlib.decompressobj()
    for part in parts:
        while total <= most:
            piece = unpacker.decompress(part, 2**16)
            part = unpacker.unconsumed_tail
            total += len(piece)
            if not part and len(piece) < 2**16:
                break
    return total if unpacker.eof else -1


def _check_pixels(chunks, limit):
    "Width and height of a PNG that holds what its header promises"
    header = _read_header(chunks, limit)
    row_bits = header.width * header.depth * _channels.get(header.color, 0)
    promised = header.height * (1 + (row_bits + 7) // 8)
    try:
        held = _unpacked_size([body for name, body in chunks if name == b'IDAT'], promised)
    except zlib.error:
        held = -1
    if held != promised:
        raise NotOurPicture("damaged (it holds other pixels than its header says)")
    return header.width, header.height


def _own_text(chunks, n_pixels, limit):
    "The body of our text chunk, or None where a small picture has none"
    start = KEYWORD.encode() + b'\0'
    own = [body for name, body in chunks if name == b'tEXt' and bytes(body[: len(start)]) == start]
    if not own and n_pixels > limit // 4:
        raise NotOurPicture("without our text chunk, and too large to look for a layout")
    if not own:
        return None
    if len(own[0]) > 2**24:
        raise NotOurPicture("its text chunk is larger than any of ours")
    return bytes(own[0][len(start) :])


def _open_png(data):
    "The picture (H,W,3 or 4), decoded by Pillow"
    try:
        with Image.open(io.BytesIO(data), formats=['PNG']) as im:
            im.load()
            transparent = 'A' in im.getbands() or 'transparency' in im.info
            return np.array(im.convert('RGBA' if transparent else 'RGB'))
    except Exception as e:
        raise NotOurPicture(f"damaged ({type(e).__name__})") from None


def read_pixels(
    data,  # bytes of a file
    limit: int,  # most pixels that are decoded
):
    "Pixels (H,W,3) of a PNG, and our text chunk or None. Raises `NotOurPicture`"
    chunks = list(_png_chunks(data))
    width, height = _check_pixels(chunks, limit)
    text = _own_text(chunks, width * height, limit)
    pixels = _open_png(data)
    if pixels.shape[2] == 4 and (pixels[..., 3] < 255).any():
        raise NotOurPicture("partly transparent")
    return pixels[..., :3], text
