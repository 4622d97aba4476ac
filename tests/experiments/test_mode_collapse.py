"Exact tables of a small code model, the optima of a reward, and the experiment at a size that takes no time."

import itertools
import math

import pytest
import torch

from visual_token_diffusion.experiments.rewards import mode_collapse
from visual_token_diffusion.experiments.rewards.code_table import (
    CodeTable, TwoModes, examples_optimum, table_kl, kl_optimum, table_summary,
)
from visual_token_diffusion.experiments.rewards.mode_collapse import (
    FITS, REWARD_ARMS, basins, fit_arm, main, reward_arm, taught,
)
from visual_token_diffusion.models.code_model import CodeModel
from visual_token_diffusion.training.rl.unigrpo import k3


def small(seed=0):
    torch.manual_seed(seed)
    return CodeModel(3, [3], width=8, depth=1, heads=1).double()


def test_the_table_is_the_mean_over_all_orders():
    model, table = small(), CodeTable(3, 3)
    for row in ((0, 1, 2), (2, 2, 0)):
        total = 0.0
        for order in itertools.permutations(range(3)):
            mask, p = torch.ones(1, 3, dtype=torch.bool), 1.0
            for place in order:
                p *= model.log_probs(torch.tensor([row]), mask)[0, place, row[place]].exp().item()
                mask[0, place] = False
            total += p / 6
        number = row[0] * 9 + row[1] * 3 + row[2]
        assert float(table(model)[number].detach()) == pytest.approx(total, rel=1e-6)
    assert float(table(model).sum().detach()) == pytest.approx(1)


def test_the_table_says_what_is_generated():
    model, table = small(1), CodeTable(3, 3)
    drawn = model.float().generate(4000, generator=torch.Generator().manual_seed(0)).flatten(1)
    numbers = (drawn * torch.tensor([9, 3, 1])).sum(1)
    shares = numbers.bincount(minlength=27) / 4000
    q = table(model).detach()
    assert ((shares - q).abs() < 5 * (q * (1 - q) / 4000).sqrt() + 1e-3).all()


def test_the_table_has_slopes():
    model, table = small(), CodeTable(3, 3)
    table(model)[5].log().backward()
    assert model.embed.weight.grad.abs().sum() > 0


def test_the_world_of_two_modes():
    world = TwoModes(share=0.3, noise=0.1)
    assert float(world.p.sum()) == pytest.approx(1)
    assert float(world.p[0]) == pytest.approx(0.7 * 0.9**4 + 0.3 * (0.1 / 3) ** 4)
    assert world.second(world.parts[1]) > 0.99 and world.second(world.parts[0]) < 0.01
    rows = world.draw(2000, torch.Generator().manual_seed(0))
    assert rows.shape == (2000, 4, 1) and abs(float((rows == 3).double().mean()) - 0.3) < 0.05
    assert table_summary(world.p, world, world.p)['reverse'] == pytest.approx(0, abs=1e-12)


def test_optima_are_optima():
    generator = torch.Generator().manual_seed(0)
    ref = torch.rand(12, generator=generator, dtype=torch.float64).softmax(0)
    reward, beta = torch.rand(12, generator=generator, dtype=torch.float64), 0.2
    best = kl_optimum(ref, reward, beta), examples_optimum(ref, reward, beta)
    values = (
        lambda q: (q * reward).sum() - beta * table_kl(q, ref),
        lambda q: (q * reward).sum() - beta * table_kl(ref, q),
    )
    for q, value in zip(best, values):
        assert float(q.sum()) == pytest.approx(1) and (q > 0).all()
        for _ in range(50):
            other = (q.log() + 0.3 * torch.randn(12, generator=generator, dtype=torch.float64)).softmax(0)
            assert value(other) < value(q)
    z = (ref * (reward / beta).exp()).sum()
    assert float(values[0](best[0])) == pytest.approx(beta * math.log(z))
    assert torch.allclose(kl_optimum(ref, reward, 1e6), ref, atol=1e-5)
    assert torch.allclose(examples_optimum(ref, reward, 1e6), ref, atol=1e-5)


def test_k3_as_a_loss_has_the_forward_slope():
    generator = torch.Generator().manual_seed(1)
    ref = torch.randn(20, generator=generator, dtype=torch.float64).softmax(0)
    logits = torch.randn(20, generator=generator, dtype=torch.float64, requires_grad=True)
    q = logits.softmax(0)
    penalty = (q.detach() * k3(q.log()[:, None], ref.log()[:, None])).sum()
    (slope,) = torch.autograd.grad(penalty, logits)
    q = q.detach()
    assert penalty.item() == pytest.approx(float((q * (q / ref).log()).sum()))
    assert torch.allclose(slope, q - ref)  # that of the cross-entropy of ref, by hand


def test_sampled_slope_is_the_exact_one_on_average():
    logits = torch.randn(6, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    value, generator = torch.arange(6).double(), torch.Generator().manual_seed(0)
    q = logits.softmax(0)
    (exact,) = torch.autograd.grad((q * value).sum(), logits, retain_graph=True)
    found = []
    for _ in range(400):
        loss = mode_collapse._sampled(q, value, 64, generator)
        found.append(torch.autograd.grad(loss, logits, retain_graph=True)[0])
    assert torch.allclose(torch.stack(found).mean(0), exact, atol=0.05)


@pytest.mark.parametrize('arm', FITS)
def test_every_fit_runs(arm):
    found = fit_arm(arm, 'first mode', steps=4)
    assert math.isfinite(found['reverse']) and 0 <= found['second'] <= 1 and len(found['course']) == 4
    assert found['start']['second'] != found['second']


@pytest.mark.parametrize('arm', REWARD_ARMS)
def test_every_reward_arm_runs_and_leaves_its_start(arm):
    model = taught(TwoModes(), steps=4)
    before = [p.clone() for p in model.parameters()]
    found = reward_arm(arm, 'equal', 0.1, updates=8, model=model)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))
    assert 0 < found['of_rewarded'] < 1 and 0 < found['optimum'] < 1 and math.isfinite(found['forward'])


def test_basins_count_every_start():
    found = basins(2.0, 'forward', n=4)
    assert found['counts'] == {'none': 6} and found['ends'] == [0] * 6


def test_bad_input():
    with pytest.raises(ValueError, match='unknown arm'):
        fit_arm('guess', 'scratch')
    with pytest.raises(ValueError, match='unknown arm'):
        reward_arm('exact', 'none', 0.1)
    with pytest.raises(ValueError, match='beta must be positive'):
        kl_optimum(torch.ones(2) / 2, torch.ones(2), 0)
    with pytest.raises(ValueError, match='beta must be positive'):
        examples_optimum(torch.ones(2) / 2, torch.ones(2), -1)
    with pytest.raises(ValueError, match='between 0 and 1'):
        TwoModes(share=1)
    with pytest.raises(ValueError, match='too many'):
        CodeTable(9, 9)
    with pytest.raises(SystemExit):
        main(['--part', 'nothing'])
