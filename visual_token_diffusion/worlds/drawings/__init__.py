"""Drawings of words, as data: a word at the margin, below it one mark a line; a name with a leading `_` is a part.

How the marks are read, and what each means: `visual_token_diffusion.worlds.icons`.
"""

from importlib import import_module

__all__ = ['PARTS', 'load_drawings']

PARTS = ('people', 'animals', 'food', 'objects', 'places', 'nature', 'moods', 'moves', 'words')


def load_drawings():
    "`{name: tuple of lines}` of all modules of this folder. Raises `ValueError` for a name that stands twice"
    found = {}
    for part in PARTS:
        text = import_module(f'{__name__}.{part}').DRAWINGS
        for name, lines in split_drawings(text).items():
            if name in found:
                raise ValueError(f"'{name}' is drawn twice, the second time in {part}")
            found[name] = lines
    return found


def split_drawings(text):
    "`{name: tuple of lines}`: a name begins at the margin, its marks are indented"
    found, name = {}, None
    for line in text.splitlines():
        if not line.strip() or line.startswith('#'):
            continue
        if line[0] != ' ':
            name = line.strip()
            found[name] = ()
        else:
            found[name] += (line.strip(),)
    return found
