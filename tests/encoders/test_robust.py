"Learnt grids, mishaps, the bound, calibration: against slow references in float64."

import math
import pytest, torch
import torch.nn.functional as F
from visual_token_diffusion.metrics.calibration import (
    calibration,
    fit_temperature,
    scale_temperature,
)
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.encoders.corruptions import noise
from visual_token_diffusion.encoders.corruptions import (
    CORRUPTIONS, enlarge, hide_pixels, hide_side, jpeg, jpeg_like, mixture, turn,
)
from visual_token_diffusion.decoders.joint import learn_grids
from visual_token_diffusion.encoders.robust import RobustEncoder, sphere_bound

gen = lambda s=0: torch.Generator().manual_seed(s)


@pytest.mark.parametrize('named', [True, False])
@pytest.mark.parametrize('G', [8, 16])
def test_draw_by_loops(named, G):
    enc = RobustEncoder(random_codes(50, 3, 4, gen()), 4, G, named, gen(1)).double()
    p = enc.parts()
    x = enc(torch.arange(50))
    assert x.shape == (50, 3, G, G) and torch.allclose((x * 255).round(), x * 255, atol=1e-9)
    for v, (a, b, c) in enumerate(enc.codes.tolist()):
        assert torch.equal(
            (torch.sigmoid(p[0, a] + p[1, b] + p[2, c]) * 255).round(), (x[v] * 255).round()
        )
    assert torch.equal(enc(torch.tensor([[3], [7]])), x[[3, 7]][:, None])
    d = torch.cdist(x.flatten(1), x.flatten(1)).fill_diagonal_(torch.inf)
    assert enc.margin() == pytest.approx(d.min().item(), rel=1e-4)


def test_named_parts_are_at_right_angles_and_of_their_kind():
    enc = RobustEncoder(random_codes(50, 3, 4, gen()), 4, 8, generator=gen(1)).double()
    with torch.no_grad():
        [q.normal_(generator=gen(2)) for q in enc.parameters()]
    s, c, t = enc.parts()
    for a, b in ((s, c), (s, t), (c, t)):
        assert (a.flatten(1) @ b.flatten(1).T).abs().max() < 1e-9
    assert (
        torch.equal(s[:, 0], s[:, 2])
        and torch.equal(t[:, 0], t[:, 1])
        and c.sum(1).abs().max() < 1e-12
    )
    assert (
        F.avg_pool2d(t, 2).abs().max() < 1e-12
        and torch.equal(s[..., ::2, ::2], s[..., 1::2, 1::2])
        and torch.equal(c[..., :4, :4], c[..., :1, :1].expand(-1, -1, 4, 4))
    )


def test_gradient_passes_the_rounding():
    enc = RobustEncoder(random_codes(50, 3, 4, gen()), 4, 8, False, gen(1)).double()
    w = torch.randn(3, 8, 8, generator=gen(2), dtype=torch.double)
    (enc(torch.tensor([5])) * w).sum().backward()
    a = enc.codes[5]
    s = torch.sigmoid(sum(enc.free[m, a[m]] for m in range(3)))
    for m in range(3):
        assert torch.allclose(enc.free.grad[m, a[m]], w * s * (1 - s))
    assert (enc.free.grad != 0).sum() == 3 * 192


@pytest.mark.parametrize('name', CORRUPTIONS)
def test_mishaps_keep_shape_and_are_repeatable(name):
    x = RobustEncoder(random_codes(20, 3, 4, gen()), 4, generator=gen())(torch.arange(20)).detach()
    f = CORRUPTIONS[name]
    y = f(x, gen(3))
    assert y.shape == x.shape and y.isfinite().all() and torch.equal(y, f(x, gen(3)))
    if not name.startswith('open'):
        assert y.min() >= -1e-6 and y.max() <= 1 + 1e-6


