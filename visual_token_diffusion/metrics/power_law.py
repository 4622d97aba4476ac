"""Does a power law hold? Discrete laws by maximum likelihood, and tests that compare them; no line through logarithms.

Clauset, Shalizi and Newman, 2009, https://arxiv.org/abs/0706.1062; Vuong, 1989, https://doi.org/10.2307/1912557
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import erfc, log_ndtr, zeta

from .arrays import as_array

__all__ = [
    'LawComparison', 'PowerLaw', 'compare_laws', 'fit_exponential', 'fit_lognormal', 'fit_power_law', 'goodness',
    'log_likelihood', 'sample_lognormal', 'sample_power_law', 'value_counts',
]

ALPHAS = 1.01, 20.0  # between which an exponent is looked for
TABLE = 1 << 14  # values whose probabilities are summed exactly in sampling


class PowerLaw(NamedTuple):
    "p(x) proportional to x**-alpha for whole x from `xmin` on"

    alpha: float
    xmin: int
    distance: float  # largest distance between both cumulative distributions (Kolmogorov and Smirnov)
    n_tail: int  # observations from xmin on

    @property
    def zipf(self):
        "The exponent of frequency against rank, where observations are the counts of types: 1/(alpha-1)"
        return 1 / (self.alpha - 1)

    @property
    def error(self):
        "Standard error of alpha, of the continuous law: (alpha-1)/sqrt(n)"
        return (self.alpha - 1) / math.sqrt(self.n_tail)


class LawComparison(NamedTuple):
    "A power law against another law on the same tail"

    ratio: float  # normalized log likelihood ratio; above 0 the power law is nearer
    p: float  # chance of a ratio so far from 0 where both are equally near
    other: str
    n_tail: int

    def verdict(
        self,
        level: float = 0.1,  # of p, as in the paper of 2009
    ) -> str:
        "'power law', the name of the other, or 'undecided'"
        if self.p >= level:
            return 'undecided'
        return 'power law' if self.ratio > 0 else self.other


def value_counts(
    observations,  # (n,) whole numbers from 1 on: here how often each type occurs
):
    "(values, weights): the different observations in order, and how often each is there. Raises `ValueError`"
    x = as_array(observations)
    if x.ndim != 1 or not len(x):
        raise ValueError(f'a law needs a row of observations (n,), got shape {x.shape}')
    if x.dtype.kind not in 'iu' or x.min() < 1:
        raise ValueError(f'observations must be whole numbers from 1 on, got {x.dtype} from {x.min()}')
    values, weights = np.unique(x.astype(np.int64), return_counts=True)
    if len(values) < 2:
        raise ValueError(f'all {len(x)} observations are {values[0]}: no law can be told from one value')
    return values, weights


def _alpha(mean_log, xmin):
    "The exponent with the highest likelihood, from the mean logarithm of the tail"

    def loss(alpha):
        return alpha * mean_log + math.log(zeta(alpha, xmin))

    return minimize_scalar(loss, bounds=ALPHAS, method='bounded', options=dict(xatol=1e-7)).x


def _distance(values, weights, alpha, xmin):
    "Largest gap between the cumulative distributions, at every value where that of the data steps"
    cdf = weights.cumsum() / weights.sum()
    total = zeta(alpha, xmin)
    at = 1 - zeta(alpha, values + 1) / total
    before = 1 - zeta(alpha, values) / total
    return max(np.abs(at - cdf).max(), np.abs(before[1:] - cdf[:-1]).max())


def _fit_tail(values, weights, xmin):
    keep = values >= xmin
    v, w = values[keep], weights[keep]
    n = int(w.sum())
    alpha = _alpha(float(w @ np.log(v)) / n, xmin)
    return PowerLaw(alpha, int(xmin), float(_distance(v, w, alpha, xmin)), n)


def _candidates(values, weights, least, most):
    "Values at which a tail may begin: at least `least` observations and two values in it, at most `most` of them"
    tail = weights[::-1].cumsum()[::-1]
    there = values[:-1][tail[:-1] >= least]
    if not len(there):
        n = int(weights.sum())
        raise ValueError(f'no tail has {least} observations and two values; there are {n} observations in all')
    if len(there) <= most:
        return there
    return there[np.unique(np.geomspace(1, len(there), most).round().astype(int) - 1)]


def _fit(values, weights, least, most):
    fits = [_fit_tail(values, weights, x) for x in _candidates(values, weights, least, most)]
    return min(fits, key=lambda fit: fit.distance)


def fit_power_law(
    observations,  # (n,) whole numbers from 1 on
    xmin: int = None,  # where the law begins; None takes that with the smallest distance
    least: int = 50,  # observations that a tail must have
    most: int = 200,  # beginnings that are tried, all of them if there are fewer
) -> PowerLaw:
    "The discrete power law with the highest likelihood, its beginning by the KS distance. Raises `ValueError`"
    if xmin is not None:
        return _fit_tail(*_tail(observations, xmin), xmin)
    return _fit(*value_counts(observations), least, most)


def _tail(observations, xmin):
    values, weights = value_counts(observations)
    keep = values >= xmin
    if keep.sum() < 2:
        raise ValueError(f'fewer than two different observations from xmin={xmin} on')
    return values[keep], weights[keep]


def _log_power(values, xmin, alpha):
    return -alpha * np.log(values) - math.log(zeta(alpha, xmin))


def _log_geometric(values, xmin, rate):
    "p(x) proportional to exp(-rate x)"
    return math.log(-math.expm1(-rate)) - rate * (values - xmin)


def _log_between(a, b):
    "log(Phi(b)-Phi(a)) of normal variables, without loss on either side"
    high, low = np.where(a + b > 0, -a, b), np.where(a + b > 0, -b, a)
    high, low = log_ndtr(high), log_ndtr(low)
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.nan_to_num(high + np.log1p(-np.exp(low - high)), nan=-745.0, neginf=-745.0)


def _log_lognormal(values, xmin, mu, sigma):
    "A log-normal variable rounded to whole numbers, from xmin-1/2 on"
    a, b = ((np.log(values + shift) - mu) / sigma for shift in (-0.5, 0.5))
    start = (math.log(xmin - 0.5) - mu) / sigma
    return _log_between(a, b) - log_ndtr(-start)


LAWS = {'power law': _log_power, 'exponential': _log_geometric, 'log-normal': _log_lognormal}


def log_likelihood(
    values,  # (n,) whole numbers from xmin on
    xmin: int,
    law: str,  # 'power law', 'exponential' or 'log-normal'
    *parameters,  # alpha; rate; mu and sigma
) -> np.ndarray:
    "(n,) natural logarithms of the probabilities that a law gives. Raises `ValueError`"
    if law not in LAWS:
        raise ValueError(f"a law is one of {', '.join(LAWS)}; got '{law}'")
    return LAWS[law](as_array(values), xmin, *parameters)


def fit_exponential(
    observations,  # (n,) whole numbers from 1 on
    xmin: int,
) -> float:
    "The rate with the highest likelihood from `xmin` on. Raises `ValueError`"
    values, weights = _tail(observations, xmin)
    return _rate(values, weights, xmin)[0]


def _rate(values, weights, xmin):
    return (math.log1p(1 / (weights @ values / weights.sum() - xmin)),)


def fit_lognormal(
    observations,  # (n,) whole numbers from 1 on
    xmin: int,
):
    "(mu, sigma) with the highest likelihood from `xmin` on. Raises `ValueError`"
    return _mu_sigma(*_tail(observations, xmin), xmin)


def _mu_sigma(values, weights, xmin):
    logs, share = np.log(values), weights / weights.sum()
    mean = share @ logs
    spread = max(math.sqrt(share @ (logs - mean) ** 2), 0.1)

    def loss(z):
        if abs(z[1]) > 6:
            return 1e9
        return -float(share @ _log_lognormal(values, xmin, z[0], math.exp(z[1])))

    options = dict(xatol=1e-5, fatol=1e-9, maxiter=1000)
    starts = (mean, math.log(spread)), (mean - 2 * spread, math.log(2 * spread))
    best = min((minimize(loss, z, method='Nelder-Mead', options=options) for z in starts), key=lambda r: r.fun)
    return float(best.x[0]), math.exp(best.x[1])


FITS = {'log-normal': _mu_sigma, 'exponential': _rate}


def compare_laws(
    observations,  # (n,) whole numbers from 1 on
    fit: PowerLaw = None,  # None fits one
    others=tuple(FITS),
) -> dict:
    "{other: `LawComparison`} by Vuong's test for laws of which none holds the other. Raises `ValueError`"
    fit = fit or fit_power_law(observations)
    values, weights = _tail(observations, fit.xmin)
    ours = _log_power(values, fit.xmin, fit.alpha)
    found = {}
    for name in others:
        if name not in FITS:
            raise ValueError(f"a power law is compared with {' and '.join(FITS)}, got '{name}'")
        gap = ours - log_likelihood(values, fit.xmin, name, *FITS[name](values, weights, fit.xmin))
        found[name] = _vuong(gap, weights, name)
    return found


def _vuong(gap, weights, name):
    n = weights.sum()
    mean = weights @ gap / n
    deviation = math.sqrt(weights @ (gap - mean) ** 2 / n)
    if deviation < 1e-9:
        return LawComparison(0.0, 1.0, name, int(n))
    ratio = math.sqrt(n) * mean / deviation
    return LawComparison(float(ratio), float(erfc(abs(ratio) / math.sqrt(2))), name, int(n))


def sample_power_law(
    n: int,
    alpha: float,  # above 1
    xmin: int = 1,
    seed: int = 0,  # a number, or a numpy Generator
) -> np.ndarray:
    "(n,) whole numbers: exact up to xmin+16,384, rounded draws of the continuous law above. Raises `ValueError`"
    if n < 0 or alpha <= 1 or xmin < 1:
        raise ValueError(f'a power law needs n >= 0, alpha > 1 and xmin >= 1, got {n}, {alpha} and {xmin}')
    rng = np.random.default_rng(seed)
    values = np.arange(xmin, xmin + TABLE)
    survival = zeta(alpha, np.append(values, xmin + TABLE)) / zeta(alpha, xmin)
    u = 1 - rng.random(n)  # in (0,1]
    x = values[(np.searchsorted(-survival[1:], -u, side='left')).clip(max=TABLE - 1)]
    far = u <= survival[-1]
    drawn = (xmin + TABLE - 0.5) * (u[far] / survival[-1]) ** (-1 / (alpha - 1)) + 0.5
    x[far] = np.minimum(drawn, 2.0**62).astype(np.int64)
    return x


def sample_lognormal(
    n: int,
    mu: float,
    sigma: float,
    xmin: int = 1,
    seed: int = 0,  # a number, or a numpy Generator
) -> np.ndarray:
    "(n,) whole numbers: rounded log-normal draws, those below xmin drawn again. Raises `ValueError`"
    if n < 0 or sigma <= 0 or xmin < 1:
        raise ValueError(f'a log-normal law needs n >= 0, sigma > 0 and xmin >= 1, got {n}, {sigma} and {xmin}')
    rng = np.random.default_rng(seed)
    parts, missing = [np.empty(0, np.int64)], n
    for _ in range(1000):
        x = np.rint(rng.lognormal(mu, sigma, 2 * missing + 16)).clip(max=2.0**62).astype(np.int64)
        parts.append(x[x >= xmin][:missing])
        missing -= len(parts[-1])
        if not missing:
            return np.concatenate(parts)
    raise ValueError(f'hardly any draw of a log-normal law with mu={mu} and sigma={sigma} reaches xmin={xmin}')


def goodness(
    observations,  # (n,) whole numbers from 1 on
    fit: PowerLaw = None,  # None fits one
    draws: int = 50,  # samples that are fitted again
    seed: int = 0,
    least: int = 50,  # of `fit_power_law`
    most: int = 50,  # of `fit_power_law`
) -> float:
    """Share of samples from the fitted law (below its beginning from the data) whose own fit is farther off:
    below .1 the power law is ruled out (Clauset and others, section 4.1). Raises `ValueError`"""
    values, weights = value_counts(observations)
    fit = fit or _fit(values, weights, least, most)
    body, n = values < fit.xmin, int(weights.sum())
    share = weights[body] / max(weights[body].sum(), 1)
    rng = np.random.default_rng(seed)
    farther = 0
    for _ in range(draws):
        n_tail = rng.binomial(n, fit.n_tail / n)
        below = rng.choice(values[body], n - n_tail, p=share) if n > n_tail else np.empty(0, np.int64)
        drawn = np.concatenate([below, sample_power_law(n_tail, fit.alpha, fit.xmin, rng)])
        counted = np.unique(drawn, return_counts=True)
        if len(counted[0]) > 1:
            farther += _fit(*counted, min(least, n), most).distance >= fit.distance
    return farther / draws
