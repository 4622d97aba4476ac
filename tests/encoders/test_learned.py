"Codes that learn: soft rendering, places, and what is refused."

import itertools

import pytest
import torch
import torch.nn.functional as F

from visual_token_diffusion.codebooks.balanced_kmeans import balanced_codes
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.encoders.learned import assign_codes, learn_codes, render_soft
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize('size', [4, 5, 8, 16])
def test_soft_rendering_is_the_mean_layout_in_the_mean_palette(size):
    e = SemanticVisualEncoder(random_codes(30, 3, 5, gen()), size)
    hard = F.one_hot(e.codes, 5).float()
    assert torch.allclose(render_soft(e, hard), e(torch.arange(30)), atol=1e-6)
    p = torch.rand(3, 5, generator=gen(1)).double()
    p = p / p.sum(1, keepdim=True)
    want = 0  # the mean grid over all codes, since the parts are independent
    for s, c, t in itertools.product(range(5), repeat=3):
        grid = e.render(torch.tensor([s, c, t])).double()
        want = want + p[0, s] * p[1, c] * p[2, t] * grid
    assert torch.allclose(render_soft(e, p), want, atol=1e-6)


@pytest.mark.parametrize('V,K', [(27, 3), (20, 3), (1, 2), (100, 5)])
def test_all_tuples_differ(V, K):
    codes = assign_codes(torch.zeros(V, 3, K)).codes  # nobody wants anything in particular
    assert len(codes.unique(dim=0)) == V and 0 <= codes.min() and codes.max() < K


@pytest.mark.parametrize('how', ['gumbel', 'straight'])
def test_learning_is_seeded_and_unique(how):
    f = torch.randn(50, 8, generator=gen())

    def codes(seed):
        return learn_codes(f, how=how, steps=5, seed=seed)[0].codes

    assert torch.equal(codes(0), codes(0)) and not torch.equal(codes(0), codes(1))
    assert len(codes(0).unique(dim=0)) == 50
    start = balanced_codes(f, 3, 4)
    near = learn_codes(f, 4, how, steps=1, start=start, lr=1e-4)[0]
    assert (near.codes == start.codes).float().mean() > 0.95


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
