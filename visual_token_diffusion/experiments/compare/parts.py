"""A part by its registered name, as `module:Class`, or as `path/file.py:Class`, with options behind it."""

import hashlib
import inspect
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from ...core.registry import near_miss

__all__ = ['PartSpec', 'give', 'parse_part', 'source_hash', 'value_of']

_given = {}  # name -> class that was given as itself


def give(part):
    "Keep a class under its name, which is returned"
    _given[part.__name__] = part
    return part.__name__


class PartSpec:
    "What the words of a part say: its name, and options for its constructor"

    def __init__(self, text, name, options):
        self.text, self.name = text, name
        self.options = options

    def load(self, comparison):
        "The part itself, checked. Raises `ValueError` in one line"
        if ':' not in self.name and self.name not in _given:
            return comparison.find(self.name)
        part = _given.get(self.name) or _from_outside(self.name)
        try:
            comparison.check(part)
        except ValueError as e:
            raise ValueError(f"'{self.name}': {e}") from None
        return part


def value_of(text):
    "A number, true, false or none where `text` is one, else the text"
    words = dict(true=True, false=False, none=None)
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def parse_part(
    text: str,  # 'vq', 'fsq,levels=4', 'module:Class', 'folder/file.py:Class,dim=6'
) -> PartSpec:
    "The words of a part. Raises `ValueError`"
    name, *pairs = [word.strip() for word in text.split(',')]
    if not name:
        raise ValueError(f"a part is a name, module:Class or file.py:Class, got '{text}'")
    options = {}
    for pair in pairs:
        key, sign, value = pair.partition('=')
        if not sign or not key.strip().isidentifier():
            raise ValueError(f"options of a part are key=value, got '{pair}' in '{text}'")
        options[key.strip()] = value_of(value.strip())
    return PartSpec(text, name, options)


def _module_of_file(path):
    "The module in a file, loaded under a name of its own"
    if not path.is_file():
        raise ValueError(f'there is no file {path}')
    name = 'part_of_' + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _from_outside(name):
    "An object of the user's own"
    where, _, attribute = name.rpartition(':')
    if sys.path[:1] != ['']:
        sys.path.insert(0, '')
    try:
        module = _module_of_file(Path(where)) if where.endswith('.py') else import_module(where)
    except ValueError:
        raise
    except (Exception, SystemExit) as e:
        raise ValueError(f"cannot load '{name}': {type(e).__name__}: {e}") from None
    if not hasattr(module, attribute):
        own = [n for n, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module.__name__]
        hint = near_miss(attribute, own) if own else 'it defines none'
        raise ValueError(f"{where} has no class '{attribute}'; {hint}")
    return getattr(module, attribute)


def source_hash(part):
    "Names the code of a part: a changed file is measured anew"
    source = repr(part).encode()
    if inspect.isclass(part):
        try:
            source = Path(inspect.getfile(part)).read_bytes()
        except (OSError, TypeError):
            pass
    return hashlib.sha256(source).hexdigest()[:16]
