"""What is asked of the parts of a seam: worlds, settings, measures with a direction, control, trivial predictor."""

from types import SimpleNamespace
from typing import NamedTuple

from ...core.errors import InputError
from ...core.registry import near_miss

__all__ = ['BrokenPart', 'Comparison', 'Measure', 'Measurement', 'SkippedPart', 'seconds_of', 'settings_of']


class BrokenPart(ValueError):
    "A part does not do what its seam asks of it; one line says what"


class SkippedPart(ValueError):
    "A part that works, but not in this comparison; one line says why"


class Measure(NamedTuple):
    "A number of the table"

    key: str
    name: str  # with its unit
    better: str = 'less'  # 'less', 'more', or '' where neither is


class Measurement(NamedTuple):
    "What one training, or one run, has found"

    numbers: dict  # key of a `Measure` -> float; None where there is none
    curve: list = ()  # pairs (x, y) of the seam's curve
    picture: object = None  # a PIL image, or None
    facts: dict = {}  # of the part, such as its parameters: the same for all seeds


class Comparison:
    "Base of the comparisons, one for each seam. Which worlds, which baseline, which measures; the first one decides"

    seam = None  # its name
    about = ''  # one line
    worlds = ()  # names of `WORLDS`, the default first; 'text' stands for any text file
    baseline = None  # name of the part that others are compared with
    control = None  # what the control does, in words
    trivial = None  # what the trivial predictor does, in words
    measures = ()
    curve = None  # names of both axes
    settings = dict(ci={}, cpu={}, gpu={})  # numbers by profile; those of cpu are all

    def in_world(self, name):
        "The comparison for a world, where a seam has several"
        return self

    def names(self):
        "Names of the parts that can be compared"
        from ...core.registry import seam_base

        return seam_base(self.seam).names()

    def find(self, name):
        "The part `name`, usually a class. Raises `ValueError`"
        from ...core.registry import seam_base

        return seam_base(self.seam).part(name)

    def check(self, part):
        "Refuse what is no part of this seam. Raises `ValueError`"
        from ...core.registry import seam_base

        base = seam_base(self.seam)
        if not (isinstance(part, type) and issubclass(part, base)):
            raise ValueError(f'it is not a {base.__name__}; derive it from {base.__module__}.{base.__name__}')

    def measure(self, part, options, world, seed, cfg) -> Measurement:
        "Build `part` with its `options`, train or run it, and measure it. Raises `BrokenPart`, `SkippedPart`"
        raise NotImplementedError

    def measure_control(self, world, seed, cfg) -> Measurement:
        "The control under the same settings; None where a seam has none"

    def measure_trivial(self, world, seed, cfg) -> dict:
        "Numbers of the trivial predictor"
        return {}

    def floors(self, world, cfg) -> dict:
        "The best that is possible, for measures where it is exactly known"
        return {}


def settings_of(comparison, profile, overrides=()):
    "The settings of a profile with those of the 'key=value' strings. Raises `InputError`"
    named = {'gpus': 'gpu'}.get(profile, profile)
    if named not in comparison.settings:
        raise InputError(f"unknown profile '{profile}'; {near_miss(profile, comparison.settings)}")
    values = dict(seeds=3, limit=300) | comparison.settings['cpu'] | comparison.settings[named]
    for text in overrides:
        key, sign, value = text.partition('=')
        if not sign:
            raise InputError(f"'{text}' is not of the form key=value")
        if key not in values:
            raise InputError(f"unknown setting '{key}' of compare {comparison.seam}; {near_miss(key, values)}")
        values[key] = _number(key, value, type(values[key]))
    return SimpleNamespace(**values, profile=profile)


def _number(key, value, kind):
    "A positive number of the type that a setting has, or a word"
    if kind is str:
        return value
    try:
        number = kind(value)
    except (ValueError, OverflowError):
        raise InputError(f"setting '{key}' needs {kind.__name__}, got {value[:40]!r}") from None
    if not 0 < number < 1e9:
        raise InputError(f"setting '{key}' must be above 0 and finite, got {value[:40]}")
    return number


def seconds_of(seconds):
    "A time in words: 40 s, 3 min, 1.5 h"
    if seconds < 100:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 5400 else f'{seconds / 3600:.1f} h'
