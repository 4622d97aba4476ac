"Metrics against brute force, and their refusals."

import math
from collections import Counter
from itertools import product
import numpy as np, pytest, torch
from visual_token_diffusion.metrics.accuracy import (
    wilson, accuracy, exact_match, validity, cover, neighbours,
)
from visual_token_diffusion.metrics.likelihood import excess_bits
from visual_token_diffusion.metrics.ngram import (
    NGram, ngram_nll, unigram_nll, bigram_nll, trigram_nll, unigram_entropy,
)
from visual_token_diffusion.metrics.similarity import (
    category_agreement, neighborhood_overlap, overlap_null, similarity_correlation,
)

rng = np.random.default_rng(0)


def slow_kn(seqs, V, order):
    "Interpolated Kneser-Ney by its definition, with dictionaries; returns p(w, context)"
    pads = [[V] * (order - 1) + list(s) for s in seqs]
    cnt = {
        order: Counter(
            tuple(p[i - order + 1 : i + 1]) for p in pads for i in range(order - 1, len(p))
        )
    }
    runs = {
        k: {tuple(p[i - k + 1 : i + 1]) for p in pads for i in range(order - 1, len(p))}
        for k in range(1, order + 1)
    }
    for k in range(1, order):
        cnt[k] = Counter(g[1:] for g in runs[k + 1])

    def D(k):
        n1, n2 = (sum(c == n for c in cnt[k].values()) for n in (1, 2))
        return min(max(n1 / max(n1 + 2 * n2, 1), 0.1), 0.95)

    def p(w, h, k=order):
        if k == 0:
            return 1 / V
        h = tuple(h[len(h) - k + 1 :])
        after = [c for g, c in cnt[k].items() if g[:-1] == h]
        lower = p(w, h[1:], k - 1)
        return (
            (max(cnt[k][h + (w,)] - D(k), 0) + D(k) * len(after) * lower) / sum(after)
            if after
            else lower
        )

    return p


@pytest.mark.parametrize('order', [1, 2, 3, 4])
def test_ngram_is_kneser_ney_and_sums_to_one(order):
    V, seqs = 9, [rng.integers(0, 7, rng.integers(1, 9)) for _ in range(20)]
    m, slow = NGram(seqs, V, order), slow_kn(seqs, V, order)
    for h in ([], [1], [8, 8], [1, 2], [8, 1], [1, 2, 3], [3, 8, 1]):
        pad = ([V] * order + h)[len(h) + 1 :]
        d = m.dist(h)
        assert abs(d.sum() - 1) < 1e-12 and (d > 0).all()
        np.testing.assert_allclose(d, [slow(w, pad) for w in range(V)], rtol=1e-12)
    new = [rng.integers(0, V, 6) for _ in range(3)]
    want = [math.log(slow(s[i], [V] * order + list(s[:i]))) for s in new for i in range(6)]
    np.testing.assert_allclose(m.log_prob(new), want, rtol=1e-10)
    np.testing.assert_allclose(m.log_prob(new, chunk=5), want, rtol=1e-10)
    assert ngram_nll(seqs, np.stack(new), V, order) == pytest.approx(-np.mean(want))


def test_ngram_shortcuts_and_containers():
    a = rng.integers(0, 5, 60)
    assert (unigram_nll(a, a, 6), bigram_nll(a, a, 6), trigram_nll(a, a, 6)) == tuple(
        ngram_nll(a, a, 6, k) for k in (1, 2, 3)
    )
    assert bigram_nll(torch.tensor(a), list(map(int, a)), 6) == bigram_nll(a, a, 6)
    rows = a.reshape(6, 10)
    assert (
        bigram_nll(rows, torch.tensor(rows), 6)
        == bigram_nll(list(rows), list(rows), 6)
        != bigram_nll(a, a, 6)
    )
    assert np.isfinite(trigram_nll([0, 0, 0], [4], 5))


def test_unigram_entropy():
    assert unigram_entropy([[0, 0], [1, 2]], 9) == pytest.approx(1.5 * math.log(2))


def test_bigram_finds_a_chain_and_scales():
    "A deterministic cycle is predictable from one token and not from none; a big vocabulary takes seconds"
    a = np.arange(3000) % 7
    assert (
        unigram_nll(a, a, 7) == pytest.approx(math.log(7), abs=1e-3) and bigram_nll(a, a, 7) < 0.02
    )
    big = rng.zipf(1.3, 200_000) % 49408
    assert np.isfinite(trigram_nll(big[:180_000], big[180_000:], 49408))


