"Tokenizers of transformers: latents or patches, captions, nested dropout."

import pytest
import torch
from torch import nn

from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.lfq import LFQ
from visual_token_diffusion.tokenizers.flextok import KEEP, FlexTok, kept_lengths
from visual_token_diffusion.tokenizers.textok import HashedWords, TexTok
from visual_token_diffusion.tokenizers.vit import ViTTokenizer

SMALL = dict(size=8, patch=4, width=16, depth=1)
SAID = ['a red circle', 'a small blue cross at the top']


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(n=2):
    return torch.rand(n, 3, 8, 8, generator=gen())


def seeded(make):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make().eval()


@pytest.mark.parametrize('n_latents,n_codes', [(0, 4), (3, 3)])
def test_codes_are_those_of_patches_or_of_latents(n_latents, n_codes):
    tokenizer = seeded(lambda: ViTTokenizer(LFQ(5), n_latents=n_latents, **SMALL))
    codes = tokenizer.encode(pictures())
    assert codes.shape == (2, n_codes, 1)
    torch.testing.assert_close(tokenizer.decode(codes), tokenizer(pictures())[0])


def test_without_a_quantizer_there_are_no_codes():
    tokenizer = seeded(lambda: ViTTokenizer(n_latents=2, latent_dim=6, **SMALL))
    out, quantized = tokenizer(pictures())
    assert quantized.codes is None
    assert (quantized.z.shape, out.shape) == ((2, 2, 6), (2, 3, 8, 8))
    with pytest.raises(ValueError, match='no codes'):
        tokenizer.encode(pictures())


@pytest.mark.parametrize(
    'call,why',
    [
        (lambda: ViTTokenizer(LFQ(3), size=8, patch=3), 'do not tile'),
        (lambda: ViTTokenizer(LFQ(3), **SMALL)(torch.rand(2, 3, 16, 16)), 'expected pictures'),
        (lambda: TexTok(LFQ(3), **SMALL)(pictures()), 'textok reads captions'),
        (lambda: TexTok(LFQ(3), **SMALL)(pictures(), ['one']), 'needs 2 captions'),
        (lambda: TexTok(LFQ(3), **SMALL)(pictures(), 'ab'), 'needs 2 captions'),
        (lambda: FlexTok(LFQ(3), n_latents=6, keep='pow2', **SMALL), 'power of two'),
        (lambda: kept_lengths(2, 4, 'often'), "got 'often'"),
    ],
)
def test_bad_input_is_one_line(call, why):
    with pytest.raises(ValueError, match=why) as e:
        call()
    assert '\n' not in str(e.value)


def test_words_have_the_same_row_in_every_caption():
    text = HashedWords(dim=6, length=4)
    a, b = text(['red circle', 'a red circle at the top'])
    assert torch.equal(a[:2], b[1:3]) and b.shape == (4, 6)
    assert a[2:].abs().sum() == 0
    assert torch.equal(text(['red'])[0, 0], HashedWords(dim=6)(['red'])[0, 0])


def test_the_caption_reaches_both_sides():
    tokenizer = seeded(lambda: TexTok(FSQ((8, 8, 8)), n_latents=2, **SMALL))
    x = pictures()
    codes = tokenizer.encode(x, SAID)
    other = tokenizer.encode(x, SAID[::-1])
    assert not torch.equal(codes, other)
    assert not torch.equal(tokenizer.decode(codes, SAID), tokenizer.decode(codes, SAID[::-1]))


def test_the_text_side_stays_frozen():
    class Text(nn.Module):
        dim = 3

        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(9, 3)

        def forward(self, captions):
            return self.table(torch.tensor([[len(c) % 9] for c in captions]))

    tokenizer = seeded(lambda: TexTok(FSQ((4, 4)), text=Text(), **SMALL))
    out, _ = tokenizer(pictures(), SAID)
    out.sum().backward()
    assert tokenizer.text.table.weight.grad is None
    assert tokenizer.decoder_text.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('how', KEEP)
def test_kept_lengths(how):
    lengths = kept_lengths(4000, 8, how, gen())
    found = lengths.unique().tolist()
    assert found == ([*range(1, 9)] if how == 'uniform' else [1, 2, 4, 8])
    share = (lengths == 8).float().mean().item()
    assert share == pytest.approx({'uniform': 1 / 8, 'pow2': 1 / 4, 'uniform_pow2': 1 / 2}[how], abs=0.04)


def test_what_is_cut_does_not_count():
    tokenizer = seeded(lambda: FlexTok(LFQ(4), n_latents=4, **SMALL))
    codes = tokenizer.encode(pictures())
    other = codes.clone()
    other[:, 2:] = 15 - other[:, 2:]
    assert torch.equal(tokenizer.decode_first(codes, 2), tokenizer.decode_first(other, 2))
    assert not torch.equal(tokenizer.decode_first(codes, 3), tokenizer.decode_first(other, 3))
    assert torch.equal(tokenizer.decode_first(codes, 4), tokenizer.decode(codes))


def test_training_cuts_and_evaluation_does_not():
    tokenizer = seeded(lambda: FlexTok(LFQ(4), n_latents=4, generator=gen(), **SMALL))
    x = pictures()
    whole = tokenizer(x)[0]
    assert torch.equal(whole, tokenizer(x)[0])
    cut = [tokenizer.train()(x)[0] for _ in range(8)]
    assert any(not torch.equal(whole, out) for out in cut)
