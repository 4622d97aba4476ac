"Grids as pictures, and grids read back."

import math

import pytest
import torch

from visual_token_diffusion.codebooks.base import smallest_codebook
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.viz.grids import Grids, grid_layout, sentence_image, stack_images


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize('size', [8, 16])
@pytest.mark.parametrize('vocab_size', [5, 192, 3000])
def test_grids_read_back_exactly(vocab_size, size):
    codebook_size = max(2, smallest_codebook(vocab_size))
    table = random_codes(vocab_size, 3, codebook_size, gen(vocab_size))
    encoder = SemanticVisualEncoder(table, size)
    x = encoder(torch.arange(vocab_size))
    assert x.shape == (vocab_size, 3, size, size) and x.min() >= 0 and x.max() <= 1
    assert torch.equal((x * 255).round() / 255, x), 'grids are 8-bit exact'
    ids, distances = NearestDecoder(encoder).decode_with_distance(x)
    assert torch.equal(ids, torch.arange(vocab_size)) and distances.max() < 1e-3
    rows = x.flatten(1).double()
    pairs = torch.cdist(rows, rows).fill_diagonal_(math.inf)
    assert encoder.margin() <= pairs.min() + 1e-4, 'the margin never promises too much'


@pytest.mark.parametrize('n', [1, 7, 40])
def test_a_sentence_has_room_for_its_words(n):
    x = torch.rand(n, 3, 8, 8, generator=gen())
    words = ['a word that is much too long for its picture \n'] * n
    plain, with_words = sentence_image(x, cols=12), sentence_image(x, words)
    assert plain.width == with_words.width and plain.height < with_words.height
    first = Grids(x, words)[:1]
    assert len(first) == 1 and first.image().width > 8


def test_refusals():
    x = torch.rand(4, 3, 8, 8, generator=gen())
    for bad, why in (
        (lambda: sentence_image(x[0]), 'should be a tensor'),
        (lambda: sentence_image('x'), 'got str'),
        (lambda: sentence_image((x * 255).byte()), 'divide 8-bit'),
        (lambda: sentence_image(x / 0), 'infinite'),
        (lambda: sentence_image(x, ['one']), 'give one each'),
        (lambda: grid_layout(4, 8, cols=0), 'whole number'),
        (lambda: grid_layout(4, 8, scale=1.5), 'whole number'),
        (lambda: stack_images([]), 'no pictures'),
        (lambda: stack_images([sentence_image(x)], ['a', 'b']), 'give one each'),
    ):
        with pytest.raises(ValueError, match=why) as e:
            bad()
        assert '\n' not in str(e.value)