def test_wilson():
    for hits, n in [(0, 10), (2, 44), (5, 44), (44, 44), (500, 1000)]:
        s = wilson(hits, n)
        assert 0 <= s.low <= s.value <= s.high <= 1
        for end in {s.low, s.high} - {
            0.0,
            1.0,
        }:  # by definition: the observed share lies z standard errors from the end
            assert abs(s.value - end) / math.sqrt(end * (1 - end) / n) == pytest.approx(
                1.959964, rel=1e-6
            )


def test_shares():
    a, b = np.array([[1, 2], [3, 4]]), torch.tensor([[1, 2], [3, 5]])
    assert (
        accuracy(a, b)[0] == 0.75
        and exact_match(a, b)[0] == 0.5
        and validity('abba', 'a'.__eq__)[0] == 0.5
    )
    assert (
        exact_match(a[:, None], b[:, None])[0] == 0.5
        and exact_match([1, 2, 3], [1, 0, 3]).hits == 2
    )


@pytest.mark.parametrize('N,n', [(1, 3), (2, 3), (3, 4), (4, 3)])
def test_cover_by_enumeration(N, n):
    c = cover([0] * n, N)
    d = [len(set(t)) for t in product(range(N), repeat=n)]
    assert (
        c.distinct == 1
        and c.expected == pytest.approx(np.mean(d))
        and c.sd == pytest.approx(np.std(d), abs=1e-9)
    )
    p = np.arange(1, N + 1) / sum(range(1, N + 1))
    w = [np.prod(p[list(t)]) for t in product(range(N), repeat=n)]
    c = cover([0] * n, p)
    mean = np.dot(w, d)
    assert (
        c.expected == pytest.approx(mean)
        and c.sd >= math.sqrt(max(np.dot(w, (d - mean) ** 2), 0)) - 1e-9
    )


def test_cover_counts_rows_and_skips_invalid():
    assert cover(torch.tensor([[1, 2], [1, 2], [2, 1]]), 4).distinct == 2 and cover(
        ['a', None, 'a', None], 4
    )[:1] == (1,)
    assert cover(range(1000), 10**12).sd < 1e-2  # no cancellation


@pytest.mark.parametrize('metric', ['cosine', 'euclid'])
def test_neighbours_by_brute_force(metric):
    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)) + 1
    y = torch.nn.functional.normalize(x, dim=1)
    d = torch.cdist(x, x) if metric == 'euclid' else 1 - y @ y.T
    want = d.fill_diagonal_(torch.inf).argsort(1)[:, :7]
    for chunk in (7, 512):
        assert (neighbours(x, 7, metric, chunk) == want).all()


def test_agreement_and_overlap_by_brute_force():
    g = torch.Generator().manual_seed(0)
    a, b, lab = (
        torch.randn(30, 4, generator=g),
        torch.randn(30, 3, generator=g),
        np.array(list('aab' * 10)),
    )
    na, nb = neighbours(a, 4), neighbours(b, 4)
    r = category_agreement(a, lab, 4)
    assert r.share == pytest.approx(np.mean([[lab[j] == lab[i] for j in na[i]] for i in range(30)]))
    assert r.chance == pytest.approx(
        np.mean([lab[i] == lab[j] for i in range(30) for j in range(30) if i != j])
    )
    assert abs(r.permuted - r.chance) < 0.1
    assert neighborhood_overlap(a, b, 4).share == pytest.approx(
        np.mean([len(set(p.tolist()) & set(q.tolist())) / 4 for p, q in zip(na, nb)])
    )
    assert neighborhood_overlap(a, a * 2, 4) == (1.0, 4 / 29)
    assert overlap_null(lambda x: x, 30, 4, 4, n=2) == (1.0, 0.0)
    m, s = overlap_null(lambda x: torch.randn(x.shape, generator=g), 200, 4, 5)
    assert abs(m - 5 / 199) < 0.02


def test_collapsed_features_show_no_kinship():
    "With all rows equal, a sorted word list must not look like knowledge"
    lab = np.repeat(np.arange(20), 20)
    assert category_agreement(torch.ones(400, 3), lab, 10).share < 0.2


