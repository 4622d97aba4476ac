"The Fréchet distance against closed forms, scipy and bad input."

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial
import scipy.stats
import torch
from hypothesis import given, settings, strategies as st

from visual_token_diffusion.metrics.frechet import (
    Moments, feature_moments, frechet_distance, frechet_limit, histogram_distance, kernel_distance,
    picture_features, sampled_total_variation,
)


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


@pytest.mark.parametrize('n, m, d', [(200, 300, 5), (20, 25, 64), (5, 9, 64)])
def test_the_published_formula_and_its_last_resort(n, m, d):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(n, d)), 1.5 * rng.normal(size=(m, d)) + 0.3
    c, e = np.cov(a.T), np.cov(b.T)
    way = a.mean(0) - b.mean(0)
    for eps in (0.0, 1e-6):
        ridge = eps * np.eye(d)
        root = scipy.linalg.sqrtm((c + ridge) @ (e + ridge)).real
        expected = way @ way + np.trace(c) + np.trace(e) - 2 * np.trace(root)
        assert abs(frechet_distance(a, b, eps) / expected - 1) < 1e-6


def test_two_samples_of_one_gaussian():
    for n, expected in ((100, 22.4), (500, 4.2), (2000, 1.1)):
        found = np.mean([frechet_distance(*torch.randn(2, n, 64, generator=gen(seed))) for seed in range(4)])
        assert abs(found / expected - 1) < 0.1


def test_kernel_distance_follows_the_formula_and_has_no_bias():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 3)), rng.normal(size=(5, 3)) + 1
    k = lambda x, y: (x @ y.T / 3 + 1) ** 3
    own = [k(x, x)[~np.eye(len(x), dtype=bool)].mean() for x in (a, b)]
    assert abs(kernel_distance(a, b) - (sum(own) - 2 * k(a, b).mean())) < 1e-9
    assert abs(kernel_distance(torch.tensor(a), torch.tensor(b)) - kernel_distance(a, b)) < 1e-12
    many = [kernel_distance(*torch.randn(2, 50, 8, generator=gen(seed))) for seed in range(60)]
    assert abs(np.mean(many)) < 3 * np.std(many) / 60**0.5 and min(many) < 0
    assert kernel_distance(torch.randn(3000, 4, generator=gen(1)), torch.randn(3000, 4, generator=gen(2)) + 1) > 1


def test_histograms():
    found = histogram_distance([2, 2, 0], torch.tensor([0.0, 0.5, 0.5]))
    assert abs(found.total_variation - 0.5) < 1e-12
    assert abs(found.js - 0.5) < 1e-12
    assert histogram_distance([1, 3], [10, 30]) == (0, 0)
    assert histogram_distance([1, 0], [0, 4]) == (1, 1)
    scipy_js = scipy.spatial.distance.jensenshannon([0.1, 0.2, 0.7], [0.3, 0.3, 0.4], 2) ** 2
    assert abs(histogram_distance([0.1, 0.2, 0.7], [0.3, 0.3, 0.4]).js - scipy_js) < 1e-9


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.lists(st.floats(0.01, 1), min_size=1, max_size=5))
def test_expected_total_variation_is_that_of_all_samples(n, p):
    p = np.array(p) / sum(p)
    k = np.arange(n + 1)
    expected = sum((scipy.stats.binom.pmf(k, n, x) * abs(k / n - x)).sum() for x in p) / 2
    assert abs(sampled_total_variation(p, n) - expected) < 1e-9


def test_features_of_pictures():
    pictures = torch.rand(3, 3, 24, 24, generator=gen(5))
    assert picture_features(pictures, 'pixels').shape == (3, 3 * 24 * 24)
    assert picture_features(pictures).shape == (3, 64)
    own = picture_features(pictures, lambda x: x.mean((2, 3)).half())
    assert own.shape == (3, 3) and own.dtype == torch.float32


@pytest.mark.parametrize('call, message', [
    (lambda: picture_features(torch.rand(1, 3, 8, 8), 'inception'), 'pixels, clip'),
    (lambda: kernel_distance(torch.zeros(1, 3), torch.zeros(4, 3)), 'at least two rows'),
    (lambda: kernel_distance(torch.zeros(4, 2), torch.zeros(4, 3)), 'no distance'),
    (lambda: histogram_distance([1, 2], [1, 2, 3]), 'kinds have no distance'),
    (lambda: histogram_distance([0, 0], [1, 2]), 'a histogram has'),
    (lambda: histogram_distance([-1, 2], [1, 2]), 'a histogram has'),
    (lambda: sampled_total_variation([1, 2], 0), 'at least one sample')])
def test_bad_input_of_what_stands_beside(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert '\n' not in str(error.value)


def test_torchmetrics_agrees():
    fid = pytest.importorskip('torchmetrics.image.fid')
    kid = pytest.importorskip('torchmetrics.image.kid')
    a, b = (torch.randn(60, 8, generator=gen(seed)).double() for seed in (1, 2))
    theirs = fid._compute_fid(a.mean(0), a.T.cov(), b.mean(0), b.T.cov()).item()
    assert abs(frechet_distance(a, b) - theirs) < 1e-9
    assert abs(kernel_distance(a, b) - kid.poly_mmd(a, b).item()) < 1e-9
