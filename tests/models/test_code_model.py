"The masked model of a tokenizer's codes: shapes, bounds, what it learns, what it refuses."

import math

import pytest
import torch
from support.parts import gen, seeded

from visual_token_diffusion.metrics.codes import code_entropy
from visual_token_diffusion.models.code_model import CodeModel


def codes(n=256):
    "Two places of two codes; the second place repeats the first"
    first = torch.randint(4, (n, 1, 2), generator=gen())
    return torch.cat([first, first], 1)


def test_probabilities_lie_on_each_place_own_codebook():
    model = seeded(lambda: CodeModel(2, (4, 3), 16, 1))
    rows, mask = torch.zeros(2, 4, dtype=torch.long), torch.ones(2, 4, dtype=torch.bool)
    p = model.log_probs(rows, mask).exp()
    torch.testing.assert_close(p.sum(-1), torch.ones(2, 4))
    assert (p[:, 1::2, 3] < 1e-6).all() and (p[:, 0::2, 3] > 0).all()


def test_the_bound_comes_near_the_entropy_and_never_under_it():
    x = codes()
    model = seeded(lambda: CodeModel(2, (4, 4), 32, 1)).fit(x, 250)
    bound = float(model.bound(x).mean()) / math.log(2)
    entropy = code_entropy(x)
    assert entropy - 0.1 < bound < entropy + 1
    made = model.generate(64, generator=gen(1))
    assert made.shape == (64, 2, 2) and (made[:, 0] == made[:, 1]).float().mean() > 0.8


@pytest.mark.parametrize('steps', [0, 1, 5])
def test_few_steps_are_steps_too(steps):
    seeded(lambda: CodeModel(2, (4, 4), 16, 1)).fit(codes(), steps, batch=8)


def test_generation_is_reproducible():
    model = seeded(lambda: CodeModel(2, (4, 4), 16, 1)).eval()
    assert torch.equal(model.generate(3, generator=gen()), model.generate(3, generator=gen()))


@pytest.mark.parametrize('bad,message', [
    (torch.zeros(1, 3, 2, dtype=torch.long), 'expected codes'),
    (torch.full((1, 2, 2), 4), 'below the codebook sizes'),
])
def test_other_codes_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        CodeModel(2, (4, 4), 16, 1).nelbo(bad)
