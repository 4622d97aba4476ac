"""Experiments go on where they stopped: what an earlier run has saved, and what it lacks."""

from ..core.results import load_run, save_run

__all__ = ['measure_missing', 'saved_metrics']


def saved_metrics(
    run: str,  # name of a run
):
    "What an earlier run has found; an empty dict where there is none"
    try:
        return load_run(run)['metrics']
    except ValueError:
        return {}


def measure_missing(
    run: str,  # name of a run
    tasks,  # `(key, function without arguments)` of everything that it should hold
    command: str,  # that makes it
    facts: dict = {},  # that hold for all results, saved beside them
):
    "Measure what a run lacks and save each result at once; another process may add to the same run meanwhile"
    for key, measure in tasks:
        if key in saved_metrics(run):
            continue
        found = measure()
        save_run(run, saved_metrics(run) | facts | {key: found}, command)
        print(key, {k: round(v, 4) for k, v in found.items() if isinstance(v, float)}, flush=True)
