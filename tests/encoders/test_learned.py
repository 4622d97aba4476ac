"Codes that learn: soft drawing, places, and what is refused."

import pytest, torch
import torch.nn.functional as F
from visual_token_diffusion.codebooks.balanced_kmeans import balanced_codes
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.codebooks.capacity import assign_with_capacity
from visual_token_diffusion.encoders.learned import assign_codes, render_soft, learn_codes

gen = lambda s=0: torch.Generator().manual_seed(s)


@pytest.mark.parametrize('G', [4, 5, 8, 16])
def test_soft_drawing_is_the_mean_layout_in_the_mean_palette(G):
    e = SemanticVisualEncoder(random_codes(30, 3, 5, gen()), 5, G)
    assert torch.allclose(
        render_soft(e, F.one_hot(e.codes, 5).float()), e(torch.arange(30)), atol=1e-6
    )
    p = torch.rand(3, 5, generator=gen(1)).double()
    p = p / p.sum(1, keepdim=True)
    want = sum(
        p[0, s] * p[1, c] * p[2, t] * e.draw(torch.tensor([s, c, t])).double()
        for s in range(5)
        for c in range(5)
        for t in range(5)
    )
    assert torch.allclose(
        render_soft(e, p), want, atol=1e-6
    ), 'the mean grid over all codes, since the parts are independent'


def test_place_by_loops():
    for seed in range(20):
        s, room = torch.randn(12, 4, generator=gen(seed)), torch.tensor([3, 3, 3, 3])
        got, left, space = assign_with_capacity(s, room), set(range(12)), [3] * 4
        want = {}
        while left:  # rounds of asking, one token after another
            asks = {}
            for i in left:
                k = max((k for k in range(4) if space[k]), key=lambda k: s[i, k].item())
                asks.setdefault(k, []).append(i)
            for k, who in asks.items():
                for i in sorted(who, key=lambda i: -s[i, k].item())[: space[k]]:
                    want[i] = k
                    left.discard(i)
            for k in asks:
                space[k] = 3 - sum(v == k for v in want.values())
        assert got.tolist() == [want[i] for i in range(12)]


@pytest.mark.parametrize('V,K', [(27, 3), (20, 3), (1, 2), (100, 5)])
def test_all_tuples_differ(V, K):
    lp = torch.zeros(V, 3, K)  # nobody wants anything in particular
    c = assign_codes(lp)
    assert len(c.unique(dim=0)) == V and 0 <= c.min() and c.max() < K


@pytest.mark.parametrize('how', ['gumbel', 'straight'])
def test_learning_is_seeded_and_unique(how):
    f = torch.randn(50, 8, generator=gen())
    a, b, c = (learn_codes(f, how=how, steps=5, seed=s)[0] for s in (0, 0, 1))
    assert torch.equal(a, b) and not torch.equal(a, c) and len(a.unique(dim=0)) == 50
    start = balanced_codes(f, 3, 4)
    near = learn_codes(f, 4, how, steps=1, start=start, lr=1e-4)[0]
    assert (near == start).float().mean() > 0.95


@pytest.mark.parametrize(
    'bad,why',
    [
        (lambda: learn_codes(torch.ones(9, 2), how='magic'), 'gumbel'),
        (lambda: learn_codes(torch.ones(9, 2), 2), '9 tokens need 3'),
        (lambda: assign_codes(torch.zeros(9, 3, 2)), '9 tokens need'),
    ],
)
def test_bad_input_is_one_line(bad, why):
    with pytest.raises(ValueError, match=why) as e:
        bad()
    assert '\n' not in str(e.value)
