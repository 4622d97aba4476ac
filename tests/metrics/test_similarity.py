"Neighbors, agreement and correlation against brute force, and their refusals."

import numpy as np, pytest, torch
import torch.nn.functional as F
from visual_token_diffusion.metrics.similarity import (
    category_agreement,
    neighborhood_overlap,
    neighbors,
    overlap_null,
    similarity_correlation,
)

gen = lambda s=0: torch.Generator().manual_seed(s)
z = torch.zeros


@pytest.mark.parametrize('metric', ['cosine', 'euclid'])
def test_neighbors_by_brute_force(metric):
    x = torch.randn(40, 5, generator=gen()) + 1
    y = F.normalize(x, dim=1)
    d = torch.cdist(x, x) if metric == 'euclid' else 1 - y @ y.T
    want = d.fill_diagonal_(torch.inf).argsort(1)[:, :7]
    for chunk in (7, 512):
        assert (neighbors(x, 7, metric, chunk) == want).all()


def test_agreement_by_brute_force():
    a, labels = torch.randn(30, 4, generator=gen()), np.array(list('aab' * 10))
    same = [[labels[j] == labels[i] for j in row] for i, row in enumerate(neighbors(a, 4))]
    r = category_agreement(a, labels, 4)
    assert r.share == pytest.approx(np.mean(same))
    pairs = [labels[i] == labels[j] for i in range(30) for j in range(30) if i != j]
    assert r.chance == pytest.approx(np.mean(pairs))
    assert abs(r.permuted - r.chance) < 0.1


def test_overlap_by_brute_force():
    g = gen()
    a, b = torch.randn(30, 4, generator=g), torch.randn(30, 3, generator=g)
    rows = zip(neighbors(a, 4).tolist(), neighbors(b, 4).tolist())
    want = np.mean([len(set(p) & set(q)) / 4 for p, q in rows])
    assert neighborhood_overlap(a, b, 4).share == pytest.approx(want)
    assert neighborhood_overlap(a, a * 2, 4) == (1.0, 4 / 29)
    assert overlap_null(lambda x: x, 30, 4, 4, n=2) == (1.0, 0.0)
    m, s = overlap_null(lambda x: torch.randn(x.shape, generator=g), 200, 4, 5)
    assert abs(m - 5 / 199) < 0.02


def test_collapsed_features_show_no_kinship():
    "With all rows equal, a sorted word list must not look like knowledge"
    lab = np.repeat(np.arange(20), 20)
    assert category_agreement(torch.ones(400, 3), lab, 10).share < 0.2


def test_one_hot_rows_have_no_neighbors_of_their_own():
    "All similarities are equal; rounding errors, which know the order of the rows, must not look like meaning"
    labels = np.repeat(np.arange(24), 8)
    for x in (torch.eye(192), F.normalize(torch.eye(192) - 1 / 192, dim=1)):
        for metric in ('cosine', 'euclid'):
            a = category_agreement(x, labels, 5, metric=metric)
            assert abs(a.share - a.chance) < 0.03, (metric, a)


def test_similarity_correlation():
    from scipy.stats import spearmanr

    g = gen()
    a = torch.randn(40, 6, generator=g)
    b = a + torch.randn(40, 6, generator=g)
    pairs = tuple(torch.triu_indices(40, 40, 1))
    cos = lambda x: F.cosine_similarity(x[:, None], x[None], dim=2)[pairs]
    want = spearmanr(cos(a), cos(b))[0]
    assert similarity_correlation(a, b) == pytest.approx(want, abs=1e-3)
    assert similarity_correlation(a, a) == pytest.approx(1)
    big, other = torch.randn(3000, 6, generator=g), torch.randn(3000, 6, generator=g)
    assert abs(similarity_correlation(big, other, pairs=20_000)) < 0.05


@pytest.mark.parametrize(
    'f',
    [
        lambda: category_agreement(torch.randn(4, 2), [0, 1, 0, 1], 4),
        lambda: category_agreement(torch.randn(4, 2), [0, 0, 0, 0], 1),
        lambda: category_agreement(torch.randn(4, 2), [0, 1, 0], 1),
        lambda: category_agreement(z(4, 2) / 0, [0, 1, 0, 1], 1),
        lambda: neighbors(z(1, 2), 1),
        lambda: neighbors(z(3), 1),
        lambda: neighbors(z(3, 2), 0),
        lambda: neighbors(z(3, 2), 1, 'manhattan'),
        lambda: neighborhood_overlap(z(3, 2), z(4, 2), 1),
        lambda: similarity_correlation(torch.ones(4, 2), torch.randn(4, 2)),
        lambda: similarity_correlation(z(2, 2), z(2, 2)),
    ],
)
def test_bad_input_is_one_clear_line(f):
    with pytest.raises(ValueError) as e:
        f()
    assert type(e.value) is ValueError and '\n' not in str(e.value) and len(str(e.value)) > 20
