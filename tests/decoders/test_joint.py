"Encoder and decoder that learn together."

import torch

from support.standin import DEVICE, StandIn, stand_in_device
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.decoders.joint import learn_grids
from visual_token_diffusion.encoders.corruptions import noise
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def test_learning_improves_and_repeats():
    table = random_codes(50, 3, 4, gen())
    ids = torch.arange(50)

    def accuracy(steps):
        encoder, decoder = learn_grids(table, steps, width=64, batch=64, seed=1)
        with torch.no_grad():
            pred = decoder.decode(noise(0.3)(encoder(ids), gen(2)))
        return (pred == ids).float().mean().item(), encoder

    before, _ = accuracy(1)
    after, encoder = accuracy(60)
    again, same = accuracy(60)
    assert after > before + 0.3 and after == again
    assert torch.equal(encoder.structure, same.structure)


def test_an_encoder_that_learns_nothing_stays_as_it_is():
    table = random_codes(50, 3, 4, gen())
    fixed = SemanticVisualEncoder(table)
    before = fixed(torch.arange(50))
    encoder, decoder = learn_grids(table, 2, fixed, batch=8)
    assert encoder is fixed and torch.equal(fixed(torch.arange(50)), before)
    assert decoder.decode(before).shape == (50,)


def test_on_the_stand_in_device():
    table = random_codes(50, 3, 4, gen())
    with stand_in_device():
        encoder, decoder = learn_grids(table.to(DEVICE), 2, width=8, batch=16)
        grids = encoder(torch.arange(50).to(DEVICE))
        assert isinstance(decoder.decode(grids), StandIn)
        same, _ = learn_grids(table, 2, width=8, batch=16)
        assert torch.allclose(grids.detach().cpu(), same(torch.arange(50)), atol=1e-6)
