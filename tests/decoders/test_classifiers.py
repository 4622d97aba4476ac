"Classifiers against slow and obvious references in float64, and what they refuse."

import math
import pytest, torch
import torch.nn.functional as F
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.decoders.base import Decoder
from visual_token_diffusion.decoders.classifiers import (
    ClassifierDecoder,
    FlatDecoder,
    TiedDecoder,
    logsumexp_by,
    train_decoder,
)
from visual_token_diffusion.decoders.factorized import FactorizedDecoder
from visual_token_diffusion.decoders.hierarchical import HierarchicalDecoder
from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.encoders.corruptions import noise
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def encoder(V=30, K=4, size=8):
    return SemanticVisualEncoder(random_codes(V, 3, K, gen()), size)


def noisy(enc, n=40, sigma=0.4):
    ids = torch.randint(enc.vocab_size, (n,), generator=gen(1))
    added = torch.randn(n, 3, enc.size, enc.size, generator=gen(2), dtype=torch.double)
    return enc(ids).double() + sigma * added


makers = dict(
    flat=lambda enc: FlatDecoder(enc.vocab_size, enc.size),
    deep=lambda enc: FlatDecoder(enc.vocab_size, enc.size, 16, 2),
    tied=lambda enc: TiedDecoder(enc),
    factorized=lambda enc: FactorizedDecoder(enc.table, enc.size, 16),
    linear=lambda enc: FactorizedDecoder(enc.table, enc.size, 0),
    hierarchical=lambda enc: HierarchicalDecoder(torch.arange(enc.vocab_size) % 5, enc.size),
)
by_token = ['flat', 'deep', 'tied', 'hierarchical']


@pytest.mark.parametrize('name', makers)
def test_one_seam(name):
    enc = encoder()
    decoder = makers[name](enc).double()
    x = noisy(enc).view(4, 10, 3, 8, 8)
    ids = torch.randint(30, (4, 10), generator=gen(3))
    log_probs = decoder.log_probs(x)
    assert log_probs.shape == (4, 10, 30)
    assert torch.allclose(log_probs.exp().sum(-1), torch.ones(4, 10, dtype=torch.double))
    assert torch.equal(decoder.decode(x), log_probs.argmax(-1))
    assert torch.equal(decoder.decode(x, batch=7), log_probs.argmax(-1))
    assert decoder.decode(x[:0]).shape == (0, 10)
    loss = decoder.loss(x, ids)
    loss.backward()
    assert loss.isfinite() and all(p.grad.isfinite().all() for p in decoder.parameters())
    if name in by_token:
        want = F.nll_loss(log_probs.flatten(0, 1), ids.flatten())
        assert loss.item() == pytest.approx(want.item())


@pytest.mark.parametrize('name', ['flat', 'tied', 'factorized', 'hierarchical'])
def test_untrained_ones_by_name(name):
    enc = encoder()
    part = Decoder.part(name)
    decoder = part.untrained(enc)
    assert (decoder.vocab_size, decoder.size) == (30, 8)
    assert decoder.decode(enc(torch.arange(30))).shape == (30,)
    with pytest.raises(CombinationError, match='has to be trained') as e:
        part.build(enc)
    assert '\n' not in str(e.value)


def test_a_tied_decoder_starts_as_the_nearest():
    enc = encoder(200, 11)
    x = noisy(enc, 200, 0.5)
    assert torch.equal(TiedDecoder(enc).double().decode(x), NearestDecoder(enc).decode(x))
    p = TiedDecoder(enc, sharpness=1 / 0.5**2).double().log_probs(x)
    assert torch.allclose(p, NearestDecoder(enc).log_probs(x, 0.5), atol=1e-4)


def test_sums_by_group():
    scores = torch.randn(6, 30, dtype=torch.double) * 300
    group = torch.arange(30) % 7
    want = torch.stack([scores[:, group == c].logsumexp(1) for c in range(7)], 1)
    assert torch.allclose(logsumexp_by(scores, group, 7), want)


def test_categories_of_any_classifier():
    enc = encoder()
    decoder, categories = FlatDecoder(30).double(), torch.arange(30) % 5
    x = noisy(enc).view(4, 10, 3, 8, 8)
    got = decoder.category_log_probs(x, categories, 5).exp()
    p = decoder.log_probs(x).exp()
    want = torch.stack([p[..., categories == c].sum(-1) for c in range(5)], -1)
    assert torch.allclose(got, want)


