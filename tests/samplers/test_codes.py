"Samplers of codes: honest samples, kept prompts, one-line refusals."

import math

import pytest
import torch
from support.pairs import CODES, TABLE, chi2, knows_codes
from support.parts import gen

from visual_token_diffusion.diffusion.next_scale import ScaleMasking
from visual_token_diffusion.diffusion.partial_masking import PartialMasking
from visual_token_diffusion.metrics.toy import Denoiser, Toy
from visual_token_diffusion.samplers.codes import sample_partial, sample_scales


def partial(mask, steps):
    x = torch.tensor([[0, 2]] * len(mask))
    options = dict(mask=mask, steps=steps, generator=gen())
    return list(sample_partial(knows_codes, PartialMasking(CODES), x, **options))[-1].pred


def test_partial_sampler_and_prompts():
    mask = torch.ones(12000, 2, dtype=torch.bool)
    assert chi2(partial(mask, 4)) < 28 < chi2(partial(mask, 1))
    mask[:, 1] = False
    got = partial(mask, 2)
    share = torch.bincount(got[:, 0], minlength=3) / 12000
    assert (got[:, 1] == 2).all()
    assert (share - TABLE[:, 2] / TABLE[:, 2].sum()).abs().max() < 0.02


TOY = Toy(2, 3, 2, seed=1)


def scales(n, steps, seed, order=None, x=None, mask=None):
    denoiser = Denoiser(TOY).eval()
    network = lambda codes, mask: denoiser(codes.matmul(torch.tensor([4, 2, 1])), mask)
    x = torch.zeros(n, 2, dtype=torch.long) if x is None else x
    process, options = ScaleMasking(TOY.codes, order), dict(mask=mask, steps=steps)
    return list(sample_scales(network, process, x, generator=gen(seed), **options))


def test_scales_are_written_in_order():
    steps = scales(8000, 2, 5, (1, 0, 2))
    assert [int(s.mask[0].sum()) for s in steps] == [6, 5, 4, 3, 2, 1, 0]
    for a, b in zip(steps, steps[1:]):
        assert torch.equal(b.mask, a.mask & ~b.changed)
        assert torch.equal(torch.where(b.changed, 0, a.x), torch.where(b.changed, 0, b.x))
        assert ((TOY.codes[b.pred] == b.x) | b.mask).all()
    count, expected = torch.bincount(TOY.index(steps[-1].pred), minlength=64), 8000 * TOY.p
    chi = ((count - expected) ** 2 / expected.clamp(min=1e-9)).sum().item()
    assert chi < 63 + 6 * 126**0.5


def test_calls_may_be_shared_unevenly():
    left = [int(s.mask[0].sum()) for s in scales(3, (9, 1, 2), 5)]
    assert left == [6, 5, 4, 2, 1, 0]


def test_prompts_keep_their_codes():
    x, mask = torch.full((50, 2), 6), torch.tensor([[True, False]]).expand(50, 2)
    last = scales(50, 5, 6, x=x, mask=mask)[-1]
    assert (last.pred[:, 1] == 6).all() and not last.mask.any()
    last = scales(50, 5, 6, x=x, mask=mask & False)[-1]
    assert torch.equal(last.x, TOY.codes[x])


BLANK = torch.zeros(1, 2, dtype=torch.long)
THREE = ScaleMasking(torch.cartesian_prod(*[torch.arange(2)] * 3))


def nan(codes, mask):
    return torch.full((1, 2, 8), math.nan)


@pytest.mark.parametrize(
    'make,text',
    [
        (lambda: sample_partial(None, PartialMasking(CODES), BLANK, steps=0), 'at least 1'),
        (lambda: sample_scales(None, THREE, BLANK, steps=0), 'at least 1'),
        (lambda: sample_scales(None, THREE, BLANK, steps=(1, 2)), 'one number or 3'),
        (lambda: sample_scales(None, THREE, BLANK[0]), '(B,L)'),
        (lambda: sample_scales(nan, THREE, BLANK), 'NaN'),
    ],
)
def test_bad_input_is_one_line(make, text):
    with pytest.raises(ValueError) as err:
        list(make())
    assert text in str(err.value) and '\n' not in str(err.value)
