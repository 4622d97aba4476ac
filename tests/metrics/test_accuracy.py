"Proportions and coverage against brute force, and their refusals."

import math
from itertools import product
import numpy as np, pytest, torch
from visual_token_diffusion.metrics.accuracy import (
    accuracy,
    coverage,
    exact_match,
    validity,
    wilson,
)


def test_wilson():
    for hits, n in zip((0, 2, 5, 44, 500), (10, 44, 44, 44, 1000)):
        s = wilson(hits, n)
        assert 0 <= s.low <= s.value <= s.high <= 1
        # by definition: the observed proportion lies z standard errors from the end
        for end in {s.low, s.high} - {0.0, 1.0}:
            distance = abs(s.value - end) / math.sqrt(end * (1 - end) / n)
            assert distance == pytest.approx(1.959964, rel=1e-6)


def test_proportions():
    a = np.array([[1, 2], [3, 4]])
    b = torch.tensor([[1, 2], [3, 5]])
    assert accuracy(a, b)[0] == 0.75
    assert exact_match(a, b)[0] == 0.5
    assert validity('abba', 'a'.__eq__)[0] == 0.5
    assert exact_match(a[:, None], b[:, None])[0] == 0.5
    assert exact_match([1, 2, 3], [1, 0, 3]).hits == 2


@pytest.mark.parametrize('N,n', [(1, 3), (2, 3), (3, 4), (4, 3)])
def test_coverage_by_enumeration(N, n):
    c = coverage([0] * n, N)
    d = [len(set(t)) for t in product(range(N), repeat=n)]
    assert c.distinct == 1 and c.expected == pytest.approx(np.mean(d))
    assert c.sd == pytest.approx(np.std(d), abs=1e-9)
    p = np.arange(1, N + 1) / sum(range(1, N + 1))
    w = [np.prod(p[list(t)]) for t in product(range(N), repeat=n)]
    c = coverage([0] * n, p)
    mean = np.dot(w, d)
    variance = np.dot(w, (d - mean) ** 2)
    assert c.expected == pytest.approx(mean)
    assert c.sd >= math.sqrt(max(variance, 0)) - 1e-9


def test_coverage_counts_rows_and_skips_invalid():
    assert coverage(torch.tensor([[1, 2], [1, 2], [2, 1]]), 4).distinct == 2
    assert coverage(['a', None, 'a', None], 4)[:1] == (1,)
    assert coverage(range(1000), 10**12).sd < 1e-2  # no cancellation


@pytest.mark.parametrize(
    'f',
    [
        lambda: wilson(3, 2),
        lambda: wilson(0, 0),
        lambda: accuracy([1, 2], [1]),
        lambda: accuracy([], []),
        lambda: accuracy([math.nan], [1.0]),
        lambda: exact_match([[1], [1, 2]], [[1], [1, 2]]),
        lambda: validity([], bool),
        lambda: coverage([], 3),
        lambda: coverage([1], 0),
        lambda: coverage([1], [0.5, 0.6]),
    ],
)
def test_bad_input_is_one_clear_line(f):
    with pytest.raises(ValueError) as e:
        f()
    assert type(e.value) is ValueError and '\n' not in str(e.value) and len(str(e.value)) > 20
