"The Vendi score against the formula written anew, known worlds, and bad input."

import math
import time
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from visual_token_diffusion.metrics.vendi import hill_number, kernel_vendi_score, match_features, vendi_score
from visual_token_diffusion.worlds.captions import World

ORDERS = (0, 0.5, 1, 2, 7.3, math.inf)


def plain(K, q, p=None):
    "exp of the Rényi entropy of the eigenvalues of K with weights p, for kernels of any rank"
    n = len(K)
    p = np.full(n, 1 / n) if p is None else p
    shares = np.linalg.eigvalsh(K * np.sqrt(np.outer(p, p)))
    shares = shares[shares > 1e-12]
    if q == math.inf:
        return 1 / shares.max()
    if q == 1:
        return np.exp(-(shares * np.log(shares)).sum())
    return (shares**q).sum() ** (1 / (1 - q))


def objects():
    return World(1).objects(torch.arange(288))[:, 0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12), st.sampled_from(ORDERS))
def test_features_and_kernel_follow_the_formula(seed, n, d, q):
    rng = np.random.default_rng(seed)
    X, p = rng.normal(size=(n, d)), rng.dirichlet(np.ones(n))
    gram = X @ X.T
    root = np.sqrt(np.diag(gram))
    K = gram / np.outer(root, root)
    for weights in (None, p):
        expected = plain(K, q, weights)
        assert abs(vendi_score(X, q, weights=weights) / expected - 1) < 1e-6
        assert abs(kernel_vendi_score(gram, q, weights=weights) / expected - 1) < 1e-6
        assert abs(kernel_vendi_score(K, q, normalize=False, weights=weights) / expected - 1) < 1e-6
    assert 1 - 1e-9 < vendi_score(X, q) < n + 1e-9


def test_effective_numbers():
    assert [round(hill_number([1, 0, 1, 2], 0)), hill_number([0.5, 0.5], 'inf')] == [3, 2]
    assert abs(hill_number([0.5, 0.25, 0.25], 1) - 2**1.5) < 1e-12
    assert abs(hill_number([0.5, 0.25, 0.25], 2) - 1 / 0.375) < 1e-12
    falling = [hill_number([0.7, 0.2, 0.1], q) for q in ORDERS]
    assert falling == sorted(falling, reverse=True)


def test_the_order_counts_for_features_as_for_kernels():
    X = torch.randn(9, 20, generator=torch.Generator().manual_seed(0))
    scores = [vendi_score(X, q) for q in ORDERS]
    assert len({round(s, 6) for s in scores}) == len(ORDERS)
    assert round(scores[0]) == 9


@pytest.mark.parametrize('q', ORDERS)
def test_one_sample_and_equal_samples_are_one(q):
    assert abs(vendi_score([[3.0, 4.0]], q) - 1) < 1e-9
    assert abs(vendi_score(torch.ones(50, 3), q) - 1) < 1e-9
    assert abs(kernel_vendi_score(torch.ones(50, 50), q) - 1) < 1e-9
    assert abs(kernel_vendi_score(torch.eye(7), q) - 7) < 1e-9


def test_order_zero_is_the_rank_and_counts_no_rounding():
    X = torch.randn(60, 4, generator=torch.Generator().manual_seed(1))
    unit = X / X.norm(dim=1, keepdim=True)
    assert round(vendi_score(X, 0), 6) == 4
    assert round(kernel_vendi_score(unit @ unit.T, 0), 6) == 4  # in single precision
    assert round(kernel_vendi_score(unit.double() @ unit.double().T, 0), 6) == 4


@pytest.mark.parametrize('how, full, lost', [('mean', 11.61, 10.50), ('exact', 288, 216)])
def test_ceilings_of_the_world(how, full, lost):
    every = objects()
    assert abs(vendi_score(match_features(every, how)) - full) < 5e-3
    assert abs(vendi_score(match_features(every[every[:, 0] != 3], how)) - lost) < 5e-3


def test_true_samples_stay_below_the_ceiling():
    every, generator = objects(), torch.Generator().manual_seed(0)
    drawn = [every[torch.randint(288, (500,), generator=generator)] for _ in range(10)]
    mean, exact = (np.mean([vendi_score(match_features(x, how)) for x in drawn]) for how in ('mean', 'exact'))
    assert abs(mean - 11.46) < 0.05 and abs(exact - 206) < 5


def test_features_give_the_kernel():
    a = torch.tensor([[0, 5, 1], [0, 7, 1], [2, 5, 0]])
    mean = (a[:, None] == a).float().mean(-1)
    assert torch.allclose(match_features(a) @ match_features(a).T, mean, atol=1e-6)
    exact = match_features(a[[0, 0, 1]], 'exact')
    assert (exact @ exact.T).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_many_samples_are_fast():
    X = torch.randn(10_000, 64, generator=torch.Generator().manual_seed(2))
    start = time.process_time()
    assert 63 < vendi_score(X) < 64
    assert time.process_time() - start < 5


@pytest.mark.parametrize('call, message', [
    (lambda: kernel_vendi_score([[1, 0.9, 0], [0.9, 1, 0.9], [0, 0.9, 1]]), 'positive semidefinite'),
    (lambda: kernel_vendi_score([[1, 0.5], [0.1, 1]]), 'symmetric'),
    (lambda: kernel_vendi_score(torch.ones(2, 3)), 'square'),
    (lambda: kernel_vendi_score([[0.0, 0.0], [0.0, 1.0]]), 'above zero'),
    (lambda: kernel_vendi_score([[math.nan]]), 'nan or infinity'),
    (lambda: vendi_score(torch.zeros(3, 2)), '3 of 3 rows'),
    (lambda: vendi_score(torch.zeros(0, 2)), 'a table'),
    (lambda: vendi_score(torch.ones(4)), 'a table'),
    (lambda: vendi_score(torch.ones(4, 2), -1), 'an order is'),
    (lambda: vendi_score(torch.ones(4, 2), math.nan), 'an order is'),
    (lambda: vendi_score(torch.ones(2, 2), weights=[0.5, 0.6]), 'sum to one'),
    (lambda: vendi_score(torch.ones(2, 2), weights=[1.0]), 'a weight for each'),
    (lambda: hill_number([]), 'shares'),
    (lambda: hill_number([-0.1, 1.1]), 'shares'),
    (lambda: match_features(torch.rand(3, 2)), 'integers'),
    (lambda: match_features(torch.zeros(3, 2, dtype=torch.long), 'some'), "'mean' or 'exact'"),
])
def test_bad_input_is_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert '\n' not in str(error.value)


def test_what_is_not_similar_to_itself_is_warned_of():
    with pytest.warns(UserWarning, match='no Vendi score'):
        vendi_score(torch.full((3, 2), 4.0), normalize=False)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        vendi_score(torch.eye(3), normalize=False)


@pytest.mark.parametrize('n, d', [(600, 300), (400, 8), (50, 2000)])
def test_kernels_in_single_precision_pass(n, d):
    X = torch.nn.functional.normalize(torch.randn(n, d, generator=torch.Generator().manual_seed(3)), dim=1)
    for q in (1, 2, math.inf):
        assert abs(kernel_vendi_score(X @ X.T, q) / vendi_score(X, q) - 1) < 1e-3
