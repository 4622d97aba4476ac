"The pyramid, against slow references in float64."

import itertools
import math

import pytest
import torch

from visual_token_diffusion.codebooks.category import category_codes
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.encoders.pyramid import (
    PyramidEncoder,
    avg_pool,
    laplacian_pyramid,
    patterns,
    upsample,
    walsh_patterns,
)


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def codes_of(V, sizes, seed=0):
    n = torch.randperm(math.prod(sizes), generator=gen(seed))[:V]
    res = []
    for k in reversed(sizes):
        res.append(n % k)
        n = n // k
    return CodeTable(torch.stack(res[::-1], 1), sizes)


def encoder(V=50, sizes=(7, 3, 4), **kw):
    return PyramidEncoder(codes_of(V, sizes), **kw)


def test_up_and_down_by_loops():
    x = torch.rand(2, 3, 8, 8, generator=gen(), dtype=torch.double)
    y, z = avg_pool(x, 4), upsample(x, 16)
    for i, j in itertools.product(range(4), range(4)):
        block = x[..., 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        assert torch.allclose(y[..., i, j], block.mean((-1, -2)))
    for i, j in itertools.product(range(16), range(16)):
        assert torch.equal(z[..., i, j], x[..., i // 2, j // 2])
    b = laplacian_pyramid(x, (2, 4, 8))
    assert torch.allclose(sum(upsample(o, 8) for o in b), x)
    assert avg_pool(b[1], 2).abs().max() < 1e-12
    assert avg_pool(b[2], 4).abs().max() < 1e-12
    up = [upsample(o, 8).flatten(1) for o in b]
    for p, q in itertools.combinations(up, 2):
        assert (p * q).sum(1).abs().max() < 1e-12


@pytest.mark.parametrize(
    'side,whole,room',
    [
        (1, True, 4),
        (2, True, 16),
        (4, True, 64),
        (4, False, 48),
        (8, False, 192),
        (16, False, 768),
    ],
)
def test_patterns_are_far_apart(side, whole, room):
    p = patterns(room, side, whole)
    f = p.flatten(1).double()
    assert p.shape == (room, 3, side, side)
    assert (p.abs() == 1).all() and len(f.unique(dim=0)) == room
    itself = torch.diag(torch.full((room,), 3.0 * side * side, dtype=torch.double))
    assert (f @ f.T - itself).max() <= 0
    if not whole:
        assert avg_pool(p.double(), side // 2).abs().max() == 0
    assert torch.equal(patterns(min(room, 5), side, whole), p[:5])
    with pytest.raises(ValueError, match='room for'):
        patterns(room + 1, side, whole)


STRENGTHS = [None, (87, 20, 20), (1, 2, 3)]


@pytest.mark.parametrize('strength', STRENGTHS)
def test_render_by_loops(strength):
    e = encoder(strength=strength)
    x = e(torch.arange(50))
    assert torch.equal((x * 255).round() / 255, x) and x.min() >= 0 and x.max() <= 1
    for v in range(50):
        for i, j in itertools.product(range(0, 16, 3), range(0, 16, 5)):
            added = [
                e.codebook(m)[e.codes[v, m], :, i * s // 16, j * s // 16].long()
                for m, s in enumerate(e.sides)
            ]
            assert torch.equal((x[v, :, i, j] * 255).round().long(), 128 + sum(added))
    column = torch.tensor([[3], [7]])
    assert torch.equal(e(column), x[column])


@pytest.mark.parametrize('strength', STRENGTHS)
def test_taken_apart_and_how_far(strength):
    e = encoder(strength=strength)
    x = e(torch.arange(50))
    for m, s in enumerate(e.sides):
        small = e.render(e.codes[:, : m + 1])
        assert torch.equal((avg_pool(x, s) * 255).round(), (small * 255).round())
    rows = x.double().flatten(1)
    nearest = torch.cdist(rows, rows).fill_diagonal_(torch.inf).min().item()
    every = e.render(torch.cartesian_prod(*map(torch.arange, e.sizes))).double().flatten(1)
    assert e.margin() == pytest.approx(torch.pdist(every).min().item(), rel=1e-5)
    assert nearest >= e.margin() - 1e-6


def test_fit_and_build():
    x = torch.randn(50, 5, generator=gen())
    sizes = (5, 5, 5)
    assert torch.equal(PyramidEncoder.fit(x, sizes).codes, category_codes(x, sizes).codes)
    assert PyramidEncoder.fit(x, sides=(8, 16)).sizes == (8, 8)
    assert PyramidEncoder.build(random_codes(50, 4, 3), 16).sides == (2, 4, 8, 16)


@pytest.mark.parametrize(
    'make,text',
    [
        (lambda: encoder(sides=(4, 8)), 'one for each scale'),
        (lambda: encoder(sides=(4, 12, 24)), 'twice'),
        (lambda: encoder(sides=(3, 6, 12)), 'power of two'),
        (lambda: encoder(strength=(50, 50, 50)), '127'),
        (lambda: encoder(strength=(0, 1, 2)), '127'),
        (lambda: encoder(strength=(1.5, 1, 2)), '127'),
        (lambda: PyramidEncoder(random_codes(9, 3, (65, 3, 3))), 'room for 64'),
        (lambda: encoder()(torch.tensor([50])), '0..49'),
        (lambda: encoder().render(torch.zeros(2, 4, dtype=torch.long)), '1 to 3 scales'),
        (lambda: encoder().render(torch.zeros(1, 3)), 'whole numbers'),
        (lambda: encoder().render(torch.tensor([7, 0])), 'should lie in'),
    ],
)
def test_bad_input_is_one_line(make, text):
    with pytest.raises(ValueError) as err:
        make()
    assert text in str(err.value) and '\n' not in str(err.value)


@pytest.mark.parametrize('side', [4, 8])
def test_patterns_of_as_many_changes_keep_their_order(side):
    "Otherwise another sort would give a codebook other pictures"
    plain, changes = walsh_patterns(side)
    order = sorted(range(len(plain)), key=lambda i: int(changes[i]))
    got = patterns(len(plain), side, True)[:, 0]
    signs = (got * plain[order]).flatten(1)  # one sign throughout: the same pattern, in some colours
    assert (signs == signs[:, :1]).all()
