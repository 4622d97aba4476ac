"Every registered tokenizer of pictures: shapes, round trip of codes, gradients."

import pytest
import torch

from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.tokenizers.base import ImageTokenizer


def said(tokenizer, n):
    "What its methods take beside pictures and codes"
    return [['a red disc'] * n] if tokenizer.reads_captions else []


def heard(tokenizer, n):
    "What a call in training takes beside pictures"
    return [['a red disc', 'a blue cross'][:n]] if tokenizer.learns_from_captions else said(tokenizer, n)


@pytest.fixture(params=ImageTokenizer.names())
def tokenizer(request):
    torch.manual_seed(0)
    return ImageTokenizer.make(request.param, FSQ((4, 4, 4)), size=24, patch=8, width=16)


def test_pictures_to_codes_and_back(tokenizer):
    x = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    codes = tokenizer.encode(x, *said(tokenizer, 2))
    assert codes.dtype == torch.long and codes.dim() == 3 and len(codes) == 2
    assert tokenizer.decode(codes, *said(tokenizer, 2)).shape == x.shape


def test_a_call_gives_pictures_codes_and_losses(tokenizer):
    x = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    tokenizer.eval()
    captions = said(tokenizer, 2)
    images, quantized = tokenizer(x, *captions)
    assert images.shape == x.shape
    assert torch.equal(quantized.codes, tokenizer.encode(x, *captions))
    assert torch.allclose(images, tokenizer.decode(quantized.codes, *captions), atol=1e-5)
    assert all(loss.dim() == 0 for loss in quantized.losses.values())


def test_gradients_arrive_everywhere(tokenizer):
    images, quantized = tokenizer(torch.rand(2, 3, 24, 24), *heard(tokenizer, 2))
    (images.square().mean() + sum(quantized.losses.values())).backward()
    assert all(p.grad is not None for p in tokenizer.parameters() if p.requires_grad and p.numel())


def test_captions_may_be_given(tokenizer):
    images, _ = tokenizer(torch.rand(1, 3, 24, 24), captions=['a red disc'])
    assert images.shape == (1, 3, 24, 24)


def test_an_unknown_name_is_one_line():
    with pytest.raises(ValueError, match="did you mean 'patch'"):
        ImageTokenizer.make('pach')
