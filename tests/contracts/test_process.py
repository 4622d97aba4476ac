"Every registered process: what it masks, what it weighs, and a loss that the bound audit passes."

import pytest
import torch
from support.parts import gen, lm_processes
from support.standin import DEVICE, StandIn, stand_in_device
from support.toys import ToyModel, toy_table

from visual_token_diffusion.core.registry import seam_base
from visual_token_diffusion.diffusion.discrete import DiscreteProcess
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion
from visual_token_diffusion.metrics.bound_audit import audit
from visual_token_diffusion.metrics.toy import Toy

BASE = seam_base('process')
LM = lm_processes()
DISCRETE = [n for n in BASE.names() if issubclass(BASE.part(n), DiscreteProcess)]
GAUSSIAN = [n for n in ('gaussian', 'rectified_flow', 'shifted_mean') if n in BASE.names()]


def test_every_process_is_asked_something():
    rest = set(BASE.names()) - set(LM) - set(DISCRETE)
    assert all(issubclass(BASE.part(n), GaussianDiffusion) for n in rest)


@pytest.mark.parametrize('name', list(LM))
def test_the_audit_passes_the_loss(name):
    "With the perfect denoiser the mean loss is the entropy, and every level is charged once"
    toy = Toy()
    process = BASE.part(name).build(toy_table(toy))

    def estimate(denoiser, x, generator):
        denoiser.eval()
        model = ToyModel(denoiser, process.is_causal)
        t = 1 - torch.rand(len(x), generator=generator, dtype=torch.float64)
        return process.loss(model, x, process.corrupt(x, t, generator=generator))

    result = audit(estimate, toy=toy, rows=1024, reps=12)
    if name == 'next_scale':  # its levels are scales, so the probes of single masked codes do not apply
        assert abs(result.mean - result.entropy) < 6 * result.se, result
    else:
        assert result.ok, result


@pytest.mark.parametrize('name', list(LM))
def test_corruption_is_random_only_by_its_generator(name):
    x, t = torch.randint(20, (6, 7), generator=gen()), torch.linspace(0.1, 1, 6)
    first, again, other = (LM[name].corrupt(x, t, generator=gen(s)) for s in (1, 1, 2))
    assert torch.equal(first.x_t, again.x_t)
    if first.mask is None:
        assert name == 'autoregressive'
        return
    assert first.mask.dtype == torch.bool and first.mask.shape[:2] == x.shape
    assert torch.equal(first.mask, again.mask)
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.mask, other.mask)


@pytest.mark.parametrize('name', [n for n in LM if n != 'autoregressive'])
def test_what_may_not_change_does_not(name):
    x = torch.randint(20, (50, 7), generator=gen())
    maskable = torch.rand(50, 7, generator=gen(1)) < 0.5
    maskable[:, 0] = True
    mask = LM[name].corrupt(x, torch.ones(50), maskable=maskable, generator=gen(2)).mask
    mask = mask if mask.dim() == 2 else mask.any(-1)
    assert not (mask & ~maskable).any() and mask.any()


@pytest.mark.parametrize('name', [n for n in LM if n != 'autoregressive'])
def test_corruption_on_the_stand_in_device(name):
    x = torch.randint(20, (4, 7), generator=gen())
    expected = LM[name].corrupt(x, torch.full((4,), 0.5), generator=gen(3))
    with stand_in_device():
        noisy = LM[name].corrupt(x.to(DEVICE), torch.full((4,), 0.5).to(DEVICE), generator=gen(3))
        assert isinstance(noisy.mask, StandIn) and isinstance(noisy.weight, StandIn)
        assert torch.equal(noisy.mask.cpu(), expected.mask)


@pytest.mark.parametrize('name', DISCRETE)
def test_the_audit_passes_the_rate_of_a_chain(name):
    toy = Toy()
    process = BASE.part(name)(len(toy.codes))

    def estimate(denoiser, x, generator):
        denoiser.eval()
        t = torch.rand(len(x), generator=generator, dtype=torch.float64)
        t = t.clamp(min=1e-4, max=1 - 1e-4)
        x_t = process.corrupt(x, t, generator=generator).x_t
        return process.nelbo_rate(x, x_t, denoiser(x_t, t=t).exp(), t).sum(1)

    assert audit(estimate, process, toy, rows=1024, reps=12).ok


@pytest.mark.parametrize('name', DISCRETE)
def test_a_step_back_is_a_distribution_and_marginals_agree(name):
    "Corrupting to t and stepping back to s with the truth known gives what corrupting to s gives"
    process, n = BASE.part(name)(5), 40_000
    x = torch.randint(5, (1, 3), generator=gen()).expand(n, 3)
    t, s = torch.full((n,), 0.7), torch.full((n,), 0.4)
    p = process.posterior(process.corrupt(x, t, generator=gen(1)).x_t, x, s, t)
    torch.testing.assert_close(p.sum(-1), torch.ones(n, 3, dtype=p.dtype))
    direct = process.corrupt(x, s, generator=gen(2)).x_t
    counts = torch.nn.functional.one_hot(direct, p.shape[-1]).double().mean(0)
    assert (counts - p.double().mean(0)).abs().max() < 5 * (0.25 / n) ** 0.5


@pytest.mark.parametrize('name', GAUSSIAN)
def test_noise_has_the_schedules_size(name):
    process, x = BASE.part(name)(), torch.full((20_000, 2), 0.5)
    t = torch.full((20_000,), 0.6)
    noisy = process.corrupt(x, t, generator=gen())
    alpha, sigma = process.alpha_sigma(t[:1], x[:1])
    residue = noisy.x_t - alpha * x
    assert abs(residue.std() / sigma.mean() - 1) < 0.02
    back = process.to_x0(process.target(x, noisy, t), noisy.x_t, t)
    torch.testing.assert_close(back, x, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('name', GAUSSIAN)
def test_noise_on_the_stand_in_device(name):
    process, x = BASE.part(name)(), torch.ones(4, 3)
    t = torch.full((4,), 0.3)
    expected = process.corrupt(x, t, generator=gen(1)).x_t
    with stand_in_device():
        noisy = process.corrupt(x.to(DEVICE), t.to(DEVICE), generator=gen(1))
        assert torch.equal(noisy.x_t.cpu(), expected)


def test_questions_that_a_process_leaves_open_are_one_line():
    with pytest.raises(ValueError) as e:
        BASE.part('gaussian')().denoiser(None)
    assert '\n' not in str(e.value)
