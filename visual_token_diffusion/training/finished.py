"A training that came to its end: its states make room, and a small file says what it was, so that it can go on."

import math
from dataclasses import replace
from pathlib import Path

from ..core.config import RunConfig
from ..core.errors import CheckpointError
from ..core.files import read_json_file, write_json_atomically

__all__ = ['finish', 'finished_state', 'lengthened']

_FILE = 'training.json'
_PARTS = dict(
    epoch=int, step=int, seconds=(int, float), history=list, settings=dict, corpus_hash=str, vocab=str, processes=int,
)


def finish(
    folder,  # of the training
    state: dict,  # what `_PARTS` lists
    keep: int,  # training states that stay
):
    "Write what the training was, then remove its states but for the newest `keep`; nothing for a nameless training"
    if not _PARTS.keys() <= state.keys():
        return
    write_json_atomically(Path(folder) / _FILE, {k: state[k] for k in _PARTS}, indent=1)
    files = sorted(Path(folder).glob('train_state-*.pt'))
    for path in files[: len(files) - keep]:
        path.unlink(missing_ok=True)


def _is_whole(state):
    "Whether this is what `finish` wrote, with numbers that a training has"
    if not isinstance(state, dict) or not all(isinstance(state.get(k), kind) for k, kind in _PARTS.items()):
        return False
    lengths = [state['settings'].get(name, 1) for name in ('steps', 'epochs')]
    rows = all(isinstance(row, dict) for row in state['history'])
    return rows and all(type(n) is int and 0 < n < 2**53 for n in lengths) and 0 <= state['seconds'] < 1e12


def finished_state(
    folder,
) -> dict:
    "What `finish` wrote; empty for a training that has not come to its end. Raises `CheckpointError` if damaged"
    path = Path(folder) / _FILE
    try:
        state = read_json_file(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        state = None
    if _is_whole(state):
        return state
    raise CheckpointError(f'{path} is damaged; train anew into another folder')


def lengthened(
    folder,
    cfg: RunConfig,  # with the steps that are wanted in all
) -> RunConfig:
    "The settings with which a finished training goes on: more epochs of the same length. Raises `CheckpointError`"
    state = finished_state(folder)
    old = state.get('settings', {})
    if not isinstance(old.get('steps'), int) or not isinstance(old.get('epochs'), int):
        return cfg
    if cfg.steps < old['steps']:
        raise CheckpointError(f"{folder} has been trained for {old['steps']} steps; --resume goes on to more of them")
    per_epoch = math.ceil(old['steps'] / old['epochs'])
    epochs = math.ceil(cfg.steps / per_epoch) if cfg.steps > old['steps'] else old['epochs']
    return replace(cfg, epochs=epochs, steps=per_epoch * epochs if cfg.steps > old['steps'] else cfg.steps)
