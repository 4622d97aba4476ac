"Divergences of mixtures and their flows, against formulas written anew."

import math

import pytest
import torch

from visual_token_diffusion.metrics.mode_collapse import (
    Mixture, failure_mode, log_density, mixture, mixture_flow, mixture_kl, mode_shares, quadrature,
)

TWO = mixture([-3, 3])


def density(x, means, weights):
    "The density of a mixture at one point, by its definition"
    parts = [w * math.exp(-((x - m) ** 2) / 2) for m, w in zip(means, weights)]
    return math.fsum(parts) / math.sqrt(2 * math.pi)


def simpson(function, low=-16, high=16, n=4000):
    "An integral by Simpson's rule: another rule than the module's"
    width = (high - low) / n
    total = function(low) + function(high)
    total += math.fsum((4 if i % 2 else 2) * function(low + i * width) for i in range(1, n))
    return total * width / 3


def plain_kl(q, p):
    "KL(q||p) of (means, weights)"

    def term(x):
        here = density(x, *q)
        return here * (math.log(here) - math.log(density(x, *p))) if here > 1e-300 else 0.0

    return simpson(term)


@pytest.mark.parametrize(
    'q, p',
    [
        (((3.2, 2.8), (0.5, 0.5)), ((-3, 3), (0.5, 0.5))),
        (((5, 0.3), (0.9, 0.1)), ((-5, 5), (0.3, 0.7))),
    ],
)
def test_divergence_is_the_integral(q, p):
    one, other = mixture(*q), mixture(*p)
    assert float(mixture_kl(one, other)) == pytest.approx(plain_kl(q, p), abs=1e-9)
    assert float(mixture_kl(other, one)) == pytest.approx(plain_kl(p, q), abs=1e-9)


def test_known_values():
    assert float(mixture_kl(mixture([1]), mixture([4]))) == pytest.approx(4.5)
    assert float(mixture_kl(TWO, TWO)) == pytest.approx(0, abs=1e-12)
    assert float(mixture_kl(mixture([6]), mixture([-6, 6]))) == pytest.approx(math.log(2), abs=1e-6)
    x, width = quadrature(TWO)
    assert float(log_density(TWO, x).exp().sum() * width) == pytest.approx(1, abs=1e-12)


def test_batches_are_rows():
    several = mixture([(3, 0.3), (1, -1), (2, 2.5)])
    alone = [float(mixture_kl(mixture(row), TWO)) for row in several.means.tolist()]
    assert mixture_kl(several, TWO).tolist() == pytest.approx(alone, abs=1e-9)


@pytest.mark.parametrize('divergence', ['reverse', 'forward'])
@pytest.mark.parametrize('speed', [0.0, 1.0])
def test_velocity_is_minus_the_slope(divergence, speed):
    a, b = 1.5, -0.4
    w = 0.3
    start = mixture([(a, b)], [(w, 1 - w)])
    path = mixture_flow(start, TWO, 1e-4, 1e-4, weight_speed=speed, divergence=divergence, moments=1)
    moved = ((path.means[1] - path.means[0]) / 1e-4)[0].tolist()

    def value(a, b, logit=math.log(w / (1 - w))):
        weight = 1 / (1 + math.exp(-logit))
        pair = ((a, b), (weight, 1 - weight)), ((-3, 3), (0.5, 0.5))
        return plain_kl(*pair) if divergence == 'reverse' else plain_kl(*pair[::-1])

    def slope(value, at, h=1e-3):
        return (value(at + h) - value(at - h)) / (2 * h)

    slopes = slope(lambda x: value(x, b), a), slope(lambda x: value(a, x), b)
    assert moved == pytest.approx([-x for x in slopes], rel=1e-3, abs=1e-5)
    first, last = (float(x[0].log() - x[1].log()) for x in path.weights[:, 0])
    expected = -2 * speed * slope(lambda x: value(a, b, x), first)
    assert (last - first) / 1e-4 == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_the_figures_of_the_brief():
    ends = {}
    for m, start, speed in ((2, 3, 0), (3, 3, 0), (5, 5, 0.5)):
        path = mixture_flow(mixture([(start, 0.3)]), mixture([-m, m]), 100, 0.4, weight_speed=speed)
        ends[m] = Mixture(path.means[-1, 0], path.weights[-1, 0]), float(path.kl[-1, 0])
    assert ends[2][1] == pytest.approx(0, abs=1e-6)
    assert ends[3][0].means.tolist() == pytest.approx([3.19, 2.78], abs=0.01)
    assert ends[3][1] == pytest.approx(0.689, abs=1e-3)
    assert ends[5][0].weights[0] > 0.98 and ends[5][1] == pytest.approx(math.log(2), abs=3e-3)
    named = [failure_mode(q, mixture([-m, m])) for m, (q, _) in ends.items()]
    assert named == ['none', 'mean alignment', 'vanishing weight']


def test_the_flow_goes_down_and_its_step_does_not_matter():
    start = mixture([(3, 0.3), (-1, 2)])
    coarse, fine = (mixture_flow(start, TWO, 20, step, weight_speed=0.5, moments=10) for step in (0.2, 0.05))
    assert (coarse.kl.diff(dim=0) < 1e-9).all()
    assert torch.allclose(coarse.means, fine.means, atol=2e-2)
    assert coarse.times.tolist() == pytest.approx([2.0 * i for i in range(11)])


def test_controls_find_both_modes():
    start = mixture([(3, 0.3)])
    forward = mixture_flow(start, TWO, 60, 0.4, weight_speed=0, divergence='forward')
    annealed = mixture_flow(start, TWO, 200, 0.5, weight_speed=0, power=lambda u: min(1, 0.02 ** (1 - u / 0.8)))
    for path in (forward, annealed):
        assert sorted(path.means[-1, 0].tolist()) == pytest.approx([-3, 3], abs=0.02)


def test_shares_of_the_target_are_its_weights():
    target = mixture([-1, 2, 4], [0.2, 0.5, 0.3])
    assert mode_shares(target, target).tolist() == pytest.approx([0.2, 0.5, 0.3], abs=1e-9)
    batch = mode_shares(mixture([(3, 3), (-3, -3)]), TWO)
    assert batch.sum(-1).tolist() == pytest.approx([1, 1]) and batch[0, 1] > 0.99


@pytest.mark.parametrize(
    'arguments, message',
    [
        (([0, float('nan')],), 'finite'),
        ((3,), 'one or more'),
        (([0, 1], [0.5, 0.6]), 'sum to one'),
        (([0, 1], [1, 0]), 'positive'),
        (([0, 1], [1]), 'one shape'),
    ],
)
def test_bad_mixtures(arguments, message):
    with pytest.raises(ValueError, match=message):
        mixture(*arguments)


@pytest.mark.parametrize(
    'start, options, message',
    [
        (mixture([(0, 1)]), dict(divergence='both'), 'divergence must be'),
        (mixture([(0, 1)]), dict(time=0.05), 'step <= time'),
        (mixture([(0, 1)]), dict(step=0), 'step <= time'),
        (mixture([0, 1]), {}, 'means'),
    ],
)
def test_bad_flows(start, options, message):
    with pytest.raises(ValueError, match=message):
        mixture_flow(start, TWO, **options)
