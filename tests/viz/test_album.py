"Albums: against slow obvious references."

import math

import pytest
import torch

from visual_token_diffusion.decoders.classifiers import FlatDecoder
from visual_token_diffusion.encoders.dct import DCTEncoder
from visual_token_diffusion.viz.album import (
    Album,
    code_names,
    leave_one_out,
    nearest,
    one_token,
    probabilities,
    read_typed,
)


def test_probabilities_are_those_of_the_model(album):
    "One masked token at a time, asked singly, in float64 of the head's own log-probabilities"
    model, ids = album.model, album.vocab.encode('the cat sleeps beside the house')
    probs = probabilities(model, ids, batch=4)
    assert len(probs) == len(ids)
    assert len(list(leave_one_out(model, ids, 4))) == math.ceil(len(ids) / 4)
    x = torch.tensor([ids])
    for k, prob in enumerate(probs):
        mask = torch.zeros(1, len(ids), dtype=torch.bool)
        mask[0, k] = True
        with torch.no_grad():
            log_probs = model.head.log_probs(model.hidden_states(x, mask)[mask])[0].double()
        assert abs(prob - log_probs[ids[k]].exp().item()) < 1e-5
        assert abs(log_probs.exp().sum().item() - 1) < 1e-4


def test_neighbors_by_all_pixels(album):
    every = album.encoder(torch.arange(album.encoder.vocab_size)).flatten(1).double()
    noise = torch.randn(20, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    x = album.encoder(torch.arange(20)) + 0.3 * noise
    ids, d = nearest(album.nearest, x, 7)
    want = torch.cdist(x.flatten(1).double(), every)
    assert torch.allclose(d.double(), want.topk(7, largest=False).values, atol=2e-3)
    assert torch.allclose(want.gather(1, ids), d.double(), atol=2e-3)
    for i, near in zip(range(20), album.near(range(20))):
        assert i not in [j for j, _ in near]


def test_the_album_forgets(album):
    small = Album(album.model, keep=30)
    for k in range(0, 150, 10):
        ids = range(k, k + 10)
        assert small.uris(ids) == Album(album.model).uris(ids)
        assert len(small._uris) <= 30
    assert len(small.uris(range(50))) == 50


def test_any_decoder_and_any_encoder(album):
    decoder = FlatDecoder(album.encoder.vocab_size, album.encoder.size)
    assert Album(album.model, decoder).decoder is decoder
    assert album.decoder is album.model.decoder

    class Waves:
        "A model without codes"

        vocab = album.vocab
        encoder = DCTEncoder(torch.randn(300, 8, generator=torch.Generator().manual_seed(0)))

    waves = Album(Waves())
    assert code_names(waves.encoder) == () and waves.decoder is waves.nearest
    assert len(waves.uris([1, 2, 1])) == 3
    assert len(waves.near([5], 3)[0]) == 3


def test_what_somebody_typed(album):
    assert len(read_typed(album.vocab, 'the cat ' * 2500, 60)[0]) == 60
    with pytest.raises(ValueError, match='type a few words'):
        read_typed(album.vocab, ' \n')
    with pytest.raises(ValueError, match='missing'):
        one_token(album.vocab, ' ')
