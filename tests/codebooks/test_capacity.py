"Entries with a capacity, against the same rounds by loops."

import torch
from visual_token_diffusion.codebooks.capacity import assign_with_capacity

gen = lambda s=0: torch.Generator().manual_seed(s)


def by_loops(score, capacity):
    "Rounds of asking, one token after another"
    n, k = score.shape
    left, space = set(range(n)), list(capacity)
    want = {}
    while left:
        asks = {}
        for i in left:
            best = max((j for j in range(k) if space[j]), key=lambda j: score[i, j].item())
            asks.setdefault(best, []).append(i)
        for j, who in asks.items():
            for i in sorted(who, key=lambda i: -score[i, j].item())[: space[j]]:
                want[i] = j
                left.discard(i)
        for j in asks:
            space[j] = capacity[j] - sum(v == j for v in want.values())
    return [want[i] for i in range(n)]


def test_assignment_by_loops():
    for seed in range(20):
        score = torch.randn(12, 4, generator=gen(seed))
        for capacity in ([3, 3, 3, 3], [9, 1, 1, 1], [0, 5, 5, 2]):
            got = assign_with_capacity(score, torch.tensor(capacity))
            assert got.tolist() == by_loops(score, capacity)


def test_what_comes_in_is_left_as_it_was():
    score, capacity = torch.randn(6, 3, generator=gen()), torch.tensor([2, 2, 2])
    before = score.clone()
    assign_with_capacity(score, capacity)
    assert torch.equal(score, before) and capacity.tolist() == [2, 2, 2]


def test_an_entry_keeps_those_that_fit_best():
    score = torch.tensor([[5.0, 1, 0], [4, 3, 0], [3, 2, 1], [9, 0, 0]])
    assert assign_with_capacity(score, torch.tensor([1, 1, 2])).tolist() == [2, 1, 2, 0]
