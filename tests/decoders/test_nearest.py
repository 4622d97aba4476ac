"Readers against slow and obvious references in float64, and what they refuse."

import itertools, math
import pytest, torch
import torch.nn.functional as F
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.decoders.base import check_grids
from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.decoders.classifiers import (
    FactorizedDecoder,
    FlatDecoder,
    HierarchicalDecoder,
    TiedDecoder,
    noise,
    train_decoder,
)

gen = lambda s=0: torch.Generator().manual_seed(s)


def setup(V=30, K=4, G=8):
    return SemanticVisualEncoder(random_codes(V, 3, K, gen()), K, G)


def noisy(enc, n=40, sigma=0.4):
    return enc(torch.randint(enc.V, (n,), generator=gen(1))).double() + sigma * torch.randn(
        n, 3, enc.G, enc.G, generator=gen(2), dtype=torch.double
    )


@pytest.mark.parametrize('V,K', [(1, 1), (1, 3), (2, 2), (30, 4), (200, 11)])
@pytest.mark.parametrize('G', [8, 16])
def test_nearest_by_loops(V, K, G):
    enc = setup(V, K, G)
    x = noisy(enc, 12, 0.6)
    dec = NearestDecoder(enc, sigma=0.6)
    all_ = enc(torch.arange(V)).double()
    d = torch.stack([torch.stack([(g - y).square().sum().sqrt() for g in all_]) for y in x])
    ids, dist = dec.decode(x)
    assert (
        torch.equal(ids, d.argmin(1))
        and torch.equal(dec.read(x), ids)
        and torch.allclose(dist, d.min(1).values)
    )
    want = (-(d**2) / (2 * 0.6**2)).log_softmax(1)
    assert torch.allclose(dec.log_probs(x), want, atol=1e-6) and torch.allclose(
        dec.log_probs(x, 0.6), want, atol=1e-6
    )


def make(enc):
    kinds = torch.arange(enc.V) % 5
    return dict(
        flat=FlatDecoder(enc.V, enc.G),
        deep=FlatDecoder(enc.V, enc.G, 16, 2),
        tied=TiedDecoder(enc),
        factorised=FactorizedDecoder(enc.codes, enc.K, enc.G, 16),
        linear=FactorizedDecoder(enc.codes, enc.K, enc.G, 0),
        hierarchical=HierarchicalDecoder(kinds, enc.G),
    )


@pytest.mark.parametrize('name', ['flat', 'deep', 'tied', 'factorised', 'linear', 'hierarchical'])
def test_one_seam(name):
    enc = setup()
    r = make(enc)[name].double()
    x = noisy(enc).view(4, 10, 3, 8, 8)
    ids = torch.randint(30, (4, 10), generator=gen(3))
    lp = r.log_probs(x)
    assert lp.shape == (4, 10, 30) and torch.allclose(
        lp.exp().sum(-1), torch.ones(4, 10, dtype=torch.double)
    )
    assert torch.equal(r.read(x), lp.argmax(-1)) and torch.equal(r.read(x, batch=7), lp.argmax(-1))
    assert r.read(x[:0]).shape == (0, 10)
    loss = r.loss(x, ids)
    loss.backward()
    assert loss.isfinite() and all(p.grad.isfinite().all() for p in r.parameters())
    if name not in ('factorised', 'linear'):
        assert loss.item() == pytest.approx(F.nll_loss(lp.flatten(0, 1), ids.flatten()).item())


def test_factorised_by_hand():
    enc = setup(20, 4)
    r = make(enc)['factorised'].double()
    x = noisy(enc, 15)
    z = r.heads(r.body((x.flatten(1) - 0.5) * 4)).view(-1, 3, 4)
    for b in range(15):
        p = [z[b, m].softmax(0) for m in range(3)]
        q = torch.stack([p[0][i] * p[1][j] * p[2][k] for i, j, k in enc.codes.tolist()])
        assert torch.allclose(r.log_probs(x[b]).exp(), q / q.sum()) and r.read(x[b]) == q.argmax()
    ids = torch.arange(15)
    want = (
        -sum(z.log_softmax(2)[b, m, enc.codes[ids[b], m]] for b in range(15) for m in range(3)) / 15
    )
    assert r.loss(x, ids).item() == pytest.approx(want.item())
    assert torch.allclose(r.code_log_probs(x), z.log_softmax(2))


def test_factorised_where_the_best_tuple_is_nobodys():
    "Two tokens that differ in all codes, and a picture that says a mixture of both"
    codes = torch.tensor([[0, 0, 0], [1, 1, 1]])
    r = FactorizedDecoder(codes, 2, 8, 0).double()
    with torch.no_grad():
        r.heads.weight.zero_()
        r.heads.bias.copy_(torch.tensor([5.0, 0, 0, 1, 0, 1]))
    assert r.table[0, 1, 1] == -1 and r.read(torch.zeros(3, 8, 8)) == 0


