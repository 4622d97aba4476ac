"Attention projections, the contrastive loss on quantized tokens, and a call without captions."

import math

import pytest
import torch
from support.parts import gen, randn, seeded
from torch import nn

from visual_token_diffusion.quantizers.multi_codebook import MultiCodebookQuantizer
from visual_token_diffusion.tokenizers.unitok import AttentionProjection, UniTok

SMALL = dict(size=8, patch=4, width=16, depth=1)
SAID = ['a red circle', 'a small blue cross at the top', 'a green square']


def tokenizer(**options):
    return seeded(lambda: UniTok(MultiCodebookQuantizer(8, 4, 2), **SMALL, **options)).eval()


def pictures(n=3):
    return torch.rand(n, 3, 8, 8, generator=gen())


def normed(norm, x):
    "Layer norm of a vector, by hand"
    centered = x - x.mean()
    return norm.weight * centered / (centered.square().mean() + norm.eps).sqrt() + norm.bias


@pytest.mark.parametrize('width,out', [(6, 2), (2, 6), (7, 2), (3, 3)])
def test_the_projection_is_that_of_the_formula(width, out):
    layer = seeded(lambda: AttentionProjection(width, out))
    nn.init.normal_(layer.q_bias)
    nn.init.normal_(layer.v_bias)
    x, narrow = randn(3, width), min(width, out)
    heads = max(width, out) // narrow
    rows = [layer.qkv.weight @ normed(layer.attn_norm, v) for v in x]
    queries, keys, values = zip(*(row.chunk(3) for row in rows))
    for i in range(3):
        parts = []
        for head in range(heads):
            part = slice(head * narrow, (head + 1) * narrow)
            query = (queries[i] + layer.q_bias)[part]
            scores = torch.stack([query @ key[part] for key in keys]) / narrow**0.5
            shares = scores.softmax(0)
            parts.append(sum(s * (v + layer.v_bias)[part] for s, v in zip(shares, values)))
        attended = sum(parts) / heads if out < width else torch.cat(parts)
        mixed = layer.skip(normed(layer.skip_norm, x[i])) + layer.proj(attended)
        inner = layer.mlp[2].up(normed(layer.mlp[1], normed(layer.mlp[0], mixed)))
        gate, value = inner.chunk(2)
        gate = 0.5 * gate * (1 + torch.tanh((2 / math.pi) ** 0.5 * (gate + 0.044715 * gate**3)))
        expected = mixed + layer.mlp[2].down(gate * value)
        torch.testing.assert_close(layer(x[None])[0, i], expected, rtol=1e-4, atol=1e-5)


def test_the_contrastive_loss_is_that_of_the_formula():
    made = tokenizer()
    a, b = nn.functional.normalize(randn(4, 5)), nn.functional.normalize(randn(4, 5, seed=1))
    scores = (a @ b.T / 0.07).double()
    total = 0
    for i in range(4):
        total -= (scores[i, i] - scores[i].exp().sum().log()) / 8
        total -= (scores[i, i] - scores[:, i].exp().sum().log()) / 8
    assert made.contrastive_loss(a, b).item() == pytest.approx(float(total), abs=1e-4)


def test_captions_add_a_loss_and_change_nothing_else():
    made = tokenizer(contrastive=0.5)
    plain, with_captions = made(pictures()), made(pictures(), SAID)
    assert torch.equal(plain[0], with_captions[0])
    assert set(plain[1].losses) == {'commitment', 'codebook'}
    expected = 0.5 * made.contrastive_loss(made.image_features(pictures()), made.text_features(SAID))
    torch.testing.assert_close(with_captions[1].losses['contrastive'], expected)


def test_features_have_length_one_and_come_from_the_codes():
    made = tokenizer()
    features = made.image_features(pictures())
    assert features.shape == (3, 32) and made.text_features(SAID).shape == (3, 32)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(3))
    z = made.quantizer.decode(made.encode(pictures()))
    torch.testing.assert_close(features, made._pooled(z))


def test_the_scale_is_kept_between_one_and_a_hundred():
    made = tokenizer()
    assert made.logit_scale.exp().item() == pytest.approx(1 / 0.07)
    for given, kept in ((9.0, math.log(100)), (-2.0, 0)):
        nn.init.constant_(made.logit_scale, given)
        made(pictures(), SAID)
        assert made.logit_scale.item() == pytest.approx(kept)


def test_another_text_module_is_taken_as_it_is(tmp_path):
    class Text(nn.Module):
        dim = 3

        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(9, 3)

        def forward(self, captions):
            return self.table(torch.tensor([[len(c) % 9] for c in captions]))

    made = tokenizer(text=Text())
    made(pictures(), SAID)[1].losses['contrastive'].backward()
    assert made.text.table.weight.grad.abs().sum() > 0


def test_a_saved_tokenizer_comes_back(tmp_path):
    made = tokenizer(text_dim=6)
    made.save_pretrained(tmp_path)
    again = UniTok.from_pretrained(tmp_path)
    assert torch.equal(again.image_features(pictures()), made.image_features(pictures()))
    assert torch.equal(again.text_features(SAID), made.text_features(SAID))


@pytest.mark.parametrize('captions', [['one'], 'abc', []])
def test_captions_of_another_number_are_refused_in_one_line(captions):
    with pytest.raises(ValueError, match='unitok needs 3 captions') as e:
        tokenizer()(pictures(), captions)
    assert '\n' not in str(e.value)
