"""Experiments go on where they stopped: what an earlier run has saved."""

from ..core.results import load_run

__all__ = ['before']


def before(
    run: str,  # name of a run
):
    "What an earlier run has found; an empty dict where there is none"
    try:
        return load_run(run)['metrics']
    except ValueError:
        return {}
