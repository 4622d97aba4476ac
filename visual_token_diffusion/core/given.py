"""What came instead of what was expected, in one line; every public function says it in the same words."""

import os

from .errors import CallError
from .registry import near_miss

__all__ = ['check_keywords', 'check_type', 'checked_seed', 'described', 'whole_number']


def _short(text):
    return repr(text if len(text) <= 40 else text[:39] + '…')


def _article(name):
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def described(
    value,  # anything
) -> str:
    "What a value is, in a few words: \"the text 'cat'\", 'a tensor (3,8,8)', 'the class VectorQuantizer'"
    if value is None or isinstance(value, (bool, int, float)):
        return str(value)
    if isinstance(value, str):
        return f'the text {_short(value)}'
    if isinstance(value, type):
        return f'the class {value.__name__}'
    if isinstance(value, os.PathLike):
        return f'the path {_short(str(value))}'
    name, shape = type(value).__name__, getattr(value, 'shape', None)
    if isinstance(shape, tuple):
        sides = ','.join(map(str, shape))
        return f"{_article(name.lower() if name == 'Tensor' else name)} ({sides})"
    if isinstance(value, (bytes, bytearray)):
        return f'{len(value)} bytes'
    if isinstance(value, (list, tuple, dict, set)):
        return f'{_article(name)} of {len(value)}'
    return _article(name)


def check_type(
    value,  # what came
    wanted,  # a type, or a tuple of them
    what: str,  # was expected, in words: 'a text'
    instead: str = '',  # what to call or give instead
):
    "`value`, if it is of a wanted type; a class in place of its instance is none. Raises `CallError` in one line"
    is_bool = isinstance(value, bool) and wanted is int
    if isinstance(value, wanted) and not is_bool:
        return value
    advice = f'; {instead}' if instead else ''
    raise CallError(f'expected {what}, got {described(value)}{advice}')


def whole_number(
    value,  # what came
    name: str,  # of the argument
    low: int = 1,  # the smallest that can be used
    high: int = None,  # the largest; None: any
) -> int:
    "`value` as an int; what counts as one (numpy's too) is taken. Raises `CallError` in one line"
    span = f'of at least {low}' if high is None else f'between {low} and {high:,}'
    fits = hasattr(value, '__index__') and not isinstance(value, bool)
    if fits and low <= (number := value.__index__()) and (high is None or number <= high):
        return number
    raise CallError(f'{name} should be a whole number {span}, got {described(value)}')


def checked_seed(
    seed,  # what came
) -> int:
    "A seed that a torch generator takes. Raises `CallError` in one line"
    if hasattr(seed, '__index__') and -(2**63) <= seed.__index__() < 2**63:
        return seed.__index__()
    raise CallError(f'seed should be a whole number that fits into 64 bits, got {described(seed)}')


def check_keywords(
    given,  # names of the keywords of a call
    known,  # the names that it takes
    called: str,  # the function, for the message
    others: dict = {},  # a name of another library -> the name here
):
    "Raises `CallError` for a keyword that the function does not take, with the nearest one that it does"
    for name in given:
        if name in known:
            continue
        hint = f"here it is '{others[name]}'" if name in others else near_miss(name, known)
        raise CallError(f"{called} takes no '{name}'; {hint}")
