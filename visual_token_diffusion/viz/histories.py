"""Losses of a training from wherever they are kept: rows of a report, the log.csv of `vtd train`, any Learner."""

import csv
import io
import math
import os
from pathlib import Path
from typing import NamedTuple

from ..core.errors import CallError, DataError
from ..core.files import read_json_file
from ..core.given import described

__all__ = ['History', 'read_history']

MOST = 400  # points of a curve


class History(NamedTuple):
    "What `training_view` draws"

    rows: list  # dicts with `step` and, where known, `train` and `valid`
    baselines: dict  # name -> nats per token of a trivial predictor
    x_name: str
    y_name: str


def _number(text):
    "A finite number, or None"
    try:
        value = float(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _read_json(path):
    "A JSON object, empty where there is none"
    try:
        found = read_json_file(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _log_rows(path):
    "The rows of a log.csv, as dicts of strings. Raises `DataError`"
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding='utf-8'))))
    except OSError as e:
        raise DataError(f'cannot read {path}: {e.strerror}') from None
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f'{path} is not a table of comma-separated values') from None
    if rows and {'epoch', 'train_loss'} <= rows[0].keys():
        return rows
    raise DataError(f'{path} has no columns epoch and train_loss, as the log.csv of `vtd train` has')


def _from_log(path):
    "A `History` of the log.csv of a training; its folder says how many steps an epoch had, and the baselines"
    path = path / 'log.csv' if path.is_dir() else path
    logged, settings = _log_rows(path), _read_json(path.with_name('settings.json'))
    metrics = _read_json(path.with_name('metrics.json'))
    steps, epochs = (_number(settings.get(name)) for name in ('steps', 'epochs'))
    scale = steps / epochs if steps and epochs else 1
    rows = [
        dict(step=scale * epoch, train=_number(row['train_loss']), valid=_number(row.get('valid_loss')))
        for row in logged
        if (epoch := _number(row['epoch'])) is not None
    ]
    baselines = {name: _number(metrics.get(name)) for name in ('unigram', 'bigram', 'entropy')}
    baselines = {name: level for name, level in baselines.items() if level}
    return History(rows, baselines, 'step' if scale != 1 else 'epoch', 'nats per token')


def _from_learner(learn):
    "A `History` of what a Learner's recorder has kept: the smoothed loss of every batch, the validation of every epoch"
    recorder = learn.recorder
    losses = [float(loss) for loss in getattr(recorder, 'losses', ())]
    every = max(1, len(losses) // MOST)
    rows = [dict(step=i + 1, train=losses[i]) for i in range(every - 1, len(losses), every)]
    names = list(getattr(recorder, 'metric_names', ()))[1:]
    where = names.index('valid_loss') if 'valid_loss' in names else None
    for step, values in zip(getattr(recorder, 'iters', ()), getattr(recorder, 'values', ())):
        if where is not None and where < len(values):
            rows.append(dict(step=step, valid=_number(values[where])))
    return History(sorted(rows, key=lambda row: row['step']), {}, 'step', 'loss')


def read_history(
    given,  # a list of dicts, the path of a log.csv or of its folder, or a fastai `Learner`
) -> History:
    "The losses of a training. Raises `CallError` or `DataError`"
    if isinstance(given, (str, os.PathLike)):
        return _from_log(Path(given))
    if hasattr(given, 'recorder'):
        return _from_learner(given)
    if hasattr(given, 'fit') and hasattr(given, 'dls'):
        raise CallError('this Learner has no recorder; train it with fastai\'s default callbacks')
    if isinstance(given, (list, tuple)) and all(isinstance(row, dict) and 'step' in row for row in given):
        return History(list(given), {}, 'step', 'nats per token')
    wanted = "a list of dicts with 'step', the path of a log.csv, or a Learner"
    raise CallError(f'expected {wanted}, got {described(given)}')
