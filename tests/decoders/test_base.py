"The seam of decoders: what is no grid, and a decoder of one's own."

import pytest
import torch

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.decoders.base import Decoder, check_grids
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder

GOOD = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
BAD = [
    (GOOD[:, :2], 'got shape'),
    ((GOOD * 255).byte(), 'divide 8-bit'),
    (GOOD / 0, 'NaN or infinite'),
    (GOOD * 255, 'divide 8-bit'),
]


@pytest.mark.parametrize('bad,why', BAD, ids=['two channels', 'bytes', 'infinite', 'too bright'])
def test_what_is_no_grid_is_refused_in_one_line(bad, why):
    with pytest.raises(ValueError, match=why) as e:
        check_grids(bad, 8)
    assert '\n' not in str(e.value)


def test_grids_come_as_rows_and_keep_their_precision():
    assert check_grids(GOOD[None], 8).shape == (2, 3, 8, 8)
    assert check_grids(GOOD.double(), 8).dtype == torch.float64
    assert check_grids(GOOD.half(), 8).dtype == torch.float32
    assert check_grids(GOOD[:0], 8).shape == (0, 3, 8, 8)


class BlackOrWhite(Decoder):
    "Token 0 is black, token 1 is white"

    size, vocab_size = 8, 2

    def log_probs(self, grids):
        x = check_grids(grids, self.size).flatten(1)
        distances = torch.stack([x, 1 - x], -1).square().sum(1)
        return (-distances).log_softmax(1).view(*grids.shape[:-3], 2)


def test_a_decoder_of_your_own():
    noise = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    noisy = torch.tensor([0.0, 1.0, 1.0])[:, None, None, None] + 0.3 * noise
    assert BlackOrWhite().decode(noisy).tolist() == [0, 1, 1]
    assert BlackOrWhite().decode(noisy[0]) == 0
    assert BlackOrWhite().log_probs(torch.full((3, 8, 8), 0.5)).exp().tolist() == [0.5, 0.5]


def test_what_must_be_trained_is_not_built():
    with pytest.raises(CombinationError, match='has to be trained'):
        Decoder.part('flat').build(None)
    generator = torch.Generator().manual_seed(0)
    encoder = SemanticVisualEncoder(random_codes(100, 3, 5, generator), 8)
    nearest = Decoder.part('nearest').build(encoder)
    assert torch.equal(nearest.decode(encoder(torch.arange(100))), torch.arange(100))
