"Decoders of the pyramid, against slow references in float64."

import itertools
import math

import pytest
import torch

from support.standin import DEVICE, StandIn, on_device, stand_in_device
from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.decoders.pyramid import PyramidClassifier, PyramidDecoder
from visual_token_diffusion.encoders.corruptions import first, keep_scales, scale_noise
from visual_token_diffusion.encoders.pyramid import PyramidEncoder, avg_pool
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.viz.png import load_sentence, save_sentence


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


def test_png_round_trip(tmp_path):
    e = encoder()
    x = e(torch.arange(50))
    save_sentence(tmp_path / 'a.png', x)
    y, _ = load_sentence(tmp_path / 'a.png')
    assert torch.equal((y * 255).round(), (x * 255).round())
    assert torch.equal(PyramidDecoder(e).decode(y), torch.arange(50))


WAYS = [
    ((4, 8, 16), (7, 3, 4)),
    ((2, 4, 8, 16), (3, 4, 2, 3)),
    ((8, 16), (8, 7)),
    ((4,), (50,)),
]


@pytest.mark.parametrize('sides,sizes', WAYS)
@pytest.mark.parametrize('sigma', [0.1, 1.5, 6.0])
def test_decoding_is_exact(sides, sizes, sigma):
    e = encoder(50, sizes, sides=sides)
    d = PyramidDecoder(e)
    g = e(torch.arange(50)).double()
    x = g + sigma * torch.randn(g.shape, generator=gen(1), dtype=torch.double)
    nearest = torch.cdist(x.flatten(1), g.flatten(1)).argmin(1)
    assert torch.equal(d.decode(x, batch=17), nearest)
    for m, s in enumerate(sides):
        y = avg_pool(x, s)
        rows = e.codes[:, : m + 1].unique(dim=0)
        distance = torch.cdist(y.flatten(1), e.render(rows).double().flatten(1))
        assert torch.equal(d.decode_codes(y), rows[distance.argmin(1)])


@pytest.mark.parametrize('sides,sizes', WAYS)
def test_probabilities_are_exact(sides, sizes):
    e = encoder(50, sizes, sides=sides)
    d = PyramidDecoder(e)
    g = e(torch.arange(50)).double()
    x = g + 1.5 * torch.randn(g.shape, generator=gen(1), dtype=torch.double)
    for m, s in enumerate(sides):
        y = avg_pool(x, s)
        small = e.render(e.codes[:, : m + 1]).double()
        squares = (y[:, None] - small).flatten(2).square().sum(2)
        lp = (-squares / 2 / 0.3**2).log_softmax(1)
        assert torch.allclose(d.log_probs(y, 0.3), lp, atol=1e-4)
        coarse = e.codes[:, 0]
        K = [lp[:, coarse == k].exp().sum(1) for k in range(sizes[0])]
        got = d.category_log_probs(y, 0.3).exp()
        assert torch.allclose(got, torch.stack(K, 1), atol=1e-5)


def test_scores_are_half_squares():
    e = encoder()
    x = torch.rand(5, 3, 16, 16, generator=gen(2), dtype=torch.double)
    scores = PyramidDecoder(e).code_scores(x)
    for c in itertools.product(*map(range, e.sizes)):
        g = e.render(torch.tensor(c)).double()
        squares = (x - 128 / 255).square() - (x - g).square()
        want = squares.sum((1, 2, 3)) / 2
        assert torch.allclose(sum(v[:, k] for v, k in zip(scores, c)), want, atol=1e-4)


def test_noise_of_every_scale():
    e = encoder()
    d = PyramidDecoder(e)
    x = e(torch.arange(50).repeat(20)).double()
    noisy = scale_noise((0.1, 0.2, 0.4))(x, gen(1))
    own = d.own_noise(noisy).square().mean(0).sqrt()
    assert torch.allclose(own, torch.tensor([0.1, 0.2, 0.4], dtype=torch.double), rtol=0.03)
    scores = zip(d.code_scores(x[:50]), e.codes.T, (0.1, 0.2, 0.4))
    want = sum(v[:, codes] / w**2 for v, codes, w in scores).log_softmax(1)
    assert torch.allclose(d.log_probs(x[:50], (0.1, 0.2, 0.4)), want)


