"The nearest picture: against slow and obvious references in float64, for every kind of encoder."

import pytest, torch
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.decoders.nearest import CodeSearch, NearestDecoder, PrototypeSearch
from visual_token_diffusion.encoders.dct import DCTEncoder
from visual_token_diffusion.encoders.robust import RobustEncoder
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def noisy(enc, n=40, sigma=0.4):
    ids = torch.randint(enc.vocab_size, (n,), generator=gen(1))
    noise = torch.randn(n, 3, enc.size, enc.size, generator=gen(2), dtype=torch.double)
    return enc(ids).detach().double() + sigma * noise


def distances(enc, x):
    "(n,V) one by one"
    everyone = enc(torch.arange(enc.vocab_size)).detach().double()
    rows = [[(g - y).square().sum().sqrt() for g in everyone] for y in x]
    return torch.tensor(rows, dtype=torch.double)


encoders = dict(
    semantic=lambda: SemanticVisualEncoder(random_codes(30, 3, 4, gen())),
    uneven=lambda: SemanticVisualEncoder(random_codes(30, 3, (3, 5, 4), gen())),
    robust=lambda: RobustEncoder(random_codes(30, 3, 4, gen()), generator=gen()),
    dct=lambda: DCTEncoder(torch.randn(30, 12, generator=gen())),
)


one_token = dict(one=(1, 1), spare=(1, 3))
shapes = one_token | dict(two=(2, 2), some=(30, 4), many=(200, 11))


@pytest.mark.parametrize('shape', shapes)
@pytest.mark.parametrize('size', [8, 16])
def test_nearest_by_loops(shape, size):
    V, K = shapes[shape]
    enc = SemanticVisualEncoder(random_codes(V, 3, K, gen()), size)
    x = noisy(enc, 12, 0.6)
    dec = NearestDecoder(enc, sigma=0.6)
    d = distances(enc, x)
    ids, dist = dec.decode_with_distance(x)
    assert torch.equal(ids, d.argmin(1)) and torch.equal(dec.decode(x), ids)
    assert torch.allclose(dist, d.min(1).values)
    want = (-(d**2) / (2 * 0.6**2)).log_softmax(1)
    assert torch.allclose(dec.log_probs(x), want, atol=1e-6)
    assert torch.allclose(dec.log_probs(x, 0.6), want, atol=1e-6)


@pytest.mark.parametrize('name', encoders)
def test_any_encoder(name):
    enc = encoders[name]()
    x, dec = noisy(enc, 20), NearestDecoder.build(enc)
    d = distances(enc, x)
    ids, dist = dec.decode_with_distance(x.view(4, 5, *x.shape[1:]))
    assert torch.equal(ids.flatten(), d.argmin(1)) and ids.shape == (4, 5)
    assert torch.allclose(dist.flatten(), d.min(1).values, atol=1e-6)
    want = (-(d**2) / (2 * 0.2**2)).log_softmax(1)
    assert torch.allclose(dec.log_probs(x), want, atol=1e-4)
    assert isinstance(dec.search, CodeSearch) == isinstance(enc, SemanticVisualEncoder)


def test_chunks_of_prototypes_change_nothing():
    enc = encoders['robust']()
    x = noisy(enc)
    whole, parts = PrototypeSearch(enc), PrototypeSearch(enc, chunk=7)
    assert torch.equal(whole.nearest(x), parts.nearest(x))
    assert torch.allclose(whole.scores(x), parts.scores(x))


def test_equally_near_tokens_are_the_first():
    class Same(torch.nn.Module):
        vocab_size = 30

        def forward(self, ids):
            return torch.zeros(*ids.shape, 3, 8, 8)

    assert (PrototypeSearch(Same(), chunk=7).nearest(torch.rand(5, 3, 8, 8)) == 0).all()


@pytest.mark.parametrize('name', encoders)
def test_the_short_way_is_the_long_way(name):
    enc = encoders[name]()
    x = torch.rand(
        50, 3, 8, 8, generator=gen(3)
    ).double()  # far from all: many tuples are unassigned
    dec = NearestDecoder(enc)
    assert torch.equal(dec.decode(x), PrototypeSearch(enc).nearest(x))
    assert torch.allclose(dec.search.scores(x), PrototypeSearch(enc).scores(x), atol=1e-6)
    assert torch.equal(dec.decode(x, batch=7), dec.decode(x))


def test_nothing_to_decode():
    dec = NearestDecoder(encoders['semantic']())
    ids, dist = dec.decode_with_distance(torch.zeros(0, 4, 3, 8, 8))
    assert ids.shape == dist.shape == (0, 4)


def test_gradients_reach_the_grids():
    for make in encoders.values():
        x = torch.rand(2, 3, 8, 8, requires_grad=True)
        NearestDecoder(make()).log_probs(x)[:, 0].sum().backward()
        assert x.grad.abs().sum() > 0


def test_it_refuses_no_noise():
    with pytest.raises(ValueError, match='above 0'):
        NearestDecoder(encoders['semantic'](), 0.0)
    with pytest.raises(ValueError, match='above 0'):
        NearestDecoder(encoders['semantic'](), float('nan'))


def test_a_table_follows_the_grids():
    "Codes and inverse are moved to where the grids are, not the other way round"
    table = CodeTable(torch.tensor([[0, 0, 0], [1, 1, 1]]), 2)
    dec = NearestDecoder(SemanticVisualEncoder(table))
    assert dec.decode(dec.encoder(torch.tensor([1, 0]))).tolist() == [1, 0]


def test_comparing_does_not_train_the_pictures():
    "Gradients of a reading end at the grids"
    enc = encoders['robust']()
    x = torch.rand(2, 3, 8, 8, requires_grad=True)
    before = [p.grad for p in enc.parameters()]
    PrototypeSearch(enc).scores(x).sum().backward()
    assert x.grad is not None and [p.grad for p in enc.parameters()] == before
