"Natural clusters and the codes below them."

import pytest, torch
from visual_token_diffusion.codebooks.category import category_codes, natural_clusters

gen = lambda s=0: torch.Generator().manual_seed(s)


def clouds():
    "Five far clouds of different sizes, and which cloud a point is of"
    sizes = (3, 10, 25, 4, 8)
    noise = [torch.randn(n, 5, generator=gen(i)) for i, n in enumerate(sizes)]
    x = [points + 30 * center for points, center in zip(noise, torch.eye(5))]
    return torch.cat(x), torch.arange(5).repeat_interleave(torch.tensor(sizes))


def test_natural_clusters():
    x, y = clouds()
    parts = natural_clusters(x, 5, 25)
    assert sorted(torch.cat(parts).tolist()) == list(range(50))
    assert all(len(y[p].unique()) == 1 for p in parts)


@pytest.mark.parametrize('n_clusters,capacity', [(5, 10), (7, 8), (50, 1), (13, 4)])
def test_no_cluster_is_over_its_capacity(n_clusters, capacity):
    parts = natural_clusters(clouds()[0], n_clusters, capacity)
    assert len(parts) == n_clusters and all(len(p) <= capacity for p in parts)
    assert sorted(torch.cat(parts).tolist()) == list(range(50))


def test_clusters_of_few_or_equal_points():
    assert len(natural_clusters(torch.zeros(9, 3), 3, 3)) == 3
    assert len(natural_clusters(clouds()[0][:2], 5, 1)) == 2
    with pytest.raises(ValueError, match='do not fit'):
        natural_clusters(clouds()[0], 4, 12)


@pytest.mark.parametrize('sizes', ['5 5 5', '5 10', '2 5 5', '50', '4 3 3 3'])
def test_codes_are_unique_and_within_their_codebooks(sizes):
    sizes = [int(size) for size in sizes.split()]
    codes = category_codes(clouds()[0], sizes).codes
    assert len(codes.unique(dim=0)) == 50
    assert codes.min() >= 0 and (codes.amax(0) < torch.tensor(sizes)).all()


@pytest.mark.parametrize('features', [torch.full((3, 3), torch.nan), torch.zeros(3)])
def test_bad_features_are_refused(features):
    with pytest.raises(ValueError, match='finite'):
        category_codes(features, (3,))
