import math

import pytest
import torch
import torch.nn.functional as F
from visual_token_diffusion.models.pixel import PatchEmbedding, PieceEmbedding
from visual_token_diffusion.models.text_pictures import (
    ConvCompressor,
    TextEncoder,
    TextPictures,
    vision_tokens,
)


def model(compressor='queries', n_tokens=1, vocab_size=7):
    torch.manual_seed(0)
    encoder = TextEncoder(PatchEmbedding(32, 4, 16), n_tokens, compressor, 16, 1, 2)
    return TextPictures(encoder, vocab_size, 5, 16, 1, 2).eval()


def test_vectors_that_deepseek_ocrs_reader_gets():
    # deepseek_ocr.py, get_num_image_tokens without crops, written anew
    for size, plain in {512: 64, 640: 100, 1024: 256, 1280: 400}.items():
        side = math.ceil((size // 16) / 4)
        assert vision_tokens(size) == (plain, side * (side + 1) + 1)
    with pytest.raises(ValueError, match='no vector'):
        vision_tokens(48)


def test_convolutions_halve_twice_without_bias():
    conv = ConvCompressor(4, 8, 6)
    hidden = torch.randn(2, 32, 6)
    grid = hidden.transpose(1, 2).reshape(2, 6, 4, 8)
    for layer in conv.layers:
        grid = F.conv2d(grid, layer.weight, None, stride=2, padding=1)
    plain = grid.reshape(2, 6, 2).transpose(1, 2)
    torch.testing.assert_close(conv(hidden), plain)
    assert conv.n_tokens == 2
    assert ConvCompressor(5, 8, 6).n_tokens == 4 == ConvCompressor(5, 8, 6)(torch.randn(1, 40, 6)).shape[1]


@pytest.mark.parametrize('compressor, n_tokens', [('queries', 1), ('queries', 3), ('convolution', 2)])
def test_shapes_and_reading(compressor, n_tokens):
    m = model(compressor, n_tokens)
    patches = torch.rand(3, 32, 16)
    assert m.encoder(patches).shape == (3, n_tokens, 16)
    ids, confidence = m.read(patches, 4)
    assert ids.shape == confidence.shape == (3, 4)
    torch.testing.assert_close((-m.nll(patches, ids)).exp(), confidence)


def test_the_decoder_is_causal_and_normalized():
    m = model()
    vectors, ids = torch.randn(2, 1, 16), torch.randint(7, (2, 4))
    scores = m.logits(vectors, ids)
    other = ids.clone()
    other[:, 2:] = (other[:, 2:] + 1) % 7
    torch.testing.assert_close(m.logits(vectors, other)[:, :3], scores[:, :3])
    assert not torch.allclose(m.logits(vectors, other)[:, 3:], scores[:, 3:])
    assert not torch.allclose(m.logits(vectors + 1, ids)[:, 0], scores[:, 0])


def test_words_can_be_compressed_as_well():
    torch.manual_seed(0)
    encoder = TextEncoder(PieceEmbedding(7, 5, 16), 2, width=16, depth=1, heads=2)
    assert encoder(torch.randint(7, (3, 4))).shape == (3, 2, 16)


def test_bad_input():
    with pytest.raises(ValueError, match='no compressor'):
        model('magic')
    with pytest.raises(ValueError, match='make 2 vectors'):
        model('convolution', 3)
    with pytest.raises(ValueError, match='at least one vector'):
        model(n_tokens=0)
    for n in (0, 6):
        with pytest.raises(ValueError, match='says 1 to 5'):
            model().read(torch.rand(1, 32, 16), n)