def test_similarity_correlation():
    from scipy.stats import spearmanr

    g = torch.Generator().manual_seed(0)
    a = torch.randn(40, 6, generator=g)
    b = a + torch.randn(40, 6, generator=g)
    cos = lambda x: torch.nn.functional.cosine_similarity(x[:, None], x[None], dim=2)[
        tuple(torch.triu_indices(40, 40, 1))
    ]
    full = similarity_correlation(a, b)
    assert full == pytest.approx(spearmanr(cos(a), cos(b))[0], abs=1e-3) and similarity_correlation(
        a, a
    ) == pytest.approx(1)
    big, other = torch.randn(3000, 6, generator=g), torch.randn(3000, 6, generator=g)
    assert abs(similarity_correlation(big, other, pairs=20_000)) < 0.05


def test_excess():
    x = rng.normal(5, 1, 1000)
    e = excess_bits(x, 4.5)
    assert (
        e.mean == pytest.approx((x.mean() - 4.5) / math.log(2))
        and e.se == pytest.approx(x.std(ddof=1) / math.sqrt(1000) / math.log(2))
        and e.possible
    )
    assert (
        not excess_bits(x, 6.0).possible
        and excess_bits(x, x)[:2] == (0.0, 0.0)
        and excess_bits(x, x).possible
    )
    assert excess_bits(x, 4.5, 'bits').mean == pytest.approx(x.mean() - 4.5)
    assert excess_bits([1.0, math.inf], 1.0).mean == math.inf


z = torch.zeros


@pytest.mark.parametrize(
    'f',
    [
        lambda: unigram_nll([], [1], 3),
        lambda: bigram_nll([1], [], 3),
        lambda: bigram_nll([1, 5], [1], 3),
        lambda: bigram_nll([-1], [1], 3),
        lambda: unigram_nll([0.5], [1], 3),
        lambda: NGram([1], 3, 0),
        lambda: unigram_nll(np.zeros((2, 2, 2), int), [1], 3),
        lambda: unigram_entropy([], 3),
        lambda: wilson(3, 2),
        lambda: wilson(0, 0),
        lambda: accuracy([1, 2], [1]),
        lambda: accuracy([], []),
        lambda: accuracy([math.nan], [1.0]),
        lambda: exact_match([[1], [1, 2]], [[1], [1, 2]]),
        lambda: validity([], bool),
        lambda: cover([], 3),
        lambda: cover([1], 0),
        lambda: cover([1], [0.5, 0.6]),
        lambda: category_agreement(torch.randn(4, 2), [0, 1, 0, 1], 4),
        lambda: category_agreement(torch.randn(4, 2), [0, 0, 0, 0], 1),
        lambda: category_agreement(torch.randn(4, 2), [0, 1, 0], 1),
        lambda: category_agreement(z(4, 2) / 0, [0, 1, 0, 1], 1),
        lambda: neighbours(z(1, 2), 1),
        lambda: neighbours(z(3), 1),
        lambda: neighbours(z(3, 2), 0),
        lambda: neighbours(z(3, 2), 1, 'manhattan'),
        lambda: neighborhood_overlap(z(3, 2), z(4, 2), 1),
        lambda: similarity_correlation(torch.ones(4, 2), torch.randn(4, 2)),
        lambda: similarity_correlation(z(2, 2), z(2, 2)),
        lambda: excess_bits([1.0], 0.0),
        lambda: excess_bits([1.0, 2.0], [1.0, 2.0, 3.0]),
        lambda: excess_bits([1.0, math.nan], 1.0),
        lambda: excess_bits([1.0, 2.0], math.nan),
        lambda: excess_bits([1.0, 2.0], 1.0, 'dits'),
    ],
)
def test_bad_input_is_one_clear_line(f):
    with pytest.raises(ValueError) as e:
        f()
    assert type(e.value) is ValueError and '\n' not in str(e.value) and len(str(e.value)) > 20


def test_orthogonal_rows_have_no_neighbours_of_their_own():
    "All similarities are equal; rounding errors, which know the order of the rows, must not look like meaning"
    from visual_token_diffusion.metrics.similarity import category_agreement

    lab = np.repeat(np.arange(24), 8)
    for x in (torch.eye(192), torch.nn.functional.normalize(torch.eye(192) - 1 / 192, dim=1)):
        for metric in ('cosine', 'euclid'):
            a = category_agreement(x, lab, 5, metric=metric)
            assert abs(a.share - a.chance) < 0.03, (metric, a)
