"""Dropout where a text is so short that a training sees it again and again."""

from dataclasses import replace

from ..core.config import RunConfig
from .finished import finished_state
from .resume import load_state

__all__ = ['passes', 'with_dropout']


def passes(
    cfg: RunConfig,  # steps, batch, length, accumulate
    n_tokens: int,  # of the text
    processes: int = 1,
) -> float:
    "How many times a training sees its text"
    return cfg.steps * cfg.batch * cfg.accumulate * processes * cfg.length / n_tokens


def with_dropout(
    cfg: RunConfig,
    n_tokens: int,  # of the text
    processes: int = 1,
    folder=None,  # of an interrupted training that goes on; it keeps what it had
) -> RunConfig:
    "Settings whose dropout, where it is -1, is .2 for a text that is seen more than three times, else 0"
    if cfg.dropout >= 0:
        return cfg
    if folder:
        settings = finished_state(folder).get('settings') or load_state(folder)['settings']
        return replace(cfg, dropout=max(0.0, settings.get('dropout', 0.0)))
    return replace(cfg, dropout=0.2 if passes(cfg, n_tokens, processes) > 3 else 0.0)
