"""Means over seeds and lists of them, for headlines of saved results."""

__all__ = ['by_arm', 'listed', 'mean']


def mean(values):
    "The mean of numbers"
    values = list(values)
    return sum(values) / len(values)


def listed(pairs, form):
    "`name value` of every pair, with commas"
    return ', '.join(f'{name} {form(value)}' for name, value in pairs.items())


def by_arm(runs, key):
    "Mean over the seeds of runs named `arm|seed`"
    arms = dict.fromkeys(name.split('|')[0] for name in runs)
    return {arm: mean(key(run) for name, run in runs.items() if name.split('|')[0] == arm) for arm in arms}
