"Masked diffusion against slow, obvious references."

import pytest
import torch
from support.pairs import f64

from visual_token_diffusion.diffusion.base import Process, antithetic_times
from visual_token_diffusion.diffusion.masked import MaskedDiffusion, masked_nelbo


def slow_masked_bound(costs, mask, maskable):
    "For every row: n/k times the sum over masked positions, one number at a time"
    res = []
    for cost, masked, may in zip(costs.tolist(), mask.tolist(), maskable.tolist()):
        n, k = sum(may), sum(masked)
        res.append(n / k * sum(v for v, m in zip(cost, masked) if m) if k else 0.0)
    return f64(*res)


def test_masked_bound_equals_a_slow_reference():
    g = torch.Generator().manual_seed(0)
    ids = torch.zeros(16, 11, dtype=torch.long)
    for _ in range(20):
        maskable = torch.rand(16, 11, generator=g) < 0.8
        t = antithetic_times(16, g)
        _, mask, weight, _ = MaskedDiffusion().corrupt(ids, t, maskable=maskable, generator=g)
        costs = torch.rand(16, 11, generator=g).double()
        assert not (mask & ~maskable).any()
        slow = slow_masked_bound(costs, mask, maskable)
        assert torch.allclose(masked_nelbo(costs[mask], mask, weight), slow, rtol=1e-7)


def test_nothing_maskable_costs_nothing():
    none = torch.zeros(2, 5, dtype=torch.bool)
    corrupted = MaskedDiffusion().corrupt(none.long(), antithetic_times(2), maskable=none)
    assert not corrupted.mask.any()
    assert masked_nelbo(torch.zeros(0), corrupted.mask, corrupted.weight).tolist() == [0, 0]


def test_ids_stay_in_place_unless_there_is_a_mask_id():
    ids, t = torch.arange(12).view(2, 6), torch.tensor([0.5, 1.0])
    plain = MaskedDiffusion().corrupt(ids, t)
    assert torch.equal(plain.x_t, ids) and plain.noise is None
    marked = MaskedDiffusion(mask_id=99).corrupt(ids, t)
    assert torch.equal(marked.x_t, torch.where(marked.mask, 99, ids))
    assert (MaskedDiffusion(mask_id=99).prior((2, 3)) == 99).all()


@pytest.mark.parametrize(
    'question,ask',
    [
        ('corrupt', lambda p: p.corrupt(None, None)),
        ('loss', lambda p: p.loss(None, None)),
        ('prior', lambda p: p.prior((2, 3))),
        ('posterior', lambda p: p.posterior(None, None, 0.5, 1.0)),
        ('denoiser', lambda p: p.denoiser(None)),
    ],
)
def test_open_questions_are_one_line(question, ask):
    with pytest.raises(ValueError) as e:
        ask(Process())
    assert question in str(e.value) and '\n' not in str(e.value)


def test_codes_are_needed_for_masking_codes():
    with pytest.raises(ValueError, match='give it a table'):
        Process.part('partial').build()
