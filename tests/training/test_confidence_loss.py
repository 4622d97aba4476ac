"The loss beside that of `diffusers`."

import pytest
import torch
from support.parts import gen

from visual_token_diffusion.training.confidence_loss import confidence_loss


def case(seed=0):
    logits = 3 * torch.randn(5, 7, 11, generator=gen(seed))
    targets = torch.where(torch.rand(5, 7, generator=gen(seed + 1)) < 0.5, logits.argmax(-1), 3)
    return logits, targets, torch.rand(5, 7, generator=gen(seed + 2))


@pytest.mark.parametrize('temperature', [1.0, 0.5])
@pytest.mark.parametrize('weighted', [False, True])
def test_as_in_diffusers(weighted, temperature):
    theirs = pytest.importorskip('diffusers.training_utils')
    if not hasattr(theirs, 'compute_confidence_aware_loss'):
        pytest.skip('this diffusers has no such loss')
    logits, targets, weight = case()
    weight = weight if weighted else None
    options = dict(lambda_conf=0.3, temperature=temperature, per_token_weights=weight)
    expected = theirs.compute_confidence_aware_loss(logits, targets, **options)
    for ours, other in zip(confidence_loss(logits, targets, weight, 0.3, temperature), expected):
        torch.testing.assert_close(ours, other)


def test_only_what_is_right_is_sharpened():
    logits, targets, _ = case()
    logits.requires_grad_()
    confidence_loss(logits, targets, entropy_weight=1.0)[2].backward()
    right = logits.argmax(-1) == targets
    assert logits.grad[right].abs().sum() > 0 and logits.grad[~right].abs().sum() == 0


def test_bad_input():
    logits, targets, _ = case()
    with pytest.raises(ValueError, match='targets should be'):
        confidence_loss(logits, targets[:2])
    with pytest.raises(ValueError, match='temperature'):
        confidence_loss(logits, targets, temperature=0)
