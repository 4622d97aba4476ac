"The Fréchet distance against closed forms, scipy and bad input."

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings, strategies as st

from visual_token_diffusion.metrics.frechet import Moments, feature_moments, frechet_distance, frechet_limit


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def gaussian(mean, cov):
    return Moments(torch.tensor(mean).double(), torch.tensor(cov).double(), 100)


def test_closed_forms():
    one = gaussian([0.0, 1.0], [[4.0, 0.0], [0.0, 9.0]])
    other = gaussian([3.0, 1.0], [[1.0, 0.0], [0.0, 25.0]])
    assert abs(frechet_distance(one, other) - (9 + 1 + 4)) < 1e-9
    turned = gaussian([0.0, 1.0], [[6.5, 2.5], [2.5, 6.5]])
    assert abs(frechet_distance(turned, turned)) < 1e-9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(2, 40))
def test_like_scipy_symmetric_and_at_least_zero(seed, d, n):
    a = torch.randn(n + d, d, generator=gen(seed))
    b = torch.randn(n + d, d, generator=gen(seed + 1)) * 2
    ours = frechet_distance(a, b)
    c, e = (np.atleast_2d(np.cov(x.double().numpy().T)) for x in (a, b))
    way = (a.double().mean(0) - b.double().mean(0)).numpy()
    theirs = way @ way + np.trace(c + e - 2 * scipy.linalg.sqrtm(c @ e).real)
    assert abs(ours - theirs) < 1e-5 * max(1, theirs)
    assert abs(ours - frechet_distance(b, a)) < 1e-8 and ours >= 0


def test_fewer_rows_than_features_are_no_trouble():
    x = torch.randn(20, 64, generator=gen(1))
    assert frechet_distance(x, x) < 1e-6
    assert abs(frechet_distance(x, x + 1) - 64) < 1e-6
    assert np.isfinite(frechet_distance(x, torch.randn(9, 64, generator=gen(2))))


def test_equal_rows_have_no_spread():
    x = torch.ones(5, 3)
    assert frechet_distance(x, x) == 0 and abs(frechet_distance(x, 2 * x) - 3) < 1e-12


def test_kinds_of_features():
    x = torch.randn(30, 4, generator=gen(3))
    half, array = x.half(), x.numpy()
    assert frechet_distance(x, array) < 1e-9 and frechet_distance(half, x) < 1e-4
    assert frechet_distance(x.requires_grad_(), feature_moments(array)) < 1e-9
    assert frechet_distance((array * 9).astype(int), (array * 9).astype(int)) < 1e-9


def test_more_rows_less_bias():
    reference = gaussian(np.zeros(16), np.eye(16))
    few, many = (frechet_distance(torch.randn(n, 16, generator=gen(n)), reference) for n in (100, 1600))
    assert 8 < few / many < 32
    x = torch.randn(200, 16, generator=gen(4))
    assert abs(frechet_limit(x, reference)) < frechet_distance(x, reference) / 2
    assert frechet_limit(x, reference) == frechet_limit(x, reference)


@pytest.mark.parametrize('bad, message', [
    (torch.zeros(1, 3), 'at least two rows'), (torch.zeros(0, 3), 'at least two rows'), (torch.zeros(3), 'a table'),
    (torch.full((4, 3), torch.nan), '4 of 4 rows'), (torch.full((4, 3), torch.inf), 'nan or infinity'),
    (torch.zeros(4, 2), 'of 2 and of 3 dimensions'), (torch.zeros(2, 2, 2), 'a table')])
def test_bad_features_are_one_line(bad, message):
    with pytest.raises(ValueError, match=message) as error:
        frechet_distance(bad, torch.zeros(5, 3))
    assert '\n' not in str(error.value)


def test_a_limit_needs_rows():
    with pytest.raises(ValueError, match='at least 16'):
        frechet_limit(torch.zeros(15, 2), torch.zeros(20, 2))