def test_what_is_missing():
    e = encoder()
    ids = torch.arange(50).repeat(20)
    x = e(ids).double()
    a = PyramidDecoder(e, 'own', 0.1)
    gone = first(keep_scales(1), scale_noise((0.2, 0.2, 0.2)))(x, gen(3))
    lp = a.log_probs(gone)
    assert (a.category_log_probs(gone).argmax(1) == e.codes[ids, 0]).all()
    n = torch.bincount(e.codes[:, 0])[e.codes[ids, 0]].double()
    spread = -lp.gather(1, ids[:, None])[:, 0] - n.log()
    assert spread.abs().max() < 0.05  # evenly over the category


def test_the_mixture_by_its_definition():
    e = encoder()
    x = e(torch.arange(50)).double()
    eps, scores = 0.1, PyramidDecoder(e).code_scores(x)
    shares = [(1 - eps) * (s / 0.3**2).clamp(max=600).exp() + eps for s in scores]
    want = sum(v.log()[:, c] for v, c in zip(shares, e.codes.T)).log_softmax(1)
    assert torch.allclose(PyramidDecoder(e, 0.3, eps).log_probs(x), want, atol=1e-6)


def test_the_classifier():
    e = encoder()
    r = PyramidClassifier(e, 16, 1, 2, 2)
    x = e(torch.arange(50))
    lp = r.log_probs(x)
    assert lp.shape == (50, 50)
    assert torch.allclose(lp.exp().sum(1), torch.ones(50), atol=1e-5)
    assert r.decode(x[None]).shape == (1, 50)
    loss = r.loss(x, torch.arange(50))
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in r.parameters() if p.numel())
    pairs = zip(r.code_log_probs(x), e.codes.T)
    true = sum(level[torch.arange(50), codes] for level, codes in pairs)
    assert loss.item() == pytest.approx(-true.mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    'make,text',
    [
        (lambda: PyramidDecoder(encoder(), 0), 'above 0'),
        (lambda: PyramidDecoder(encoder(), (1, 2)), 'above 0'),
        (lambda: PyramidDecoder(encoder(), 'none'), 'above 0'),
        (lambda: PyramidDecoder(encoder(), 'one'), 'above 0'),
        (lambda: PyramidDecoder(encoder(), missing=1), 'probability'),
        (lambda: PyramidDecoder(encoder()).decode(torch.zeros(1, 3, 8, 8)), 'leave the token open'),
        (lambda: PyramidDecoder(encoder()).decode_codes(torch.zeros(1, 3, 5, 5)), 'one of'),
        (lambda: PyramidDecoder(encoder()).decode_codes(torch.zeros(4, 4)), 'one of'),
        (lambda: PyramidDecoder(encoder()).decode(torch.full((1, 3, 16, 16), torch.nan)), 'NaN'),
    ],
)
def test_bad_input_is_one_line(make, text):
    with pytest.raises(ValueError) as err:
        make()
    assert text in str(err.value) and '\n' not in str(err.value)


@pytest.mark.parametrize('sigma', [0.3, 'own'])
def test_on_the_stand_in_device(sigma):
    decoder = PyramidDecoder(encoder(), sigma, 0.1)
    x = decoder.encoder(torch.arange(50)) + 1.5 * torch.randn(50, 3, 16, 16, generator=gen())
    with stand_in_device():
        moved, grids = on_device(decoder), x.to(DEVICE)
        for ask in (PyramidDecoder.decode, PyramidDecoder.log_probs, PyramidDecoder.category_log_probs):
            assert isinstance(ask(moved, grids), StandIn)
            assert torch.allclose(ask(moved, grids).cpu(), ask(decoder, x))
        classifier = PyramidClassifier(encoder(), 16, 1)
        loss = on_device(classifier).loss(grids, torch.arange(50).to(DEVICE))
        assert loss.item() == pytest.approx(classifier.loss(x, torch.arange(50)).item(), rel=1e-5)


@pytest.mark.parametrize('part', [PyramidDecoder, PyramidClassifier])
def test_other_encoders_are_refused(part):
    with pytest.raises(CombinationError, match='encoder=pyramid'):
        part(SemanticVisualEncoder(codes_of(30, (4, 4, 4))))
