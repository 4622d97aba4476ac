"Composed words, against slow and obvious references."

from functools import lru_cache

import pytest
import torch

from visual_token_diffusion.encoders.characters import (
    COMPOSERS,
    SLOTS,
    Composer,
    LetterMeaning,
    compose,
    edit_distances,
    letter_ids,
    syllable_words,
)
from visual_token_diffusion.semantics.char_ngrams import char_ngrams


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


words = syllable_words(120, gen())


def test_letters_and_words():
    assert len(set(words)) == 120 and words == sorted(words)
    assert all(0 < len(w) <= SLOTS and w.isalpha() and w.islower() for w in words)
    x = letter_ids(words + [''])
    assert x.shape == (121, SLOTS) and x.dtype == torch.long
    for w, r in zip(words + [''], x.tolist()):
        assert r == [ord(c) - 96 for c in w] + [0] * (SLOTS - len(w))
    for bad in ('Cat', 'a b', 'é', 'x' * 17):
        with pytest.raises(ValueError, match='SpellingCodec'):
            letter_ids(['cat', bad])


def levenshtein(a, b):
    @lru_cache(None)
    def d(i, j):
        if not min(i, j):
            return max(i, j)
        replaced = d(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, replaced)

    return d(len(a), len(b))


def test_edit_distances():
    many = words[:40] + ['', 'a', 'abcdefghijklmnop']
    ids = letter_ids(many)
    for w in many:
        assert edit_distances(w, ids).tolist() == [levenshtein(w, v) for v in many]


def dense_rows(words, groups):
    "Unit rows of letter groups in double precision"
    X = [[float(g in char_ngrams(w)) for g in groups] for w in words]
    X = torch.tensor(X, dtype=torch.double)
    return X / X.norm(dim=1, keepdim=True).clamp(min=1)


@pytest.mark.parametrize('ridge', [0.01, 0.3, 3.0])
def test_letter_meaning_is_ridge_regression(ridge):
    "The same in the space of groups, in double precision"
    F = torch.randn(60, 5, generator=gen(1))
    m = LetterMeaning(words[:60], F, ridge)
    groups = list(m.column)
    X, Y = dense_rows(words[:60], groups), (F - F.mean(0)).double()
    penalty = ridge * torch.eye(len(groups), dtype=torch.double)
    W = torch.linalg.solve(X.T @ X + penalty, X.T @ Y)
    want = dense_rows(words, groups) @ W + F.mean(0)
    assert torch.allclose(m(words).double(), want, atol=1e-3)
    assert torch.allclose(m(['%%%%', '']), F.mean(0).expand(2, -1), atol=0.3)


@pytest.mark.parametrize('kind', COMPOSERS)
def test_composers(kind):
    torch.manual_seed(0)
    m = Composer(kind)
    x = letter_ids(words)
    g = m.render(x)
    assert g.shape == (120, 3, 16, 16) and 0 <= g.min() and g.max() <= 1
    assert torch.allclose(g * 255, (g * 255).round(), atol=1e-4)
    m.loss(x, generator=gen()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in m.parameters())
    a, b = m.render(letter_ids(['listen', 'silent']))
    assert torch.allclose(a, b, atol=1e-6) == (kind == 'bag of letters')
    assert m.decoder(g).shape == (120, SLOTS, 27) and m.round_trip(x).dtype == torch.bool


def test_an_lstm_writes_from_left_to_right():
    torch.manual_seed(0)
    m = Composer('LSTM')
    a, b = m.render(letter_ids(['abcdefgh', 'abcdexyz']))
    assert torch.equal(a[:, :4], b[:, :4])
    a, b = a[:, 4:8], b[:, 4:8]
    assert torch.equal(a[..., :4], b[..., :4])  # the fifth letter is equal, the sixth not
    assert not torch.equal(a[..., 4:8], b[..., 4:8])


def test_a_short_training_recovers_unseen_words_and_repeats():
    x = letter_ids(syllable_words(1000, gen(3)))[torch.randperm(1000, generator=gen(4))]
    m = compose('attention', x[:800], 120, 64, seed=1)
    assert m.round_trip(x[800:]).float().mean() > 0.8
    a, b = (compose('bag of letters', x, 3, 16, seed=2) for _ in range(2))
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))


def test_bad_input():
    with pytest.raises(ValueError, match='attention'):
        Composer('gru')
