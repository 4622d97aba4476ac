"""One part and one seed: measured, or told in one line why not; kept in a file of its own and never measured twice."""

import hashlib
import json
import math
import random
import time
import traceback
from pathlib import Path

import numpy as np
import torch

from ... import __version__
from ...core.errors import CombinationError, DataError, InputError
from ...core.files import write_json_atomically
from ...viz.data_uris import image_uri
from .base import BrokenPart, Measurement, SkippedPart
from .parts import parse_part, source_hash
from .seams import comparison_of
from .worlds import world_of

__all__ = ['Cell', 'describe', 'load_cell', 'measure_cell', 'measure_floors', 'save_cell']


def describe(
    seam,  # a key of `COMPARISONS`
    text,  # of a part
) -> str:
    "A fingerprint of a part's code. Raises `ValueError` in one line for what is no part of the seam"
    return f'{__version__} {source_hash(parse_part(text).load(comparison_of(seam)))}'


def _seeded(seed):
    "Every generator that a part may draw from begins at the same place"
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def _found(comparison, text, role, world, seed, cfg):
    "`Measurement` of a part, of the control, or of the trivial predictor"
    if role == 'control':
        return comparison.measure_control(world, seed, cfg)
    if role == 'trivial':
        return Measurement(comparison.measure_trivial(world, seed, cfg))
    spec = parse_part(text)
    return comparison.measure(spec.load(comparison), spec.options, world, seed, cfg)


def _checked(comparison, found):
    "The numbers of the comparison's measures. Raises `BrokenPart` for one that is no number"
    numbers = {}
    for measure in comparison.measures:
        value = found.numbers.get(measure.key)
        numbers[measure.key] = value = None if value is None else float(value)
        if value is not None and not math.isfinite(value):
            raise BrokenPart(f'{measure.name} is {value}')
    return numbers


def measure_cell(
    seam,
    text,  # of a part, or '' for a role
    role,  # 'part', 'control' or 'trivial'
    world,  # its name
    seed: int,
    cfg,  # of `settings_of`
) -> dict:
    "Numbers, curve, picture and seconds; or `broken` or `left_out`, with one line. Raises `DataError` for the world"
    comparison, made = comparison_of(seam, world), world_of(world)
    began = time.perf_counter()
    _seeded(seed)
    try:
        found = _found(comparison, text, role, made, seed, cfg)
        numbers = _checked(comparison, found)
    except (SkippedPart, CombinationError) as e:
        return dict(left_out=_one_line(e))
    except (InputError, DataError):
        raise
    except (Exception, SystemExit) as e:
        return dict(broken=_one_line(e) if isinstance(e, BrokenPart) else _where(e))
    curve = [[float(x), float(y)] for x, y in found.curve if math.isfinite(y)]
    picture = None if found.picture is None else image_uri(found.picture)
    seconds = round(time.perf_counter() - began, 2)
    return dict(numbers=numbers, curve=curve, picture=picture, facts=found.facts, seconds=seconds)


def measure_floors(seam, world, cfg):
    "The exact floors and ceilings of a world"
    return comparison_of(seam, world).floors(world_of(world), cfg)


def _one_line(e):
    return ' '.join(str(e).split())[:300]


def _where(e):
    "What was raised, and the last line of the user's or of ours that it came through"
    said = _one_line(e).split('Exception occured in')[-1]
    frames = traceback.extract_tb(e.__traceback__)
    own = [f for f in frames if '/torch/' not in f.filename and '/fastai/' not in f.filename] or frames
    place = f' ({own[-1].filename.rpartition("/")[2]}, line {own[-1].lineno})' if own else ''
    return f'{type(e).__name__}: {said}'.rstrip(': ') + place


def _key(facts):
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:20]


class Cell:
    "A file with what was measured under the given facts: seam, part, its code, world, seed and settings"

    def __init__(self, folder, facts):
        self.facts = facts
        self.path = (folder or Path()) / 'cells' / f'{_key(facts)}.json'


def save_cell(cell, found):
    "Write what was found, whole or not at all"
    cell.path.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomically(cell.path, dict(facts=cell.facts, found=found), allow_nan=False)


def load_cell(cell):
    "What an earlier run has found under the same facts, or None; a damaged file counts as none"
    try:
        kept = json.loads(cell.path.read_text(encoding='utf-8'))
        found = kept['found']
        fits = kept['facts'] == cell.facts and isinstance(found, dict) and {'numbers', 'broken', 'left_out'} & {*found}
        return found if fits else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
