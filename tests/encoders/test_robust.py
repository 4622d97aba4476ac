"Learned grids and the sphere bound, against slow references in float64."

import math

import pytest
import torch
import torch.nn.functional as F

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.encoders.robust import RobustEncoder, sphere_bound


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def table(V=50, size=4):
    return random_codes(V, 3, size, gen())


@pytest.mark.parametrize('named', [True, False])
@pytest.mark.parametrize('size', [8, 16])
def test_render_by_loops(named, size):
    enc = RobustEncoder(table(), size, named, gen(1)).double()
    p = enc.code_logits()
    x = enc(torch.arange(50))
    assert x.shape == (50, 3, size, size)
    assert torch.allclose((x * 255).round(), x * 255, atol=1e-9)
    for v, (a, b, c) in enumerate(enc.codes.tolist()):
        want = torch.sigmoid(p[0][a] + p[1][b] + p[2][c]) * 255
        assert torch.equal(want.round(), (x[v] * 255).round())
    column = torch.tensor([[3], [7]])
    assert torch.equal(enc(column), x[column])
    d = torch.cdist(x.flatten(1), x.flatten(1)).fill_diagonal_(torch.inf)
    assert enc.margin() == pytest.approx(d.min().item(), rel=1e-4)


def test_codebooks_of_different_sizes():
    enc = RobustEncoder(random_codes(20, 3, (2, 3, 5), gen()), generator=gen(1))
    assert [len(part) for part in enc.code_logits()] == [2, 3, 5]
    assert enc(torch.arange(20)).flatten(1).unique(dim=0).shape[0] == 20


def test_named_parts_are_at_right_angles_and_of_their_kind():
    enc = RobustEncoder(table(), 8, generator=gen(1)).double()
    with torch.no_grad():
        for q in enc.parameters():
            q.normal_(generator=gen(2))
    s, c, t = enc.code_logits()
    for a, b in ((s, c), (s, t), (c, t)):
        assert (a.flatten(1) @ b.flatten(1).T).abs().max() < 1e-9
    assert torch.equal(s[:, 0], s[:, 2])
    assert torch.equal(t[:, 0], t[:, 1])
    assert c.sum(1).abs().max() < 1e-12
    assert F.avg_pool2d(t, 2).abs().max() < 1e-12
    assert torch.equal(s[..., ::2, ::2], s[..., 1::2, 1::2])
    quarter = c[..., :4, :4]
    assert (quarter == quarter[..., :1, :1]).all()


def test_gradient_passes_the_rounding():
    enc = RobustEncoder(table(), 8, False, gen(1)).double()
    w = torch.randn(3, 8, 8, generator=gen(2), dtype=torch.double)
    (enc(torch.tensor([5])) * w).sum().backward()
    a = enc.codes[5]
    s = torch.sigmoid(sum(enc.free[m, a[m]] for m in range(3)))
    for m in range(3):
        assert torch.allclose(enc.free.grad[m, a[m]], w * s * (1 - s))
    assert (enc.free.grad != 0).sum() == 3 * 192


@pytest.mark.parametrize('sigma', [0.1, 0.5, 1.0, 3.0])
def test_bound_of_two_tokens(sigma):
    exact = 0.5 * (1 + math.erf(1 / (2 * sigma) / 2**0.5))  # black or white pixel
    assert exact <= sphere_bound(2, sigma, 1) + 1e-9
    assert sphere_bound(2, sigma, 1) == pytest.approx(exact, abs=1e-6)


def test_bound_by_simulation_and_order():
    "A few tokens and numbers: the best of many random codes stays below"
    best = 0
    for s in range(60):
        c = torch.randint(0, 2, (4, 3), generator=gen(s)).double()
        i = torch.randint(4, (4000,), generator=gen(s))
        x = c[i] + 0.6 * torch.randn(4000, 3, generator=gen(s + 100), dtype=torch.double)
        best = max(best, (torch.cdist(x, c).argmin(1) == i).double().mean().item())
    assert best < sphere_bound(4, 0.6, 3) + 0.02
    b = [sphere_bound(1000, s) for s in (0.3, 0.8, 1.5, 4.0, 50.0)]
    assert b == sorted(b, reverse=True) and b[0] > 0.999 and b[-1] < 0.01
    assert sphere_bound(1000, 1.5, 96) < sphere_bound(1000, 1.5) < sphere_bound(10, 1.5)
    assert sphere_bound(1, 1.0) == 1


def one():
    return CodeTable(torch.tensor([[0, 0, 0]]), 2)


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: RobustEncoder(CodeTable(torch.zeros(2, 3).long(), 2)), 'share a tuple'),
        (lambda: RobustEncoder(CodeTable(torch.tensor([[0, 0, 2]]), 2)), '0..1'),
        (lambda: RobustEncoder(CodeTable(torch.tensor([[0, 1]]), 2)), 'three codes'),
        (lambda: RobustEncoder(one(), 12), '8 or 16'),
        (lambda: RobustEncoder(one())(torch.tensor([1])), '0..0'),
        (lambda: RobustEncoder(one()).render(torch.tensor([0, 0, 2])), '0..1'),
        (lambda: RobustEncoder(one()).render(torch.tensor([0, 0])), '(...,3)'),
    ],
)
def test_bad_input_is_one_line(make, why):
    with pytest.raises(ValueError) as e:
        make()
    assert why in str(e.value) and '\n' not in str(e.value)


def test_one_token():
    enc = RobustEncoder(CodeTable(torch.tensor([[0, 0, 0]]), 1))
    assert enc.margin() == math.inf and enc(torch.tensor([0])).shape == (1, 3, 8, 8)