def test_hiding():
    x = torch.rand(200, 3, 8, 8, generator=gen()).clamp(0.6, 1)
    y = hide_pixels(x, gen(1))
    h = y == 0.5
    assert (
        (h[:, 0] == h[:, 2]).all()
        and (h[:, 0].flatten(1).sum(1) == 32).all()
        and torch.equal(y[~h], x[~h])
    )
    assert h[:, 0].float().mean(0).sub(0.5).abs().max() < 0.15
    y = hide_side(x, gen(1))
    h = (y == 0.5)[:, 0]
    kinds = {tuple(k.flatten().int().tolist()) for k in h}
    assert len(kinds) == 4 and (h.flatten(1).sum(1) == 32).all()


def test_turning():
    x = torch.rand(3, 3, 8, 8, generator=gen())
    assert (
        torch.allclose(turn(0)(x), x, atol=1e-5)
        and torch.allclose(turn(90)(x), x.rot90(1, (2, 3)), atol=1e-4)
        or torch.allclose(turn(90)(x), x.rot90(-1, (2, 3)), atol=1e-4)
    )
    a = turn(5)(x)
    assert not torch.allclose(a, x, atol=0.01) and torch.equal(
        turn(9, upto=True)(x, gen(1)), turn(9, upto=True)(x, gen(1))
    )


def test_enlarging_keeps_flat_pictures():
    assert torch.allclose(enlarge(torch.full((1, 3, 8, 8), 0.3)), torch.tensor(0.3))
    x = torch.rand(2, 3, 8, 8, generator=gen())
    assert enlarge(x).var() < x.var()


def test_the_copy_of_jpeg():
    flat = torch.tensor([0.5, 0.25, 0.75])[None, :, None, None].expand(1, 3, 8, 8)
    assert (jpeg_like(flat) - flat).abs().max() < 0.06
    x = RobustEncoder(random_codes(200, 3, 6, gen()), 6, generator=gen())(
        torch.arange(200)
    ).detach()
    real = jpeg(x)
    assert (jpeg_like(x) - real).abs().mean() < (x - real).abs().mean() / 3
    y = x.clone().requires_grad_()
    jpeg_like(y).sum().backward()
    assert y.grad.abs().sum() > 0
    assert (jpeg(x, quality=95) - x).abs().mean() < (real - x).abs().mean()


def test_mixture_has_every_part():
    x = torch.rand(64, 3, 8, 8, generator=gen())
    y = mixture(x, gen(1))
    assert y.shape == x.shape and all(
        (y[8 * k : 8 * k + 8] != x[8 * k : 8 * k + 8]).any() for k in range(8)
    )
    assert mixture(x[:3], gen()).shape == (3, 3, 8, 8)


def test_learning_improves_and_repeats():
    codes = random_codes(50, 3, 4, gen())

    def right(steps):
        enc, r = learn_grids(codes, 4, steps, width=64, batch=64, seed=1)
        with torch.no_grad():
            return (
                r.read(noise(0.3)(enc(torch.arange(50)), gen(2))) == torch.arange(50)
            ).float().mean().item(), enc

    (a, _), (b, e), (c, f) = right(1), right(60), right(60)
    assert b > a + 0.3 and b == c and torch.equal(e.structure, f.structure)
    fixed = SemanticVisualEncoder(codes, 4)
    before = fixed(torch.arange(50))
    learn_grids(codes, 4, 2, fixed, batch=8)
    assert torch.equal(fixed(torch.arange(50)), before)


@pytest.mark.parametrize('sigma', [0.1, 0.5, 1.0, 3.0])
def test_bound_of_two_tokens(sigma):
    exact = 0.5 * (1 + math.erf(1 / (2 * sigma) / 2**0.5))  # black or white pixel
    assert exact <= sphere_bound(2, sigma, 1) + 1e-9 and sphere_bound(2, sigma, 1) == pytest.approx(
        exact, abs=1e-6
    )


