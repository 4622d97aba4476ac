"""A grid as a line of text that a browser shows as a picture."""

import base64
import io
import struct
import zlib

from .grids import grid_bytes

__all__ = ['grid_uris', 'image_uri']


def _chunk(name, body):
    checksum = zlib.crc32(name + body)
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', checksum)


def _png(pixels):
    "Bytes of a PNG of the pixels (H,W,3), 8-bit"
    height, width, _ = pixels.shape
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    rows = b''.join(b'\0' + row.tobytes() for row in pixels)
    chunks = [_chunk(b'IHDR', header), _chunk(b'IDAT', zlib.compress(rows, 6)), _chunk(b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunks)


def _data_uri(png):
    return 'data:image/png;base64,' + base64.b64encode(png).decode()


def grid_uris(
    grids,  # (L,3,size,size) float in [0,1]
) -> list:
    "A `data:` address for each grid, one PNG pixel per grid pixel. Raises `ValueError` for anything but grids"
    return [_data_uri(_png(pixels)) for pixels in grid_bytes(grids)]


def image_uri(
    im,  # a Pillow image
) -> str:
    "A `data:` address of a picture"
    file = io.BytesIO()
    im.save(file, 'PNG')
    return _data_uri(file.getvalue())
