"What is said of a training beside its bound: what `xz -9` needs for the same text, and the time of all its parts."

import time

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


def time_spent(
    state: dict,  # of the training that was continued; empty for a new one
    start: float,  # `time.perf_counter()` when this part began
    cfg: RunConfig,
) -> float:
    "Seconds of a training with those before it was continued; no more where nothing was left to do"
    before = state.get('seconds', 0.0)
    if state.get('epoch') == cfg.epochs:
        return round(before, 1)
    return round(before + time.perf_counter() - start, 1)
