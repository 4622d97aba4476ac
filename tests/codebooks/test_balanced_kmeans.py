"Balanced trees: groups of equal size that follow the features."

import pytest, torch
from visual_token_diffusion.codebooks.balanced_kmeans import (
    _leaf_order,
    balanced_codes,
    cut_in_two,
    main_direction,
    split_balanced,
)
from visual_token_diffusion.codebooks.base import Codebook, smallest_codebook
from visual_token_diffusion.codebooks.random import random_codes

gen = lambda s=0: torch.Generator().manual_seed(s)


@pytest.mark.parametrize('V', [2, 3, 192, 1000, 10_000])
@pytest.mark.parametrize('how', ['random', 'balanced'])
def test_every_token_has_its_own_tuple(V, how):
    K = max(2, smallest_codebook(V))
    if how == 'random':
        table = random_codes(V, 3, K, gen())
    else:
        table = balanced_codes(torch.randn(V, 8, generator=gen()), 3, K)
    codes = table.codes
    assert codes.shape == (V, 3) and codes.min() >= 0 and codes.max() < K
    assert len(codes.unique(dim=0)) == V


def test_balanced_codes_follow_the_features():
    "Two far clusters: their tokens differ in the first code more often than tokens of one cluster"
    x = torch.randn(200, 8, generator=gen())
    x[100:] += 20
    c = balanced_codes(x, 3, 6).codes[:, 0]
    assert not set(c[:100].tolist()) & set(c[100:].tolist())


@pytest.mark.parametrize('n,parts', [(180, 7), (5, 7), (1, 1), (64, 4)])
def test_parts_are_of_one_size(n, parts):
    split = split_balanced(torch.randn(n, 3, generator=gen()), parts)
    sizes = [len(p) for p in split]
    assert torch.equal(torch.cat(split).sort().values, torch.arange(n))
    assert len(split) == parts and max(sizes) - min(sizes) <= 1


def test_a_cut_has_the_size_asked_for_and_leaves_the_unknown_last():
    x = torch.randn(20, 4, generator=gen())
    x[::4] = 0
    a, b = cut_in_two(x, 8)
    assert len(a) == 8 and sorted(torch.cat([a, b]).tolist()) == list(range(20))
    assert set(range(0, 20, 4)) <= set(b.tolist())
    a, b = cut_in_two(torch.zeros(5, 2), 2)
    assert a.tolist() == [0, 1] and b.tolist() == [2, 3, 4]


def test_all_parts_at_once_are_each_by_itself():
    x = torch.randn(60, 5, generator=gen())
    parts = list(torch.randperm(60, generator=gen()).split([20, 1, 7, 32]))
    members, rank = _leaf_order(x, parts)
    start = 0
    for part in parts:
        own = slice(start, start := start + len(part))
        assert torch.equal(members[own], part)
        along = x[part] @ main_direction(x[part] - x[part].mean(0))
        assert torch.equal(rank[own], along.argsort().argsort())


def test_only_a_random_start_uses_the_generator():
    x = torch.randn(100, 6, generator=gen())
    plain = balanced_codes(x).codes
    assert torch.equal(Codebook.make('balanced').assign(x, generator=gen()).codes, plain)
    some = [balanced_codes(x, generator=gen(s)).codes for s in (1, 1, 2)]
    assert torch.equal(some[0], some[1]) and not torch.equal(some[0], some[2])
    start = Codebook.make('balanced', random_start=True)
    assert torch.equal(start.assign(x, generator=gen(1)).codes, some[0])


def test_only_points_at_the_origin_are_unknown():
    "A zero in one coordinate is a coordinate like others"
    x = torch.tensor([[5.0, 0], [0, 5], [6, 0], [0, 6], [0, 0]])
    small, large = sorted((sorted(part.tolist()) for part in cut_in_two(x, 2)), key=len)
    assert (small, large) in [([0, 2], [1, 3, 4]), ([1, 3], [0, 2, 4])]
