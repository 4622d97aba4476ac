"The pyramid and its readers, against slow references in float64."

import itertools, math
import pytest, torch
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.viz.png import load_sentence, save_sentence
from visual_token_diffusion.codebooks.category import category_codes, natural_clusters
from visual_token_diffusion.encoders.corruptions import first, keep_scales, scale_noise
from visual_token_diffusion.decoders.pyramid import PyramidDecoder, PyramidClassifier
from visual_token_diffusion.encoders.pyramid import (
    PyramidEncoder, laplacian_pyramid, patterns, upsample, avg_pool,
)

gen = lambda s=0: torch.Generator().manual_seed(s)


def codes_of(V, Ks, seed=0):
    n = torch.randperm(math.prod(Ks), generator=gen(seed))[:V]
    res = []
    for k in reversed(Ks):
        res.append(n % k)
        n = n // k
    return torch.stack(res[::-1], 1)


def encoder(V=50, Ks=(7, 3, 4), **kw):
    return PyramidEncoder(codes_of(V, Ks), Ks, **kw)


def test_zoom_by_loops():
    x = torch.rand(2, 3, 8, 8, generator=gen(), dtype=torch.double)
    y, z = avg_pool(x, 4), upsample(x, 16)
    for i, j in itertools.product(range(4), range(4)):
        assert torch.allclose(
            y[..., i, j], x[..., 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean((-1, -2))
        )
    for i, j in itertools.product(range(16), range(16)):
        assert torch.equal(z[..., i, j], x[..., i // 2, j // 2])
    b = laplacian_pyramid(x, (2, 4, 8))
    assert torch.allclose(sum(upsample(o, 8) for o in b), x) and all(
        avg_pool(o, s).abs().max() < 1e-12 for o, s in zip(b[1:], (2, 4))
    )
    up = [upsample(o, 8).flatten(1) for o in b]
    assert all((p * q).sum(1).abs().max() < 1e-12 for p, q in itertools.combinations(up, 2))


@pytest.mark.parametrize(
    'side,whole,room',
    [(1, True, 4), (2, True, 16), (4, True, 64), (4, False, 48), (8, False, 192), (16, False, 768)],
)
def test_patterns_are_far_apart(side, whole, room):
    p = patterns(room, side, whole)
    f = p.flatten(1).double()
    assert (
        p.shape == (room, 3, side, side) and (p.abs() == 1).all() and len(f.unique(dim=0)) == room
    )
    assert (
        f @ f.T - torch.diag(torch.full((room,), 3.0 * side * side, dtype=torch.double))
    ).max() <= 0
    if not whole:
        assert avg_pool(p.double(), side // 2).abs().max() == 0
    assert torch.equal(patterns(min(room, 5), side, whole), p[:5])
    with pytest.raises(ValueError, match='room for'):
        patterns(room + 1, side, whole)


@pytest.mark.parametrize('kw', [{}, dict(strength=(87, 20, 20)), dict(strength=(1, 2, 3))])
def test_draw_by_loops_and_take_apart(kw):
    e = encoder(**kw)
    x = e(torch.arange(50))
    assert torch.equal((x * 255).round() / 255, x) and x.min() >= 0 and x.max() <= 1
    for v in range(50):
        for i, j in itertools.product(range(0, 16, 3), range(0, 16, 5)):
            want = 128 + sum(
                e.book(m)[e.codes[v, m], :, i * s // 16, j * s // 16].long()
                for m, s in enumerate(e.sides)
            )
            assert torch.equal((x[v, :, i, j] * 255).round().long(), want)
    for m, s in enumerate(e.sides):
        assert torch.equal(
            (avg_pool(x, s) * 255).round(), (e.draw(e.codes[:, : m + 1]) * 255).round()
        )
    d = (
        torch.cdist(x.double().flatten(1), x.double().flatten(1))
        .fill_diagonal_(torch.inf)
        .min()
        .item()
    )
    every = e.draw(torch.cartesian_prod(*map(torch.arange, e.Ks))).double().flatten(1)
    assert (
        e.margin() == pytest.approx(torch.pdist(every).min().item(), rel=1e-5)
        and d >= e.margin() - 1e-6
    )
    assert torch.equal(e(torch.tensor([[3], [7]])), x[[3, 7]][:, None])


def test_png_round_trip(tmp_path):
    e = encoder()
    x = e(torch.arange(50))
    save_sentence(tmp_path / 'a.png', x)
    y, _ = load_sentence(tmp_path / 'a.png')
    assert torch.equal((y * 255).round(), (x * 255).round()) and torch.equal(
        PyramidDecoder(e).read(y), torch.arange(50)
    )


@pytest.mark.parametrize(
    'sides,Ks',
    [((4, 8, 16), (7, 3, 4)), ((2, 4, 8, 16), (3, 4, 2, 3)), ((8, 16), (8, 7)), ((4,), (50,))],
)
@pytest.mark.parametrize('sigma', [0.1, 1.5, 6.0])
def test_reading_is_exact(sides, Ks, sigma):
    e = PyramidEncoder(codes_of(50, Ks), Ks, sides)
    d = PyramidDecoder(e)
    x = e(torch.arange(50)).double() + sigma * torch.randn(
        50, 3, e.G, e.G, generator=gen(1), dtype=torch.double
    )
    g = e(torch.arange(50)).double()
    ids, dist = d.decode(x, batch=17)
    D = torch.cdist(x.flatten(1), g.flatten(1))
    assert torch.equal(ids, D.argmin(1)) and torch.allclose(dist, D.amin(1), atol=1e-5)
    for m, s in enumerate(sides):
        y = avg_pool(x, s)
        rows = e.codes[:, : m + 1].unique(dim=0)
        want = rows[torch.cdist(y.flatten(1), e.draw(rows).double().flatten(1)).argmin(1)]
        assert torch.equal(d.read_codes(y), want)
        lp = (
            -(y[:, None] - e.draw(e.codes[:, : m + 1]).double()).flatten(2).square().sum(2)
            / 2
            / 0.3**2
        ).log_softmax(1)
        assert torch.allclose(d.log_probs(y, 0.3), lp, atol=1e-4)
        K = torch.stack([lp[:, e.codes[:, 0] == k].exp().sum(1) for k in range(Ks[0])], 1)
        assert torch.allclose(d.category_log_probs(y, 0.3).exp(), K, atol=1e-5)


def test_scores_are_half_squares():
    e = encoder()
    d = PyramidDecoder(e)
    x = torch.rand(5, 3, 16, 16, generator=gen(2), dtype=torch.double)
    s = d.code_scores(x)
    for c in itertools.product(*map(range, e.Ks)):
        g = e.draw(torch.tensor(c)).double()
        want = ((x - 128 / 255).square().sum((1, 2, 3)) - (x - g).square().sum((1, 2, 3))) / 2
        assert torch.allclose(sum(v[:, k] for v, k in zip(s, c)), want, atol=1e-4)


def test_noise_of_every_scale_and_what_is_missing():
    e = encoder()
    d = PyramidDecoder(e)
    ids = torch.arange(50).repeat(20)
    x = e(ids).double()
    own = d.own_noise(scale_noise((0.1, 0.2, 0.4))(x, gen(1))).square().mean(0).sqrt()
    assert torch.allclose(own, torch.tensor([0.1, 0.2, 0.4], dtype=torch.double), rtol=0.03)
    n = torch.stack(
        [
            upsample(b, 16)
            for b in laplacian_pyramid(
                scale_noise((0.1, 0.2, 0.4))(
                    torch.zeros(200, 3, 16, 16, dtype=torch.double), gen(1)
                )
            )
        ]
    )
    assert torch.allclose(
        n.square().sum((2, 3, 4)).mean(1),
        torch.tensor([48 * 0.01, 144 * 0.04, 576 * 0.16], dtype=torch.double),
        rtol=0.05,
    )
    per = d.log_probs(x[:50], (0.1, 0.2, 0.4))
    s = d.code_scores(x[:50])
    assert torch.allclose(
        per,
        sum(
            v[:, e.codes[:, m]] / w**2 for m, (v, w) in enumerate(zip(s, (0.1, 0.2, 0.4)))
        ).log_softmax(1),
    )
    a = PyramidDecoder(e, 'own', 0.1)
    gone = first(keep_scales(1), scale_noise((0.2, 0.2, 0.2)))(x, gen(3))
    lp = a.log_probs(gone)
    assert (a.category_log_probs(gone).argmax(1) == e.codes[ids, 0]).all()
    n = torch.bincount(e.codes[:, 0])[e.codes[ids, 0]].double()
    assert (
        -lp.gather(1, ids[:, None])[:, 0] - n.log()
    ).abs().max() < 0.05  # spread evenly over the category
    eps, v = 0.1, [w / 0.3**2 for w in s]  # the mixture by its definition
    want = sum(
        ((1 - eps) * w.clamp(max=600).exp() + eps).log()[:, e.codes[:, m]] for m, w in enumerate(v)
    ).log_softmax(1)
    assert torch.allclose(PyramidDecoder(e, 0.3, eps).log_probs(x[:50]), want, atol=1e-6)


def test_natural_parts():
    x = torch.cat(
        [
            torch.randn(n, 5, generator=gen(i)) + 30 * torch.eye(5)[i]
            for i, n in enumerate((3, 10, 25, 4, 8))
        ]
    )
    y = torch.tensor([0] * 3 + [1] * 10 + [2] * 25 + [3] * 4 + [4] * 8)
    parts = natural_clusters(x, 5, 25)
    assert sorted(torch.cat(parts).tolist()) == list(range(50)) and all(
        len(y[p].unique()) == 1 for p in parts
    )
    for K, room in ((5, 10), (7, 8), (50, 1), (13, 4)):
        parts = natural_clusters(x, K, room)
        assert (
            len(parts) == K
            and all(len(p) <= room for p in parts)
            and sorted(torch.cat(parts).tolist()) == list(range(50))
        )
    assert (
        len(natural_clusters(torch.zeros(9, 3), 3, 3)) == 3
        and len(natural_clusters(x[:2], 5, 1)) == 2
    )
    with pytest.raises(ValueError, match='do not fit'):
        natural_clusters(x, 4, 12)
    for Ks in ((5, 5, 5), (5, 10), (2, 5, 5), (50,), (4, 3, 3, 3)):
        c = category_codes(x, Ks)
        assert len(c.unique(dim=0)) == 50 and all(
            c[:, m].max() < k and c[:, m].min() >= 0 for m, k in enumerate(Ks)
        )
    assert torch.equal(
        PyramidEncoder.fit(x, (5, 5, 5)).codes, category_codes(x, (5, 5, 5))
    ) and PyramidEncoder.fit(x, sides=(8, 16)).Ks == (8, 8)


def test_learnt_reader_and_corruptions():
    e = encoder()
    r = PyramidClassifier(e, 16, 1, 2, 2)
    x = e(torch.arange(50))
    lp = r.log_probs(x)
    assert (
        lp.shape == (50, 50)
        and torch.allclose(lp.exp().sum(1), torch.ones(50), atol=1e-5)
        and r.read(x[None]).shape == (1, 50)
    )
    r.loss(x, torch.arange(50)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in r.parameters() if p.numel())
    lots = r.code_log_probs(x)
    c = e.codes
    assert r.loss(x, torch.arange(50)).item() == pytest.approx(
        -sum(lots[m][torch.arange(50), c[:, m]] for m in range(3)).mean().item(), rel=1e-5
    )
    assert torch.allclose(keep_scales(2)(x), upsample(avg_pool(x, 8), 16)) and torch.equal(
        keep_scales(3)(x), sum(upsample(b, 16) for b in laplacian_pyramid(x))
    )
    some = keep_scales(None)(x, gen())
    kept = [
        (some - upsample(avg_pool(x, s), 16)).flatten(1).abs().amax(1) < 1e-5 for s in (4, 8, 16)
    ]
    assert (sum(k.int() for k in kept) == 1).all() and all(k.any() for k in kept)


@pytest.mark.parametrize(
    'make,text',
    [
        (lambda: encoder(sides=(4, 8)), 'one for each scale'),
        (lambda: encoder(sides=(4, 12, 24)), 'twice'),
        (lambda: encoder(sides=(3, 6, 12)), 'power of two'),
        (lambda: encoder(strength=(50, 50, 50)), '127'),
        (lambda: encoder(strength=(0, 1, 2)), '127'),
        (lambda: encoder(strength=(1.5, 1, 2)), '127'),
        (lambda: PyramidEncoder(torch.zeros(2, 3, dtype=torch.long), 2), 'share a tuple'),
        (lambda: PyramidEncoder(torch.full((1, 3), 2), 2), 'should lie in 0..1'),
        (lambda: PyramidEncoder(torch.zeros(1, 3), 2), 'whole numbers'),
        (lambda: PyramidEncoder(random_codes(9, 3, 3), (65, 3, 3)), 'room for 64'),
        (lambda: PyramidEncoder(random_codes(9, 3, 3), 300), '16,777,216'),
        (lambda: encoder()(torch.tensor([50])), '0..49'),
        (lambda: encoder().draw(torch.zeros(2, 4, dtype=torch.long)), '1 to 3 scales'),
        (lambda: PyramidDecoder(encoder(), 0), 'above 0'),
        (lambda: PyramidDecoder(encoder(), (1, 2)), 'above 0'),
        (lambda: PyramidDecoder(encoder(), 'none'), 'above 0'),
        (lambda: PyramidDecoder(encoder(), missing=1), 'probability'),
        (lambda: PyramidDecoder(encoder()).read(torch.zeros(1, 3, 8, 8)), 'leave the token open'),
        (lambda: PyramidDecoder(encoder()).read_codes(torch.zeros(1, 3, 5, 5)), 'one of'),
        (lambda: PyramidDecoder(encoder()).read_codes(torch.zeros(4, 4)), 'one of'),
        (lambda: PyramidDecoder(encoder()).read(torch.full((1, 3, 16, 16), torch.nan)), 'NaN'),
        (lambda: category_codes(torch.full((3, 3), torch.nan), (3,)), 'finite'),
        (lambda: category_codes(torch.zeros(3), (3,)), 'finite'),
    ],
)
def test_bad_input_is_one_line(make, text):
    with pytest.raises(ValueError) as err:
        make()
    assert text in str(err.value) and '\n' not in str(err.value)
