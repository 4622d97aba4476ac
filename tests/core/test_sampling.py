"Random draws: their distribution, their limits, and what a device asks of them."

import math

import pytest
import torch

from support.standin import DEVICE, stand_in_device
from visual_token_diffusion.core.sampling import (
    apply_temperature_top_p,
    gumbel_noise,
    ranks,
    sample_categorical,
    sample_logits,
    top_k_mask,
)

gen = lambda seed=0: torch.Generator().manual_seed(seed)
probs = torch.tensor([0.5, 0.3, 0.15, 0.05], dtype=torch.float64)
N = 20000


def is_fair(ids, p):
    "Whether a chi-square of the draws is within five standard deviations of its mean"
    expected = p / p.sum() * len(ids)
    chi2 = ((torch.bincount(ids, minlength=len(p)) - expected) ** 2 / expected).sum().item()
    return chi2 < len(p) - 1 + 5 * math.sqrt(2 * len(p) - 2)


def test_draws_follow_the_probabilities():
    assert is_fair(sample_categorical(probs.expand(N, -1), gen()), probs)
    assert is_fair(sample_categorical(7 * probs.expand(N, -1), gen(1)), probs)
    assert is_fair(sample_logits(probs.log().expand(N, -1), generator=gen(2)), probs)
    assert is_fair(sample_logits(probs.log().expand(N, -1), 2.0, gen(3)), probs.sqrt())
    assert is_fair((probs.log() + gumbel_noise((N, 4), gen(4))).argmax(1), probs)


def test_the_two_ways_are_one():
    p = torch.rand(30, 7, generator=gen())
    assert torch.equal(
        sample_categorical(p.double(), gen(5)), sample_logits(p.log().double(), 1.0, gen(5))
    )


def test_impossible_outcomes_are_never_drawn():
    p = torch.tensor([0.0, 1.0, 0.0, 2.0, 0.0]).expand(N, -1)
    assert set(sample_categorical(p, gen()).tolist()) == {1, 3}


def test_any_shape_and_one_seed_one_result():
    p = torch.rand(2, 3, 5, 7, generator=gen())
    ids = sample_categorical(p, gen(1))
    assert ids.shape == (2, 3, 5) and ids.dtype == torch.long
    assert torch.equal(ids, sample_categorical(p, gen(1)))
    assert torch.equal(sample_logits(p, 0), p.argmax(-1))


def test_temperature_and_top_p():
    assert apply_temperature_top_p(probs, 0).tolist() == [1, 0, 0, 0]
    assert torch.allclose(apply_temperature_top_p(probs), probs)
    assert torch.allclose(apply_temperature_top_p(probs, 0.5), probs**2 / (probs**2).sum())
    nucleus = torch.tensor([0.625, 0.375, 0, 0], dtype=torch.float64)
    assert torch.allclose(apply_temperature_top_p(probs, 1, 0.6), nucleus)
    few = sample_logits(probs.log().expand(N, -1), 1.0, gen(), top_p=0.6)
    assert is_fair(few, nucleus[:2])


@pytest.mark.parametrize('kw', [dict(temperature=-1), dict(top_p=0), dict(top_p=1.1)])
def test_bad_options_are_one_line(kw):
    kw = dict(temperature=1.0) | kw
    for draw in (apply_temperature_top_p, sample_logits):
        with pytest.raises(ValueError) as e:
            draw(probs[None], **kw)
        assert '\n' not in str(e.value)


def test_top_k_mask_takes_the_highest_candidates():
    score = torch.rand(50, 9, generator=gen())
    candidates = torch.rand(50, 9, generator=gen(1)) < 0.6
    k = torch.randint(0, 10, (50,), generator=gen(2))
    chosen = top_k_mask(score, candidates, k)
    assert not (chosen & ~candidates).any()
    assert torch.equal(chosen.sum(1), torch.minimum(k, candidates.sum(1)))
    for s, c, left in zip(score, chosen, candidates & ~chosen):
        if c.any() and left.any():
            assert s[c].min() >= s[left].max()
    assert torch.equal(ranks(score).argsort(1), score.argsort(1))


def test_everything_runs_on_another_device():
    with stand_in_device():
        p = torch.rand(4, 6, generator=gen()).to(DEVICE)
        ids = sample_categorical(p, gen(1))
        assert ids.device == p.device
        assert sample_logits(p, 0.7, gen(1), 0.9).device == p.device
        assert top_k_mask(p, p > 0.2, torch.ones(4).long().to(DEVICE)).device == p.device


def test_at_temperature_zero_every_row_has_its_own_best():
    probs = torch.tensor([[[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]]])
    assert apply_temperature_top_p(probs, 0).tolist() == [[[0, 1, 0], [1, 0, 0]]]


def test_gumbel_noise_has_its_mean_and_spread():
    noise = gumbel_noise((400_000,), torch.Generator().manual_seed(0))
    assert abs(noise.mean() - 0.57722) < 0.008
    assert abs(noise.std() - math.pi / math.sqrt(6)) < 0.01