def test_hierarchical_by_loops():
    enc = setup()
    r = make(enc)['hierarchical'].double()
    x = noisy(enc, 9)
    kinds = r.kinds
    c, t = r.out((x.flatten(1) - 0.5) * 4).split([5, 30], 1)
    for b in range(9):
        want = [
            math.log(c[b].softmax(0)[kinds[v]].item())
            + math.log(
                (
                    t[b, v].exp() / sum(t[b, u].exp() for u in range(30) if kinds[u] == kinds[v])
                ).item()
            )
            for v in range(30)
        ]
        assert torch.allclose(r.log_probs(x[b]), torch.tensor(want, dtype=torch.double))
        k = c[b].argmax()
        hard = max((v for v in range(30) if kinds[v] == k), key=lambda v: t[b, v].item())
        assert r.read_hard(x[b]) == hard
    assert torch.allclose(r.category_log_probs(x, kinds, 5), c.log_softmax(1))


def test_a_tied_reader_starts_as_the_nearest():
    enc = setup(200, 11)
    x = noisy(enc, 200, 0.5)
    assert torch.equal(TiedDecoder(enc).double().read(x), NearestDecoder(enc).read(x))
    p = TiedDecoder(enc, sharp=1 / 0.5**2).double().log_probs(x)
    assert torch.allclose(p, NearestDecoder(enc).log_probs(x, 0.5), atol=1e-4)


def test_large_numbers_do_not_overflow():
    r = HierarchicalDecoder(torch.arange(30) % 5).double()
    x = torch.randn(4, 3, 8, 8, dtype=torch.double, generator=gen()) * 40
    assert r.log_probs(x.clamp(-49, 49)).isfinite().all()


def test_training_reaches_every_token_and_repeats():
    enc = setup(60, 5)
    seen = []

    def draw(ids):
        seen.append(ids)
        return enc(ids)

    def run():
        torch.manual_seed(0)
        return train_decoder(FlatDecoder(60), draw, 6, noise(0.1), batch=20, generator=gen(4))

    a = run()
    assert all(
        len(torch.cat(seen[i : i + 3]).unique()) == 60 for i in (0, 3)
    ), 'each token once before any comes twice'
    b = run()
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))


def test_noise():
    x = torch.full((4000, 3, 2, 2), 0.5)
    assert noise(0.3)(x, gen()).std().item() == pytest.approx(0.3, rel=0.03)
    assert noise(0.3, upto=True)(x, gen()).std().item() == pytest.approx(0.3 / 3**0.5, rel=0.05)
    y = noise(2.0, clip=True)(x, gen())
    assert y.min() == 0 and y.max() == 1


@pytest.mark.parametrize(
    'f,why',
    [
        (lambda x: x[:, :2], 'should be'),
        (lambda x: x[..., :7], 'should be'),
        (lambda x: x.long(), 'floats'),
        (lambda x: x * float('nan'), 'NaN'),
        (lambda x: x / 0, 'NaN'),
        (lambda x: x + 200, 'divide'),
        (lambda x: x[0, 0], 'should be'),
    ],
)
@pytest.mark.parametrize('name', ['nearest', 'flat', 'tied', 'factorised', 'hierarchical'])
def test_bad_grids_are_one_line(f, why, name):
    enc = setup()
    r = NearestDecoder(enc) if name == 'nearest' else make(enc)[name]
    for use in (r.read, r.log_probs):
        with pytest.raises(ValueError, match=why) as e:
            use(f(torch.full((2, 3, 8, 8), 0.5)))
        assert '\n' not in str(e.value)


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: FlatDecoder(0), 'at least one token'),
        (lambda: FactorizedDecoder(torch.tensor([[0, 0, 0], [0, 0, 0]]), 2), 'share a tuple'),
        (lambda: FactorizedDecoder(torch.tensor([[0, 0, 4]]), 4), '0..3'),
        (lambda: FactorizedDecoder(torch.tensor([[0, -1, 0]]), 4), '0..3'),
        (lambda: FactorizedDecoder(torch.zeros(2, 3), 4), 'whole numbers'),
        (lambda: HierarchicalDecoder([0, 2]), 'without a gap'),
        (lambda: HierarchicalDecoder([]), 'without a gap'),
        (lambda: HierarchicalDecoder([0.5, 1.0]), 'without a gap'),
        (lambda: NearestDecoder(setup(), 0.0), 'above 0'),
        (lambda: FlatDecoder(3).loss(torch.zeros(1, 3, 8, 8), torch.tensor([3])), '0..2'),
        (lambda: FlatDecoder(3).loss(torch.zeros(1, 3, 8, 8), torch.tensor([-1])), '0..2'),
    ],
)
def test_bad_readers_are_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('name', ['flat', 'tied', 'factorised', 'hierarchical'])
def test_one_token(name):
    enc = setup(1, 1)
    x = torch.rand(5, 3, 8, 8, generator=gen())
    r = dict(
        flat=lambda: FlatDecoder(1),
        tied=lambda: TiedDecoder(enc),
        factorised=lambda: FactorizedDecoder(enc.codes, 1, 8, 8),
        hierarchical=lambda: HierarchicalDecoder([0]),
    )[name]()
    assert (
        r.read(x).tolist() == [0] * 5
        and torch.allclose(r.log_probs(x), torch.zeros(5, 1), atol=1e-6)
        and r.loss(x, torch.zeros(5).long()).item() == pytest.approx(0, abs=1e-6)
    )