def test_training_reaches_every_token_and_repeats():
    enc, seen = encoder(60, 5), []

    def render(ids):
        seen.append(ids)
        return enc(ids)

    def run():
        torch.manual_seed(0)
        decoder = FlatDecoder(60)
        return train_decoder(decoder, render, 6, noise(0.1), batch=20, generator=gen(4))

    a = run()
    for i in (0, 3):
        assert len(torch.cat(seen[i : i + 3]).unique()) == 60, 'each once before any comes twice'
    b = run()
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))


bad_grids = {
    'two channels': (lambda x: x[:, :2], 'should be'),
    'not square': (lambda x: x[..., :7], 'should be'),
    'whole numbers': (lambda x: x.long(), 'floats'),
    'not a number': (lambda x: x * float('nan'), 'NaN'),
    'infinite': (lambda x: x / 0, 'NaN'),
    '8 bits': (lambda x: x + 200, 'divide'),
    'one channel': (lambda x: x[0, 0], 'should be'),
}


@pytest.mark.parametrize('what', bad_grids)
@pytest.mark.parametrize('name', ['nearest', *makers])
def test_bad_grids_are_one_line(what, name):
    enc, (spoil, why) = encoder(), bad_grids[what]
    decoder = NearestDecoder(enc) if name == 'nearest' else makers[name](enc)
    for use in (decoder.decode, decoder.log_probs):
        with pytest.raises(ValueError, match=why) as e:
            use(spoil(torch.full((2, 3, 8, 8), 0.5)))
        assert '\n' not in str(e.value)


def table(rows, size):
    return CodeTable(torch.tensor(rows), size)


no_token = torch.zeros(1, 3, 8, 8)
refused = [
    (lambda: FlatDecoder(0), 'at least one token'),
    (lambda: ClassifierDecoder(3, 0), 'one pixel'),
    (lambda: FactorizedDecoder(table([[0, 0, 0], [0, 0, 0]], 2)), 'share a tuple'),
    (lambda: FactorizedDecoder(table([[0, 0, 4]], 4)), '0..3'),
    (lambda: FactorizedDecoder(table([[0, -1, 0]], 4)), '0..3'),
    (lambda: HierarchicalDecoder([0, 2]), 'without a gap'),
    (lambda: HierarchicalDecoder([]), 'without a gap'),
    (lambda: HierarchicalDecoder([0.5, 1.0]), 'without a gap'),
    (lambda: FlatDecoder(3).loss(no_token, torch.tensor([3])), '0..2'),
    (lambda: FlatDecoder(3).loss(no_token, torch.tensor([-1])), '0..2'),
]


@pytest.mark.parametrize('make,why', refused, ids=[why for _, why in refused])
def test_bad_decoders_are_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('name', ['flat', 'tied', 'factorized', 'hierarchical'])
def test_one_token(name):
    x = torch.rand(5, 3, 8, 8, generator=gen())
    decoder = Decoder.part(name).untrained(encoder(1, 1))
    assert decoder.decode(x).tolist() == [0] * 5
    assert torch.allclose(decoder.log_probs(x), torch.zeros(5, 1), atol=1e-6)
    assert decoder.loss(x, torch.zeros(5).long()).item() == pytest.approx(0, abs=1e-6)


def test_large_numbers_do_not_overflow():
    decoder = HierarchicalDecoder(torch.arange(30) % 5).double()
    x = torch.randn(4, 3, 8, 8, dtype=torch.double, generator=gen()) * 40
    assert decoder.log_probs(x.clamp(-49, 49)).isfinite().all()


def test_hierarchical_by_loops():
    enc = encoder()
    decoder, x = makers['hierarchical'](enc).double(), noisy(enc, 9)
    group = decoder.categories
    category, token = decoder.out((x.flatten(1) - 0.5) * 4).split([5, 30], 1)
    for b in range(9):
        share, score = category[b].softmax(0), token[b].exp()
        total = [sum(score[u] for u in range(30) if group[u] == c) for c in range(5)]
        want = [math.log(share[group[v]] * score[v] / total[group[v]]) for v in range(30)]
        assert torch.allclose(decoder.log_probs(x[b]), torch.tensor(want, dtype=torch.double))
        best = category[b].argmax()
        of_best = [v for v in range(30) if group[v] == best]
        assert decoder.decode_hard(x[b]) == max(of_best, key=lambda v: token[b, v].item())
    got = decoder.category_log_probs(x, group, 5)
    assert torch.allclose(got, category.log_softmax(1))
