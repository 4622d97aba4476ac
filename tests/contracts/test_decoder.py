"Every registered decoder: log-probabilities, the best of them, clean pictures, the device, refusals."

import pytest
import torch
from support.parts import V, encoders, randn, seeded, table
from support.standin import DEVICE, StandIn, on_device, stand_in_device

from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.core.registry import seam_base

BASE = seam_base('decoder')
ENCODERS = encoders()
# Decoders that learn are made here; the others are built from an encoder.
LEARNED = dict(
    flat=lambda make: make(V, 16),
    tied=lambda make: make(ENCODERS['semantic']),
    factorized=lambda make: make(table(), 16),
    hierarchical=lambda make: make(torch.arange(V) // 4, 16),
    pyramid_classifier=lambda make: make(ENCODERS['pyramid']),
)
PAIRS = [('nearest', e) for e in ENCODERS] + [('pyramid', 'pyramid'), ('pictograms', 'pictograms')]


def learned(name):
    return seeded(lambda: LEARNED[name](BASE.part(name)))


def test_every_decoder_is_asked_something():
    assert set(BASE.names()) == {*LEARNED, *(d for d, _ in PAIRS)}


def check_interface(decoder, grids):
    "Shapes, a distribution, and the best of it"
    log_probs, ids = decoder.log_probs(grids), decoder.decode(grids)
    assert log_probs.shape == (*grids.shape[:-3], V) and ids.shape == grids.shape[:-3]
    assert ids.dtype == torch.long
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(grids.shape[:-3]), rtol=1e-4, atol=1e-4)
    best = log_probs.gather(-1, ids[..., None])[..., 0]
    torch.testing.assert_close(best, log_probs.max(-1).values, rtol=1e-4, atol=1e-4)
    assert torch.equal(decoder.decode(grids), ids)


@pytest.mark.parametrize('name', list(LEARNED))
def test_learned_decoders_answer_as_they_should(name):
    size = 16
    grids = (0.5 + 0.2 * randn(2, 3, 3, size, size)).clamp(0, 1)
    decoder = learned(name)
    check_interface(decoder.eval() if hasattr(decoder, 'eval') else decoder, grids)


@pytest.mark.parametrize('name,encoder', PAIRS)
def test_clean_grids_are_decoded_and_noise_is_weighed(name, encoder):
    encoder = ENCODERS[encoder]
    decoder, ids = BASE.part(name).build(encoder), torch.arange(V)
    assert torch.equal(decoder.decode(encoder(ids)), ids)
    grids = encoder(ids.view(4, 5)) + 0.1 * randn(4, 5, 3, encoder.size, encoder.size)
    check_interface(decoder, grids)


@pytest.mark.parametrize('encoder', list(ENCODERS))
def test_nearest_is_nearest(encoder):
    "The fast way through the books and the way by comparing with all grids agree"
    encoder = ENCODERS[encoder]
    grids = encoder(torch.arange(V)) + 0.3 * randn(V, 3, encoder.size, encoder.size, seed=2)
    prototypes = encoder(torch.arange(V)).flatten(1).double()
    expected = torch.cdist(grids.flatten(1).double(), prototypes).argmin(1)
    assert torch.equal(BASE.part('nearest').build(encoder).decode(grids), expected)


@pytest.mark.parametrize('name,encoder', PAIRS)
def test_built_decoders_on_the_stand_in_device(name, encoder):
    encoder = ENCODERS[encoder]
    with stand_in_device():
        moved = on_device(encoder)
        decoder = BASE.part(name).build(moved)
        grids = moved(torch.arange(V).to(DEVICE))
        ids = decoder.decode(grids)
        assert isinstance(ids, StandIn) and isinstance(decoder.log_probs(grids), StandIn)
        assert torch.equal(ids.cpu(), torch.arange(V))


@pytest.mark.parametrize('name', list(LEARNED))
def test_learned_decoders_on_the_stand_in_device(name):
    decoder = learned(name)
    with stand_in_device():
        moved = on_device(decoder)
        grids = torch.full((4, 3, 16, 16), 0.5).to(DEVICE)
        loss = moved.loss(grids, torch.arange(4).to(DEVICE))
        loss.backward()
        assert isinstance(moved.decode(grids), StandIn) and loss.item() > 0


@pytest.mark.parametrize('name', ['flat', 'factorized', 'hierarchical'])
def test_what_must_be_trained_is_not_built(name):
    with pytest.raises(CombinationError, match='trained') as e:
        BASE.part(name).build(ENCODERS['semantic'])
    assert '\n' not in str(e.value)


@pytest.mark.parametrize(
    'bad',
    [
        torch.zeros(3, 8, 8),
        torch.zeros(1, 3, 16, 16).long(),
        torch.full((1, 3, 16, 16), torch.nan),
        torch.full((1, 3, 16, 16), 200.0),
    ],
)
def test_what_are_no_grids_is_refused_in_one_line(bad):
    decoders = [BASE.part(n).build(ENCODERS[e]) for n, e in PAIRS] + [learned('flat')]
    for decoder in decoders:
        with pytest.raises(ValueError) as e:
            decoder.decode(bad)
        assert '\n' not in str(e.value)
