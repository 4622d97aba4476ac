"PNG files taken apart, changed within, and put together with right lengths and checksums."

import struct
import zlib

from support.mutations import change_bytes, change_json

BOMB = zlib.compress(bytes(10**7))
EXTRA_CHUNKS = [
    (b'tEXt', b'Comment\0hello'),
    (b'zTXt', b'x\0\0' + BOMB),
    (b'iTXt', b'x\0\1\0\0\0' + BOMB),
    (b'iCCP', b'p\0\0' + BOMB),
    (b'acTL', struct.pack('>II', 2**31 - 1, 0)),
    (b'tRNS', b'\0\0\0\0\0\0'),
    (b'gAMA', b'\0\0\0\0'),
    (b'PLTE', bytes(768)),
    (b'PLTE', b'\0'),
    (b'eXIf', b'MM\0*' + b'\xff' * 8),
    (b'IDAT', BOMB[:9000]),
    (b'pHYs', b''),
    (b'fcTL', bytes(26)),
    (b'IEND', b''),
    (b'XXXX', b''),
]


def png_chunks(data):
    "`(kind, content)` of the chunks of a PNG, as far as it can be read"
    at, found = 8, []
    while at + 12 <= len(data):
        n, kind = struct.unpack('>I4s', data[at : at + 8])
        if at + 12 + n > len(data):
            break
        found.append((kind, data[at + 8 : at + 8 + n]))
        at += 12 + n
    return found


def _chunk(kind, content):
    return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))


def join_chunks(chunks):
    "A PNG of chunks `(kind, content)`"
    return b'\x89PNG\r\n\x1a\n' + b''.join(_chunk(*chunk) for chunk in chunks)


def make_png(width, height, pixels, color=2, interlaced=0, **chunks):
    "A PNG that claims a size and a type of colour, with other chunks before its `pixels`"
    head = struct.pack('>IIBBBBB', width, height, 8, color, 0, 0, interlaced)
    extra = [(name.encode(), content) for name, content in chunks.items()]
    return join_chunks([(b'IHDR', head), *extra, (b'IDAT', pixels), (b'IEND', b'')])


def _first(chunks, kind, default=None):
    "Where the first chunk of a kind stands"
    return next((i for i, chunk in enumerate(chunks) if chunk[0] == kind), default)


def _insert_extra(rng, chunks, at):
    chunks.insert(at, rng.choice(EXTRA_CHUNKS))


def _leave_out(rng, chunks, at):
    del chunks[at]


def _double(rng, chunks, at):
    chunks.insert(rng.randrange(len(chunks) + 1), chunks[at])


def _change_head(rng, chunks, at):
    at = _first(chunks, b'IHDR', 0)
    content = chunks[at][1]
    head = list(struct.unpack('>IIBBBBB', content)) if len(content) == 13 else [1] * 7
    field = rng.randrange(7)
    sizes = (0, 1, 2, 65, 4096, 8191, 2**15, 2**20, 2**31 - 1, 2**32 - 1)
    head[field] = rng.choice(sizes if field < 2 else (0, 1, 2, 3, 4, 6, 8, 16, 255))
    chunks[at] = (b'IHDR', struct.pack('>IIBBBBB', *head))


def _change_text(rng, chunks, at):
    at = _first(chunks, b'tEXt')
    if at is None or b'\0' not in chunks[at][1]:
        return
    key, text = chunks[at][1].split(b'\0', 1)
    chunks[at] = (b'tEXt', key + b'\0' + change_json(rng, text))


def _change_pixels(rng, chunks, at):
    try:
        raw = zlib.decompress(b''.join(content for kind, content in chunks if kind == b'IDAT'))
    except zlib.error:
        raw = b''
    at = _first(chunks, b'IDAT', len(chunks))
    chunks[:] = [chunk for chunk in chunks if chunk[0] != b'IDAT']
    chunks.insert(at, (b'IDAT', zlib.compress(change_bytes(rng, raw), 0)))


def _change_content(rng, chunks, at):
    kind, content = chunks[at]
    chunks[at] = (kind, change_bytes(rng, content))


_CHANGES = (
    _insert_extra, _leave_out, _double, _change_head, _change_head, _change_text, _change_pixels,
    _change_content,
)


def change_png(rng, data):
    chunks = png_chunks(data)
    if not chunks or rng.random() < 0.3:
        return change_bytes(rng, data)
    rng.choice(_CHANGES)(rng, chunks, rng.randrange(len(chunks)))
    return join_chunks(chunks)
