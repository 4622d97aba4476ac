"What encoders bring along works on another device, too: corruptions, learned codes, spelled words, composers."

import pytest
import torch

from support.standin import DEVICE, StandIn, on_device, stand_in_device
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.encoders.characters import Composer, edit_distances, letter_ids
from visual_token_diffusion.encoders.corruptions import (
    CORRUPTIONS,
    first,
    keep_scales,
    mixture,
    scale_noise,
)
from visual_token_diffusion.encoders.learned import learn_codes
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.encoders.spelling import render_text
from visual_token_diffusion.text.vocab import make_vocab


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


SIDES = (4, 8)
LOST = first(keep_scales(None, SIDES), scale_noise((0.1, 0.2), SIDES))
SCALES = dict(mixture=mixture, scales=LOST)


@pytest.mark.parametrize('name', [*CORRUPTIONS, *SCALES])
def test_corruptions(name):
    corrupt = {**CORRUPTIONS, **SCALES}[name]
    x = torch.rand(16, 3, 8, 8, generator=gen())
    with stand_in_device():
        y = corrupt(x.to(DEVICE), gen(1))
        assert isinstance(y, StandIn)
        assert torch.allclose(y.cpu(), corrupt(x, gen(1)), atol=1e-6)


@pytest.mark.parametrize('how', ['gumbel', 'straight'])
def test_learned_codes(how):
    features = torch.randn(30, 6, generator=gen())
    with stand_in_device():
        table, distinct = learn_codes(features.to(DEVICE), how=how, steps=2)
        assert isinstance(table.codes, StandIn)
        same, n = learn_codes(features, how=how, steps=2)
        assert torch.equal(table.codes.cpu(), same.codes) and distinct == n


def test_spelled_texts():
    vocab = make_vocab('words', 'the cat sees a dog')
    encoder = SemanticVisualEncoder(random_codes(len(vocab), 3, 4, gen()))
    with stand_in_device():
        grids, labels = render_text(on_device(encoder), vocab, 'the cat sees a zyzzyva')
        assert isinstance(grids, StandIn) and len(labels) == len(grids) == 5
        assert torch.equal(grids.cpu(), render_text(encoder, vocab, 'the cat sees a zyzzyva')[0])


def test_composers():
    torch.manual_seed(0)
    composer, ids = Composer('attention').eval(), letter_ids(['cat', 'dog'])
    with stand_in_device():
        moved = on_device(composer)
        moved.loss(ids.to(DEVICE), generator=gen()).backward()
        exact = moved.round_trip(ids.to(DEVICE), 0.1, gen())
        assert isinstance(exact, StandIn)
        assert torch.equal(exact.cpu(), composer.round_trip(ids, 0.1, gen()))
        assert edit_distances('cot', ids.to(DEVICE)).tolist() == [1, 2]
