"Guidance: the formula, the dropped condition, the shifted mean, the probe."

import math

import pytest
import torch
from support.parts import gen, randn

from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion
from visual_token_diffusion.diffusion.guidance import (
    Condition,
    ShiftedMean,
    condition_dropout,
    guide,
    guided,
    leak_probe,
)


def test_the_formula():
    assert guide(3.0, 1.0, 0) == 1 and guide(3.0, 1.0, 1) == 3 and guide(3.0, 1.0, 2.5) == 6


@pytest.mark.parametrize('scale', [-1, -0.01, math.nan, math.inf, None])
def test_scales_that_mean_nothing(scale):
    with pytest.raises(ValueError, match='at least 0'):
        guided(None, scale)


@pytest.mark.parametrize('scale,calls', [(0, 1), (1, 1), (2, 2)])
def test_one_call_where_one_is_enough(scale, calls):
    asked = []

    def predict(z, t, keep):
        asked.append(keep)
        return z + keep[:, None].float()

    z = torch.zeros(3, 1)
    both = guided(predict, scale, skip=False)(z, None)
    asked.clear()
    assert torch.equal(guided(predict, scale)(z, None), both) and len(asked) == calls
    assert (both == scale).all()


def test_dropped_rows_share_a_vector():
    condition = Condition((4, 2), 8)
    torch.nn.init.normal_(condition.null_embed)
    c = torch.tensor([[0, 1], [3, 0], [2, 1]])
    keep = torch.tensor([True, False, False])
    v = condition(c, keep)
    assert torch.equal(v[1], condition.null_embed) and torch.equal(v[1], v[2])
    assert torch.equal(v[0], condition(c)[0])
    assert abs(condition_dropout(20_000, 0.3, gen()).float().mean() - 0.7) < 0.02


def test_the_shift_is_diffusion_around_mu():
    x, mu = randn(5, 3), randn(5, 3, seed=1)
    t = torch.linspace(0.1, 0.9, 5)
    shifted, plain = ShiftedMean(), GaussianDiffusion()
    n, m = shifted.corrupt(x, t, generator=gen(2), mu=mu), plain.corrupt(
        x - mu, t, generator=gen(2)
    )
    torch.testing.assert_close(n.x_t - mu, m.x_t, rtol=1e-5, atol=1e-5)
    out = shifted.target(x, n, t, mu)
    assert torch.equal(out, plain.target(x - mu, m, t))
    torch.testing.assert_close(shifted.to_x0(out, n.x_t, t, mu), x, rtol=1e-4, atol=1e-4)


def test_the_probe_finds_what_is_there():
    labels = torch.randint(3, (600,), generator=gen())
    noise = randn(600, 8, seed=1)
    accuracy, se, chance = leak_probe(noise, labels)
    assert abs(accuracy - chance) < 4 * se
    noise[:, 0] += 3 * labels
    assert leak_probe(noise, labels)[0] > chance + 0.2
    with pytest.raises(ValueError, match='label each'):
        leak_probe(noise, labels[:-1])


def test_the_probe_knows_how_frequent_labels_are():
    "Noise that says nothing: a fit without a constant would guess both labels alike"
    labels = (torch.arange(400) % 5 == 0).long()
    accuracy, _, chance = leak_probe(0.01 * randn(400, 2, seed=2), labels)
    assert accuracy == pytest.approx(chance, abs=0.02) and chance == pytest.approx(0.8)
