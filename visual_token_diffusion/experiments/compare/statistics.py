"""Paired over seeds: difference, standard error, whether it is told apart from nothing, and a verdict in words."""

import math
from typing import NamedTuple

__all__ = ['CONFIDENCE', 'Difference', 'difference', 'holm', 'mean_error', 'threshold', 'verdict_word']

CONFIDENCE = 0.95


class Difference(NamedTuple):
    "A part minus the baseline, seed by seed"

    mean: float
    error: float  # standard error of the mean
    size: float  # mean over standard error
    p: float  # of a two-sided paired t-test; None for one seed
    told: bool  # apart from nothing
    is_equal: bool  # the same numbers to the last bit


def mean_error(values):
    "`(mean, standard error)`; the error is None for fewer than two"
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, None
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)


def threshold(n):
    "How many standard errors tell `n` paired differences from nothing: two-sided t, 95%; None for one seed"
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) if n > 1 else None


def difference(
    values,  # a number a seed
    others,  # the baseline's, for the same seeds
) -> Difference:
    "Paired differences. Where all seeds agree to the last bit, any difference is told"
    from scipy.special import stdtr

    gaps = [a - b for a, b in zip(values, others)]
    mean, error = mean_error(gaps)
    is_equal = all(gap == 0 for gap in gaps)
    if error is None:
        return Difference(mean, error, None, None, False, is_equal)
    if error == 0:
        return Difference(mean, error, None, float(is_equal), not is_equal, is_equal)
    size = mean / error
    p = 2 * float(stdtr(len(gaps) - 1, -abs(size)))
    return Difference(mean, error, size, p, p < 1 - CONFIDENCE, is_equal)


def holm(
    differences,  # of several parts from one baseline
) -> list:
    """The same with `p` and `told` corrected for their number, so that a comparison of equal parts tells one of them
    apart in one of twenty at most (Holm 1979, https://www.jstor.org/stable/4615733)"""
    order = sorted((i for i, d in enumerate(differences) if d.p is not None), key=lambda i: differences[i].p)
    found, least = list(differences), 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * found[i].p))
        found[i] = found[i]._replace(p=least, told=least < 1 - CONFIDENCE)
    return found


def verdict_word(found, better):
    "'equal', 'better', 'worse' or 'not told apart' for a `Difference` of a measure that should be `better`"
    if found.is_equal:
        return 'equal'
    if not found.told:
        return 'not told apart'
    return 'better' if (found.mean < 0) == (better == 'less') else 'worse'
