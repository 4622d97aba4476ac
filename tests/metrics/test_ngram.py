"Kneser-Ney against its definition with dictionaries."

import math
from collections import Counter
import numpy as np, pytest, torch
from visual_token_diffusion.metrics.ngram import (
    NGram,
    bigram_nll,
    ngram_nll,
    trigram_nll,
    unigram_entropy,
    unigram_nll,
)

rng = np.random.default_rng(0)


def _runs(padded, k, order):
    "All runs of k tokens that end where a token is predicted"
    return [tuple(p[i - k + 1 : i + 1]) for p in padded for i in range(order - 1, len(p))]


def slow_kn(seqs, V, order):
    "Interpolated Kneser-Ney by its definition, with dictionaries; returns p(w, context)"
    padded = [[V] * (order - 1) + list(s) for s in seqs]
    cnt = {order: Counter(_runs(padded, order, order))}
    for k in range(1, order):
        cnt[k] = Counter(g[1:] for g in set(_runs(padded, k + 1, order)))

    def D(k):
        n1, n2 = (sum(c == n for c in cnt[k].values()) for n in (1, 2))
        return min(max(n1 / max(n1 + 2 * n2, 1), 0.1), 0.95)

    def p(w, h, k=order):
        if k == 0:
            return 1 / V
        h = tuple(h[len(h) - k + 1 :])
        after = [c for g, c in cnt[k].items() if g[:-1] == h]
        lower = p(w, h[1:], k - 1)
        if not after:
            return lower
        own = max(cnt[k][h + (w,)] - D(k), 0)
        return (own + D(k) * len(after) * lower) / sum(after)

    return p


@pytest.mark.parametrize('order', [1, 2, 3, 4])
def test_ngram_is_kneser_ney_and_sums_to_one(order):
    V, seqs = 9, [rng.integers(0, 7, rng.integers(1, 9)) for _ in range(20)]
    m, slow = NGram(seqs, V, order), slow_kn(seqs, V, order)
    contexts = [[], [1], [8, 8], [1, 2]]
    contexts += [[8, 1], [1, 2, 3], [3, 8, 1]]
    for h in contexts:
        pad = ([V] * order + h)[len(h) + 1 :]
        d = m.dist(h)
        assert abs(d.sum() - 1) < 1e-12 and (d > 0).all()
        np.testing.assert_allclose(d, [slow(w, pad) for w in range(V)], rtol=1e-12)
    new = [rng.integers(0, V, 6) for _ in range(3)]
    begin = [V] * order
    pairs = [(s[i], begin + list(s[:i])) for s in new for i in range(6)]
    want = [math.log(slow(*pair)) for pair in pairs]
    np.testing.assert_allclose(m.log_prob(new), want, rtol=1e-10)
    np.testing.assert_allclose(m.log_prob(new, chunk=5), want, rtol=1e-10)
    assert ngram_nll(seqs, np.stack(new), V, order) == pytest.approx(-np.mean(want))


def test_ngram_shortcuts_and_containers():
    a = rng.integers(0, 5, 60)
    shortcuts = (unigram_nll(a, a, 6), bigram_nll(a, a, 6), trigram_nll(a, a, 6))
    assert shortcuts == tuple(ngram_nll(a, a, 6, k) for k in (1, 2, 3))
    assert bigram_nll(torch.tensor(a), list(map(int, a)), 6) == bigram_nll(a, a, 6)
    rows = a.reshape(6, 10)
    by_rows = bigram_nll(rows, torch.tensor(rows), 6)
    assert by_rows == bigram_nll(list(rows), list(rows), 6) != bigram_nll(a, a, 6)
    assert np.isfinite(trigram_nll([0, 0, 0], [4], 5))


def test_unigram_entropy():
    assert unigram_entropy([[0, 0], [1, 2]], 9) == pytest.approx(1.5 * math.log(2))


def test_bigram_finds_a_chain_and_scales():
    "A deterministic cycle is predictable from one token and not from none; a big vocabulary takes seconds"
    a = np.arange(3000) % 7
    assert unigram_nll(a, a, 7) == pytest.approx(math.log(7), abs=1e-3)
    assert bigram_nll(a, a, 7) < 0.02
    big = rng.zipf(1.3, 200_000) % 49408
    assert np.isfinite(trigram_nll(big[:180_000], big[180_000:], 49408))


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
    ],
)
def test_bad_input_is_one_clear_line(f):
    with pytest.raises(ValueError) as e:
        f()
    assert type(e.value) is ValueError and '\n' not in str(e.value) and len(str(e.value)) > 20
