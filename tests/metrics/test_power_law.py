"Discrete laws against sums written out, the package powerlaw, and bad input."

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from visual_token_diffusion.metrics.power_law import (
    LawComparison,
    compare_laws,
    fit_exponential,
    fit_lognormal,
    fit_power_law,
    goodness,
    log_likelihood,
    sample_lognormal,
    sample_power_law,
    value_counts,
)


def grid_alpha(x, xmin, near):
    "The best exponent on a fine grid, with the norm as a sum and an integral for its rest"
    x = x[x >= xmin].astype(float)
    k = np.arange(xmin, xmin + 20_000)
    alphas = np.arange(near - 0.2, near + 0.2, 0.001)
    rest = (k[-1] + 0.5) ** (1 - alphas) / (alphas - 1)
    norm = np.array([(k**-a).sum() for a in alphas]) + rest
    return alphas[(-alphas * np.log(x).sum() - len(x) * np.log(norm)).argmax()]


@pytest.mark.parametrize('alpha, xmin', [(1.8, 1), (2.5, 1), (2.2, 5), (3.0, 12)])
def test_exponent(alpha, xmin):
    x = sample_power_law(4000, alpha, xmin, seed=1)
    fit = fit_power_law(x, xmin=xmin)
    assert abs(fit.alpha - grid_alpha(x, xmin, alpha)) < 0.002
    assert abs(fit.alpha - alpha) < 4 * fit.error
    assert fit.n_tail == 4000 and abs(fit.zipf - 1 / (fit.alpha - 1)) < 1e-12


def test_distance_is_the_largest_gap():
    x = np.array([1, 1, 1, 2, 2, 5, 9])
    fit = fit_power_law(x, xmin=1)
    k = np.arange(1, 200_000)
    p = k**-fit.alpha
    rest = (k[-1] + 0.5) ** (1 - fit.alpha) / (fit.alpha - 1)
    cdf = p.cumsum() / (p.sum() + rest)
    data = np.array([(x <= v).mean() for v in range(1, 20)])
    assert abs(fit.distance - np.abs(cdf[:19] - data).max()) < 1e-5


def test_beginning_is_found():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.integers(1, 20, 3000), sample_power_law(3000, 2.5, 20, 0)])
    fit = fit_power_law(x)
    assert 15 <= fit.xmin <= 26 and abs(fit.alpha - 2.5) < 0.1


@pytest.mark.parametrize('law, parameters', [
    ('power law', (2.3,)),
    ('exponential', (0.3,)),
    ('log-normal', (1.0, 0.7)),
    ('log-normal', (-9.0, 2.0)),
])
def test_laws_sum_to_one(law, parameters):
    k = np.arange(3, 300_000)
    assert abs(np.exp(log_likelihood(k, 3, law, *parameters)).sum() - 1) < 1e-4


def test_lognormal_and_exponential_fits():
    x = sample_lognormal(20_000, 2.0, 0.8, 1, 0)
    mu, sigma = fit_lognormal(x, 1)
    assert abs(mu - 2) < 0.03 and abs(sigma - 0.8) < 0.03
    y = np.random.default_rng(0).geometric(1 - math.exp(-0.2), 20_000)
    assert abs(fit_exponential(y, 1) - 0.2) < 0.01


def test_vuong_written_out():
    x = sample_lognormal(3000, 1.0, 1.5, 1, 0)
    fit = fit_power_law(x)
    tail = x[x >= fit.xmin]
    ours = log_likelihood(tail, fit.xmin, 'power law', fit.alpha)
    for name, parameters in {
        'log-normal': fit_lognormal(x, fit.xmin),
        'exponential': (fit_exponential(x, fit.xmin),),
    }.items():
        gap = ours - log_likelihood(tail, fit.xmin, name, *parameters)
        ratio = gap.sum() / math.sqrt(len(tail)) / gap.std()
        found = compare_laws(x, fit)[name]
        assert abs(found.ratio - ratio) < 1e-6 and abs(found.p - math.erfc(abs(ratio) / math.sqrt(2))) < 1e-9


def test_decisions():
    drawn = sample_lognormal(20_000, 1.0, 1.0, 1, 0)
    assert compare_laws(drawn, fit_power_law(drawn, xmin=1))['log-normal'].verdict() == 'log-normal'
    drawn = sample_power_law(5000, 2.0, 1, 0)
    assert compare_laws(drawn)['exponential'].verdict() == 'power law'
    assert LawComparison(3.0, 0.2, 'log-normal', 10).verdict() == 'undecided'


def test_goodness():
    assert goodness(sample_power_law(1500, 2.2, 1, 3), draws=10) > 0.1
    assert goodness(sample_lognormal(5000, 2.0, 0.5, 1, 0), draws=10, least=2000) < 0.1


@settings(max_examples=15, deadline=None)
@given(st.floats(1.5, 3.5), st.integers(1, 30), st.integers(0, 10**6))
def test_samples_follow_the_law(alpha, xmin, seed):
    x = sample_power_law(4000, alpha, xmin, seed)
    p = math.exp(log_likelihood([xmin], xmin, 'power law', alpha)[0])
    error = math.sqrt(p * (1 - p) / 4000)
    assert x.min() >= xmin and abs((x == xmin).mean() - p) < 5 * error + 1e-9


def test_second_opinion():
    powerlaw = pytest.importorskip('powerlaw')
    for x in (sample_power_law(1000, 2.4, 2, 0), sample_lognormal(1000, 1.0, 1.5, 1, 0)):
        fit = fit_power_law(x, least=1, most=10**6)
        theirs = powerlaw.Fit(x, discrete=True, estimate_discrete=False, xmin=fit.xmin, verbose=0)
        assert abs(theirs.power_law.alpha - fit.alpha) < 1e-3
        for name, other in (('log-normal', 'lognormal'), ('exponential', 'exponential')):
            ratio, p = theirs.distribution_compare('power_law', other, normalized_ratio=True)
            ours = compare_laws(x, fit)[name]
            assert abs(ours.ratio - ratio) < 0.02 * max(1, abs(ratio)) and abs(ours.p - p) < 0.01


@pytest.mark.parametrize('x, message', [
    ([], 'a law needs a row'),
    ([[1, 2]], 'a law needs a row'),
    ([1.5, 2.0], 'whole numbers from 1'),
    ([0, 3], 'whole numbers from 1'),
    ([-2, 3], 'whole numbers from 1'),
    ([4, 4, 4], 'no law can be told from one value'),
    ([1, 2, 3], 'no tail has 50'),
])
def test_bad_input(x, message):
    with pytest.raises(ValueError, match=message):
        fit_power_law(x)


def test_more_bad_input():
    x = [1, 2, 3]
    with pytest.raises(ValueError, match='from xmin=9 on'):
        fit_power_law(x, xmin=9)
    with pytest.raises(ValueError, match='from xmin=3 on'):
        fit_lognormal(x, 3)
    with pytest.raises(ValueError, match="got 'zipf'"):
        compare_laws(x, fit_power_law(x, xmin=1), ['zipf'])
    with pytest.raises(ValueError, match="got 'zipf'"):
        log_likelihood(x, 1, 'zipf')
    with pytest.raises(ValueError, match='alpha > 1'):
        sample_power_law(3, 1.0)
    with pytest.raises(ValueError, match='sigma > 0'):
        sample_lognormal(3, 0, 0)
    with pytest.raises(ValueError, match='hardly any draw'):
        sample_lognormal(3, 0, 0.1, 10**6)
    assert [v.tolist() for v in value_counts([3, 1, 3])] == [[1, 3], [1, 2]]
