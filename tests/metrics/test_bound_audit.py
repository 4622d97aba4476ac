"The bound audit passes what is right and names what is wrong."

import torch
from visual_token_diffusion.diffusion.base import antithetic_times
from visual_token_diffusion.diffusion.masked import MaskedDiffusion, masked_nelbo
from visual_token_diffusion.metrics.bound_audit import audit, below_entropy


def exact(d, x, g):
    t = antithetic_times(len(x), g)[torch.randperm(len(x), generator=g)]
    corrupted = MaskedDiffusion().corrupt(x, t, generator=g)
    mask = corrupted.mask
    nll = -d.eval()(x, mask).gather(-1, x[..., None])[..., 0]
    return masked_nelbo(nll[mask], mask, corrupted.weight)


def test_audit():
    assert audit(exact, reps=8).ok
    for f, why in (
        (lambda d, x, g: exact(d, x, g) / 3, 'per token'),
        (lambda d, x, g: exact(d, x, g) / 2, 'per sub-token'),
        (lambda d, x, g: exact(d, x, torch.Generator().manual_seed(0)), 'every seed'),
        (lambda d, x, g: 1.3 * exact(d, x, g), 'weight'),
        (lambda d, x, g: torch.zeros(len(x)), 'never asked'),
    ):
        v = audit(f, reps=8)
        assert not v.ok and why in repr(v), v


def test_a_bound_below_the_entropy_is_flagged():
    g = torch.Generator().manual_seed(0)
    lp = -torch.rand(500, generator=g).double() * 10
    assert not below_entropy(-lp + 0.2 * torch.randn(500, generator=g), lp)[2]
    assert below_entropy(-lp - 0.2 + 0.2 * torch.randn(500, generator=g), lp).flagged


def test_five_standard_errors_are_flagged_and_fewer_are_not():
    "Values one above and one below their mean: a standard error of .1"
    noise = torch.tensor([1.0, -1.0]).double().repeat(50)
    for errors, flagged in ((4.8, False), (5.3, True)):
        gap = below_entropy(noise - 0.1005 * errors, torch.zeros(100))
        assert gap.flagged == flagged and abs(gap.se - 0.1005) < 1e-4
