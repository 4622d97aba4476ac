"Codes at random."

import pytest
import torch

from visual_token_diffusion.codebooks.base import Codebook
from visual_token_diffusion.codebooks.random import random_codes

gen = lambda s=0: torch.Generator().manual_seed(s)


def test_random_codes_are_unique_whatever_the_features_say():
    table = random_codes(192, 3, 6, gen())
    assert len(table.codes.unique(dim=0)) == 192 and table.sizes == (6, 6, 6)
    a = Codebook.make('random').assign(torch.zeros(192, 1), (12, 4, 4), generator=gen())
    b = Codebook.make('random').assign(torch.randn(192, 7), (12, 4, 4), generator=gen())
    assert torch.equal(a.codes, b.codes) and a.sizes == (12, 4, 4)
    assert a.codes.amax(0).tolist() == [11, 3, 3], 'all entries are used, there is no tuple to spare'


@pytest.mark.parametrize('size,why', [(2, '9 tokens need 3 entries in each of 3'), (300, '16,777,216')])
def test_sizes_that_do_not_do_are_refused(size, why):
    with pytest.raises(ValueError, match=why) as e:
        random_codes(9, 3, size)
    assert '\n' not in str(e.value)
