"What decoders read, and 20 steps of training each, are those of before the packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.codebooks.balanced_kmeans import balanced_codes
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.decoders.classifiers import FlatDecoder, TiedDecoder, train_decoder
from visual_token_diffusion.decoders.factorized import FactorizedDecoder
from visual_token_diffusion.decoders.hierarchical import HierarchicalDecoder
from visual_token_diffusion.decoders.joint import learn_grids
from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.decoders.pyramid import PyramidClassifier, PyramidDecoder
from visual_token_diffusion.decoders.spelling import SpellingCodec, decode_grids_text
from visual_token_diffusion.encoders.corruptions import noise
from visual_token_diffusion.encoders.pyramid import PyramidEncoder
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.encoders.spelling import render_text
from visual_token_diffusion.text.vocab import make_vocab

IDS = torch.arange(192)


def gen(seed):
    return torch.Generator().manual_seed(seed)


def features(n=192, dim=24):
    centers = torch.randn(20, dim, generator=gen(0))[torch.randint(20, (n,), generator=gen(1))]
    return centers + 0.5 * torch.randn(n, dim, generator=gen(2))


def noisy(encoder, sigma, ids=IDS):
    return noise(sigma)(encoder(ids), gen(3))


def nearest():
    for size in (4, 8, 16):
        encoder = SemanticVisualEncoder(balanced_codes(features()), size)
        decoder = NearestDecoder(encoder)
        ids, distances = decoder.decode_with_distance(noisy(encoder, 0.6))
        yield f'ids of {size}', ids
        yield f'distances of {size}', distances
        yield f'nats of {size}', decoder.log_probs(noisy(encoder, 0.6)[:9], sigma=0.5)
    large = SemanticVisualEncoder(random_codes(49408, 3, 37, gen(7)), 8)
    some = torch.randint(49408, (300,), generator=gen(8))
    yield 'ids of 49,408', NearestDecoder(large).decode(noisy(large, 0.4, some))


def pyramid():
    encoder = PyramidEncoder.fit(features(), (5, 6, 8))
    grids = noisy(encoder, 0.7)
    decoder = PyramidDecoder(encoder, 'own', 0.1)
    ids, distances = decode_with_distance(encoder, grids)
    yield 'ids', ids
    yield 'distances', distances
    yield 'codes from afar', decoder.decode_codes(grids[..., ::2, ::2])
    yield 'own noise', decoder.own_noise(grids)
    yield 'nats', decoder.log_probs(grids[:9])
    yield 'nats, noise by scale', PyramidDecoder(encoder, (0.1, 0.2, 0.3)).log_probs(grids[:9])
    yield 'categories', decoder.category_log_probs(grids[:9], 0.4)


def decode_with_distance(encoder, grids):
    ids = PyramidDecoder(encoder).decode(grids)
    return ids, (grids - encoder(ids)).flatten(1).norm(dim=1)


def spelled():
    for size in (8, 16):
        codec = SpellingCodec(SemanticVisualEncoder(balanced_codes(features()), size))
        clean, _ = codec.spell(['cat', 'Wheelbarrow', '東京タワー', '', 'a b'])
        rows, ok, distance = codec.decode_rows(noise(0.3)(clean, gen(4)))
        yield f'rows of {size}', rows
        yield f'check sums of {size}', ok
        yield f'distances of {size}', distance
        yield f'words of {size}', codec.unspell(noise(0.02)(clean, gen(4)))
    vocab = make_vocab('words', 'the cat and the dog say no .\n' * 3)
    encoder = SemanticVisualEncoder(random_codes(len(vocab), 3, 4, gen(3)), 8)
    grids, _ = render_text(encoder, vocab, 'The cat, and\n\nthe  dog: 2 quuxes… say «no».\n')
    yield 'text', decode_grids_text(encoder, vocab, noise(0.02)(grids, gen(5)))
    yield 'damaged text', decode_grids_text(encoder, vocab, noise(0.5)(grids, gen(5)), strict=False)


def losses_of(cls, train):
    "The losses that a training asks an instance of `cls` for"
    losses, loss = [], cls.loss

    def recorded(self, *args, **kwargs):
        losses.append(loss(self, *args, **kwargs))
        return losses[-1]

    cls.loss = recorded
    try:
        result = train()
    finally:
        cls.loss = loss
    return result, torch.stack(losses).detach()


def classifiers():
    encoder = SemanticVisualEncoder(balanced_codes(features()), 8)
    pyramid = PyramidEncoder.fit(features(), (5, 6, 8))
    made = {
        'flat': lambda: (FlatDecoder(192, 8, 32), encoder),
        'tied': lambda: (TiedDecoder(encoder), encoder),
        'factorized': lambda: (FactorizedDecoder(encoder.table, 8, 48, 2), encoder),
        'hierarchical': lambda: (HierarchicalDecoder(encoder.codes[:, 0], 8), encoder),
        'pyramid': lambda: (PyramidClassifier(pyramid, 16, 1), pyramid)}
    for name, make in made.items():
        torch.manual_seed(1)
        decoder, drawn = make()
        options = dict(corrupt=noise(0.9), batch=64, lr=2e-3, generator=gen(9))
        _, losses = losses_of(type(decoder), lambda: train_decoder(decoder, drawn, 20, **options))
        yield f'{name}: losses', losses
        with torch.no_grad():
            yield f'{name}: nats', decoder.log_probs(noisy(drawn, 0.2)[:9])
        yield f'{name}: ids', decoder.decode(noisy(drawn, 0.2))


def together():
    train = lambda: learn_grids(balanced_codes(features()), 20, batch=64, width=48, seed=2)
    (encoder, decoder), losses = losses_of(FactorizedDecoder, train)
    yield 'losses', losses
    yield 'grids', encoder(IDS).detach()
    yield 'ids', decoder.decode(noisy(encoder, 0.2).detach())


def test_nearest():
    hold('decoders: nearest', nearest(), rtol=1e-5)


def test_pyramid():
    hold('decoders: pyramid', pyramid(), rtol=1e-5)


def test_spelled_words():
    hold('decoders: spelled', spelled(), rtol=1e-5)


def test_training_of_classifiers():
    hold('decoders: classifiers', classifiers(), rtol=1e-3)


def test_training_of_grids_and_decoder():
    hold('decoders: grids and decoder', together(), rtol=1e-3)
