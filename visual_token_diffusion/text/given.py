"""What somebody hands over as a text: a string as it is, a path as what stands in the file, all else refused."""

import os
from pathlib import Path

from ..core.errors import CallError, DataError
from ..core.given import described
from .corpus import read_text

__all__ = ['given_text', 'visible']

# how white space is shown below a picture
_SIGNS = {'\n': '⏎', '\t': '⇥', '\r': '␍'}


def visible(
    text: str,  # of a token
) -> str:
    "A token as a person should see it: line break, tab and carriage return as signs"
    return ''.join(_SIGNS.get(c, c) for c in text)


def _names_file(text):
    "Whether a string is the name of a file rather than a corpus"
    if len(text) > 255 or any(c in text for c in '\n\0'):
        return False
    return Path(text).exists() or ' ' not in text and Path(text).suffix in ('.txt', '.md')


def given_text(
    given,  # a string; the path of a UTF-8 text file, or a list of these
) -> str:
    "The text itself. Raises `CallError` or `DataError` in one line"
    if isinstance(given, str) and not _names_file(given):
        return given
    if isinstance(given, (str, os.PathLike)):
        return _file_text(Path(given))
    if isinstance(given, (list, tuple)) and given and all(isinstance(part, os.PathLike) for part in given):
        return ''.join(_file_text(path) for path in given)
    advice = 'give a string, or Path of a text file'
    if isinstance(given, (list, tuple)):
        advice = "join its strings: '\\n'.join(texts)"
    if isinstance(given, (bytes, bytearray)):
        advice = "decode them: text.decode('utf-8')"
    if hasattr(given, 'read'):
        advice = 'call its read()'
    raise CallError(f'expected a text, got {described(given)}; {advice}')


def _file_text(path):
    if path.is_dir():
        raise DataError(f'{path} is a folder; `train_folder(path, load_settings())` trains on its documents')
    return read_text([path])
