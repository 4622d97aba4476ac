"Fonts for the words beneath pictures: DejaVu Sans, which knows many scripts, and the machine's own for the others."

import os
import re
import unicodedata
from functools import lru_cache
from importlib.util import find_spec

from PIL import ImageFont

__all__ = ['has_letters', 'label_font', 'letters_note']

# looked at first, as they know most; then all other fonts of the machine, for scripts that these lack
_MANY_SCRIPTS = re.compile('cjk|gothic|mincho|hiragino|hei|song|wqy|unifont|unicode|noto|droid|nanum', re.I)
_EAST_ASIAN = {'CJK', 'HIRAGANA', 'KATAKANA', 'HANGUL', 'BOPOMOFO'}  # scripts in Debian's fonts-noto-cjk


@lru_cache(64)
def _base_font(size):
    "DejaVu Sans if matplotlib is there, else Pillow's own"
    for folder in (_beside_matplotlib, _of_matplotlib):
        try:
            return ImageFont.truetype(os.path.join(folder(), 'fonts', 'ttf', 'DejaVuSans.ttf'), size)
        except (ImportError, OSError):
            continue
    return ImageFont.load_default(size)


def _beside_matplotlib():
    "Where matplotlib usually keeps its data, without the time that importing it takes. Raises `ImportError`"
    spec = find_spec('matplotlib')
    if spec is None or not spec.origin:
        raise ImportError('there is no matplotlib')
    return os.path.join(os.path.dirname(spec.origin), 'mpl-data')


def _of_matplotlib():
    "Where it says that they are. Raises `ImportError`"
    from matplotlib import get_data_path

    return get_data_path()


@lru_cache(1)
def _machine_fonts():
    "Paths of fonts of this machine that may know other scripts"
    try:
        from matplotlib.font_manager import findSystemFonts
    except ImportError:
        return ()
    return tuple(sorted(findSystemFonts(), key=lambda path: (not _MANY_SCRIPTS.search(os.path.basename(path)), path)))


def _knows(font, text):
    "Whether a font has a picture for every character, other than the box for what it lacks"
    box = bytes(font.getmask('\uffff'))
    return all(c.isspace() or ord(c) < 32 or bytes(font.getmask(c)) != box for c in text)


@lru_cache(1024)
def _other_font(letters, size):
    "The first font of this machine that knows these letters, or None"
    for path in _machine_fonts():
        try:
            font = ImageFont.truetype(path, size)
        except OSError:
            continue
        if _knows(font, letters):
            return font
    return None


@lru_cache(4096)
def label_font(
    size: int,  # points
    text: str = '',  # what is to be written
):
    "A Pillow font that knows the letters of `text`, where there is one; else DejaVu Sans, which draws boxes"
    font = _base_font(size)
    if text.isascii() or _knows(font, text[:80]):
        return font
    return _other_font(''.join(sorted(set(text[:80]))), size) or font


def has_letters(
    text: str,
) -> bool:
    "Whether some font here can write `text`"
    return text.isascii() or _knows(label_font(12, text), text[:80])


def letters_note(
    text: str,  # what labels show
) -> str:
    "What to install for letters that no font here knows, in one line; nothing where all can be written"
    letters = ''.join(sorted({c for c in text if not c.isspace() and c.isprintable()}))
    missing = next((c for c in letters if not has_letters(c)), None)
    if missing is None:
        return ''
    script = unicodedata.name(missing, 'unknown').split()[0]
    package = 'fonts-noto-cjk' if script in _EAST_ASIAN else 'fonts-noto-core'
    lacks = f"no font here has '{missing}' ({script.lower()}), so labels show boxes"
    return f'note: {lacks}; install one, such as {package}'
