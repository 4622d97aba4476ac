"Factors with adapters of their own, the squared cosine between them, and the prediction of a teacher's vector."

import math

import pytest
import torch
from support.parts import gen, randn, seeded
from torch import nn

from visual_token_diffusion.quantizers.multi_codebook import MultiCodebookQuantizer
from visual_token_diffusion.tokenizers.fqgan import FQGAN, FactorAdapters, attribute_separation

SMALL = dict(size=8, patch=4, width=16, depth=1)


class FixedTeacher(nn.Module):
    "Says the same vectors whatever it sees"

    def __init__(self, said):
        super().__init__()
        self.said = nn.Parameter(said)
        self.dim = said.shape[1]

    def pooled(self, images):
        return self.said


def tokenizer(**options):
    return seeded(lambda: FQGAN(MultiCodebookQuantizer(8, 4, 2), **SMALL, **options))


def pictures(n=3):
    return torch.rand(n, 3, 8, 8, generator=gen())


def test_the_squared_cosine_is_that_of_the_formula():
    a, b = randn(2, 3, 4), randn(2, 3, 4, seed=1)
    total = 0
    for x, y in zip(a.reshape(-1, 4), b.reshape(-1, 4)):
        total += ((x @ y) / (x.norm() * y.norm())) ** 2 / 6
    found = tokenizer(disentangle=0.1).disentangle_loss([a, b])
    torch.testing.assert_close(found, 0.1 * total, rtol=0, atol=1e-6)


@pytest.mark.parametrize('temperature', [1.0, 0.07])
def test_the_semantic_loss_is_that_of_the_formula(temperature):
    said, predicted = randn(5, 6), randn(5, 6, seed=1)
    made = tokenizer(teacher=FixedTeacher(said), semantic=0.5, temperature=temperature)
    made.semantic_head = nn.Module()
    made.semantic_head.forward = lambda z: predicted
    total = 0
    for i in range(5):
        scores = [float(predicted[i] @ t / (predicted[i].norm() * t.norm())) / temperature for t in said]
        total -= (scores[i] - math.log(sum(map(math.exp, scores)))) / 5
    found = made.semantic_loss([None, None], pictures(5))
    assert found.item() == pytest.approx(0.5 * total, abs=1e-5)


def test_the_losses_come_with_the_call():
    made = tokenizer(teacher=FixedTeacher(randn(3, 6)))
    losses = made(pictures())[1].losses
    assert set(losses) == {'commitment', 'codebook', 'squared_cosine', 'semantic'}
    sum(losses.values()).backward()
    assert made.teacher.said.grad is None
    assert all(p.grad.abs().sum() > 0 for p in made.semantic_head.out.parameters())
    made.add_teacher(None)
    assert set(made(pictures())[1].losses) == {'commitment', 'codebook', 'squared_cosine'}
    assert set(tokenizer(disentangle=0)(pictures())[1].losses) == {'commitment', 'codebook'}


def test_a_code_is_that_of_its_own_factor():
    made = tokenizer().eval()
    before = made.encode(pictures())
    with torch.no_grad():
        made.to_latents.projections[1].weight.neg_()
        made.to_latents.projections[1].bias.neg_()
    after = made.encode(pictures())
    assert torch.equal(before[..., 0], after[..., 0])
    assert not torch.equal(before[..., 1], after[..., 1])


SHARES = {1: [7], 2: [4, 3], 3: [3, 2, 2]}


@pytest.mark.parametrize('factors,widths', SHARES.items())
def test_the_latent_is_shared_out(factors, widths):
    made = seeded(lambda: FQGAN(None, factors=factors, latent_dim=7, **SMALL))
    z = made.latents(pictures())
    assert [part.shape[-1] for part in made.parts(z)] == widths
    assert [p.out_features for p in made.to_latents.projections] == widths
    assert (made.disentangle_loss(made.parts(z)) is None) == (factors < 3)


def test_a_saved_tokenizer_comes_back_without_its_teacher(tmp_path):
    made = tokenizer(teacher=FixedTeacher(randn(3, 6)), disentangle=0.2).eval()
    made.save_pretrained(tmp_path)
    again = FQGAN.from_pretrained(tmp_path)
    assert again.teacher is None and again.disentangle == 0.2
    assert torch.equal(again.encode(pictures()), made.encode(pictures()))


@pytest.mark.parametrize(
    'bits,expected',
    [
        ([[2.0, 0], [0, 1]], 1),
        ([[1.0, 1], [1, 1]], 0),
        ([[3.0], [1]], 0.5),
        ([[1.0, 0], [0, 1], [0, 0]], 1),
        ([[0.0], [0]], 0),
    ],
)
def test_attribute_separation(bits, expected):
    assert attribute_separation(bits) == pytest.approx(expected)


@pytest.mark.parametrize(
    'call,why',
    [
        (lambda: FactorAdapters(16, 2, 3), '3 factors cannot share'),
        (lambda: FQGAN(None, factors=0, **SMALL), '0 factors cannot share'),
        (lambda: attribute_separation([[1.0, 2]]), 'at least two codebooks'),
        (lambda: attribute_separation([1.0, 2]), 'at least two codebooks'),
    ],
)
def test_bad_input_is_one_line(call, why):
    with pytest.raises(ValueError, match=why) as e:
        call()
    assert '\n' not in str(e.value)
