"What is said of a training beside its bound: what `xz -9` needs for the same text, and the time of all its parts."

import json
import time
from pathlib import Path

from ..core.config import RunConfig
from ..metrics.xz import xz_bits_per_byte

__all__ = ['held_out_xz', 'time_spent']

_MOST = 2**22  # tokens that are compressed


def held_out_xz(
    vocab,  # a `Vocab`
    valid,  # (N,) held-out tokens, or anything with slices
) -> float:
    "Bits per byte of `xz -9` for the held-out text"
    return xz_bits_per_byte(vocab.decode(valid[:_MOST].tolist()).encode('utf-8', 'replace'))


def _seconds_told(path):
    "What the metrics in a folder say; they also count building and measuring, which a state does not"
    try:
        return float(json.loads(Path(path, 'metrics.json').read_text())['seconds'])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def time_spent(
    state: dict,  # of the training that was continued; empty for a new one
    start: float,  # `time.perf_counter()` when this part began
    cfg: RunConfig,
    path=None,  # its folder
) -> float:
    "Seconds of a training with those before it was continued; no more where nothing was left to do"
    told = _seconds_told(path) if state and path else 0.0
    before = max(state.get('seconds', 0.0), told)
    if state.get('epoch') == cfg.epochs:
        return round(before, 1)
    return round(before + time.perf_counter() - start, 1)
