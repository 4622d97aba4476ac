"What tokens lose that are written without seeing each other, against information that is known."

import math

import pytest
import torch

from visual_token_diffusion.metrics.factorization import bits_by_call, entropy_bits, factorization_bits
from visual_token_diffusion.samplers.base import SamplerStep

TABLE = torch.tensor([[0.5, 0.25], [0.0, 0.25]], dtype=torch.double)
INDEPENDENT = torch.outer(*torch.tensor([[0.75, 0.25], [0.5, 0.5]], dtype=torch.double))
MUTUAL = 0.75 * math.log2(4 / 3) + 0.25 * 2 + 1 - 1.5  # entropies of the two, less that of both


def posterior_of(table):
    "Of two tokens with the joint probabilities `table`"
    def posterior(ids, mask):
        first, second = table.sum(1).expand(len(ids), -1), table.sum(0).expand(len(ids), -1)
        given_second = (table / table.sum(0)).T[ids[:, 1]]
        given_first = (table / table.sum(1, keepdim=True))[ids[:, 0]]
        left = torch.where(mask[:, 1:], first, given_second)
        return torch.stack([left, torch.where(mask[:, :1], second, given_first)], 1)

    return posterior


def gaps(n):
    mask = torch.ones(n, 2, dtype=torch.bool)
    return torch.zeros(n, 2, dtype=torch.long), mask, mask


def bits(table, n=4000, **options):
    return factorization_bits(posterior_of(table), *gaps(n), generator=torch.Generator().manual_seed(0), **options)


def test_two_tokens_at_once_lose_what_they_say_of_each_other():
    assert bits(TABLE).mean().item() == pytest.approx(MUTUAL, abs=0.03)
    assert bits(INDEPENDENT).abs().max() < 1e-9


def test_copies_lose_a_whole_bit_in_every_draw():
    assert torch.allclose(bits(torch.eye(2).double() / 2, 5, draws=3), torch.ones(5).double())


def test_one_token_after_the_other_loses_nothing():
    x, mask, _ = gaps(3)
    first = mask.clone()
    first[:, 1] = False
    at_once = SamplerStep(x, ~mask, mask, None, x)
    start, between = SamplerStep(x, mask, ~mask, None, x), SamplerStep(x, ~first, first, None, x)
    done = SamplerStep(x, ~mask, ~first, None, x)
    copies = posterior_of(torch.eye(2).double() / 2)
    generator = torch.Generator().manual_seed(0)
    assert bits_by_call([start, at_once], copies, generator=generator).tolist() == [[1, 1, 1]]
    assert bits_by_call([start, between, done], copies, generator=generator).tolist() == [[0, 0, 0]] * 2


def test_entropies():
    assert entropy_bits(torch.tensor([[0.5, 0.5], [1.0, 0.0]])).tolist() == [1, 0]


@pytest.mark.parametrize('change,why', [
    (dict(where=torch.ones(4, 3).bool()), r'should all be \(B,L\)'),
    (dict(mask=torch.zeros(4, 2).bool()), 'only masked positions'),
    (dict(draws=0), 'at least 1'),
])
def test_no_gaps_are_refused_in_one_line(change, why):
    given = dict(zip(('ids', 'mask', 'where'), gaps(4))) | change
    with pytest.raises(ValueError, match=why) as e:
        factorization_bits(posterior_of(TABLE), **given)
    assert '\n' not in str(e.value)