def test_bound_by_simulation_and_order():
    "Three tokens and a few numbers: the best of many random codes stays below"
    best = 0
    for s in range(60):
        c = torch.randint(0, 2, (4, 3), generator=gen(s)).double()
        i = torch.randint(4, (4000,), generator=gen(s))
        x = c[i] + 0.6 * torch.randn(4000, 3, generator=gen(s + 100), dtype=torch.double)
        best = max(best, (torch.cdist(x, c).argmin(1) == i).double().mean().item())
    assert best < sphere_bound(4, 0.6, 3) + 0.02
    b = [sphere_bound(1000, s) for s in (0.3, 0.8, 1.5, 4.0, 50.0)]
    assert b == sorted(b, reverse=True) and b[0] > 0.999 and b[-1] < 0.01
    assert (
        sphere_bound(1000, 1.5, 96) < sphere_bound(1000, 1.5) < sphere_bound(10, 1.5)
        and sphere_bound(1, 1.0) == 1
    )


def test_calibration_by_loops():
    p = torch.rand(300, generator=gen()).double()
    y = torch.rand(300, generator=gen(1)) < p
    c = calibration(p, y, bins=7, generator=gen(2))
    o = p.argsort().tolist()
    want = 0
    for b in range(7):
        i = [o[j] for j in range(300) if j * 7 // 300 == b]
        want += abs(sum(p[k].item() - float(y[k]) for k in i)) / 300
    assert c.ece == pytest.approx(want) and c.calibrated and len(c.confidence) == 7
    assert not calibration(p.sqrt(), y, generator=gen(2)).calibrated


def test_temperature():
    lp = torch.randn(3000, 8, generator=gen()).double().log_softmax(1)
    y = torch.multinomial(lp.exp(), 1, generator=gen(1))[:, 0]
    for k in (0.3, 1.0, 5.0):
        T = fit_temperature(lp * k, y)
        s = lambda t: -scale_temperature(lp * k, t).gather(1, y[:, None]).mean().item()
        assert T == pytest.approx(k, rel=0.1) and all(
            s(T) <= s(T * f) + 1e-9 for f in (0.8, 0.95, 1.05, 1.3)
        )
    assert torch.equal(scale_temperature(lp, 7.0).argmax(1), lp.argmax(1))


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: RobustEncoder(torch.tensor([[0, 0, 0], [0, 0, 0]]), 2), 'share a tuple'),
        (lambda: RobustEncoder(torch.tensor([[0, 0, 2]]), 2), '0..1'),
        (lambda: RobustEncoder(torch.zeros(2, 2).long(), 2), '(V,3)'),
        (lambda: RobustEncoder(torch.tensor([[0, 0, 0]]), 2, 12), '8 or 16'),
        (lambda: RobustEncoder(torch.tensor([[0, 0, 0]]), 2)(torch.tensor([1])), '0..0'),
        (lambda: RobustEncoder(torch.tensor([[0, 0, 0]]), 2).draw(torch.tensor([0, 0, 2])), '0..1'),
        (lambda: jpeg_like(torch.rand(1, 3, 16, 16)), '8 pixels'),
        (lambda: calibration(torch.tensor([0.5]), torch.tensor([True])), 'at least 15'),
        (lambda: calibration(torch.full((20,), 2.0), torch.ones(20).bool()), 'probabilities'),
        (
            lambda: calibration(torch.full((20,), float('nan')), torch.ones(20).bool()),
            'probabilities',
        ),
        (lambda: fit_temperature(torch.zeros(3, 2), torch.zeros(2).long()), 'expected'),
    ],
)
def test_bad_input_is_one_line(make, why):
    with pytest.raises(ValueError, match=why.replace('(', '\\(').replace(')', '\\)')) as e:
        make()
    assert '\n' not in str(e.value)


def test_one_token():
    enc = RobustEncoder(torch.tensor([[0, 0, 0]]), 1)
    assert enc.margin() == math.inf and enc(torch.tensor([0])).shape == (1, 3, 8, 8)
