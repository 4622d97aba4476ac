"Pictures cut into patches and put together again."

import pytest
import torch

from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.tokenizers.patch import PatchTokenizer, from_patches, to_patches


def test_cutting_and_joining():
    x = torch.randn(2, 3, 24, 24)
    patches = to_patches(x, 8)
    assert torch.equal(from_patches(patches, 8, 24), x)
    assert torch.equal(patches[1, 5].view(3, 8, 8), x[1, :, 8:16, 16:24])


def test_patches_that_do_not_tile():
    with pytest.raises(ValueError, match='do not tile'):
        PatchTokenizer(FSQ((8, 8)), 24, 7)
