"A trivial predictor that everybody has: what `xz -9` makes of a text."

import lzma

__all__ = ['xz_bits_per_byte']


def _size(data):
    "Bytes of `xz -9`; the dictionary is no larger than the data, which changes nothing but the memory"
    dictionary = min(max(len(data), 2**12), 2**26)
    filters = [dict(id=lzma.FILTER_LZMA2, preset=9, dict_size=dictionary)]
    return len(lzma.compress(data, filters=filters))


def xz_bits_per_byte(
    text: bytes,
    known: bytes = b'',  # what stands before it: the compressor has seen it, and it does not count
) -> float:
    "Bits per byte of `text`. Raises `ValueError` for an empty one"
    if not text:
        raise ValueError('there is nothing to compress')
    return 8 * (_size(known + text) - (_size(known) if known else 0)) / len(text)
