"DDPO and windows of steps: every formula written anew and plainly, and what a round may never do."

import math

import pytest
import torch
from torch import nn

from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.diffusion.gaussian_schedules import ddpm_table
from visual_token_diffusion.training.rl.ddpo import (
    DenoisingPolicy, PromptStats, batch_advantage, ddpo_loss, gaussian_log_prob, step_kl,
)
from visual_token_diffusion.training.rl.ddpo_trainer import DDPO, DDPOSettings
from visual_token_diffusion.training.rl.windows import WINDOWS

TIMES = torch.linspace(1, 0.1, 7)


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


class Shift(nn.Module):
    "Says that the data lie at a learned point, and remembers when it was asked"

    def __init__(self):
        super().__init__()
        self.point = nn.Parameter(torch.zeros(2, 2))
        self.asked = []

    def forward(self, x, t, prompts):
        self.asked += t.tolist()
        return self.point + 0.1 * x


def policy(**options):
    return DenoisingPolicy(Shift(), RectifiedFlow(), TIMES, **options)


def trainer(reward=lambda clean, prompts: clean.flatten(1).sum(1), seed=0, **settings):
    return DDPO(policy(), reward, (2, 2), seed, **settings)


NOTHING = torch.full((16,), -1)


# ---- formulas ----


def test_log_probability_of_a_gaussian_as_mean_and_as_sum():
    x, mean = torch.randn(3, 2, 2, generator=gen()), torch.randn(3, 2, 2, generator=gen(1))
    std = 0.3
    plain = -((x - mean) ** 2) / (2 * std**2) - math.log(std)
    plain = plain.flatten(1) - math.log(math.sqrt(2 * math.pi))
    assert torch.allclose(gaussian_log_prob(x, mean, std), plain.mean(1), atol=1e-5)
    assert torch.allclose(gaussian_log_prob(x, mean, std, 'sum'), plain.sum(1), atol=1e-5)
    density = torch.distributions.Normal(mean, std).log_prob(x).flatten(1).sum(1)
    assert torch.allclose(gaussian_log_prob(x, mean, std, 'sum'), density, atol=1e-5)


@pytest.mark.parametrize('eta', [1.0, 0.5])
def test_a_step_is_ddpo_pytorchs_ddim_step(eta):
    "The published formulas (12) and (16) of DDIM on the table of DDPM, with a network that predicts noise"
    weight = 0.1 * torch.randn(4, 4, generator=gen(), dtype=torch.double)
    process = GaussianDiffusion(ddpm_table(), predict='eps')

    def noise_of(x):
        return (x.flatten(1) @ weight).view_as(x)

    def clean_of(x, t, prompts):
        return process.to_x0(noise_of(x), x, t)

    for k, earlier in ((1000, 900), (500, 480), (40, 20)):
        x, following = (torch.randn(3, 2, 2, generator=gen(s), dtype=torch.double) for s in (1, 2))
        abar, abar_prev = ((2 * process.schedule.alpha(torch.tensor(v / 1000.0, dtype=torch.double)).log()).exp()
                           for v in (k, earlier))
        std = eta * ((1 - abar_prev) / (1 - abar) * (1 - abar / abar_prev)).sqrt()
        clean = (x - (1 - abar).sqrt() * noise_of(x)) / abar.sqrt()
        mean = abar_prev.sqrt() * clean + (1 - abar_prev - std**2).sqrt() * noise_of(x)
        wanted = -((following - mean) ** 2) / (2 * std**2) - std.log()
        wanted = wanted - math.log(math.sqrt(2 * math.pi))
        one = DenoisingPolicy(clean_of, process, [k / 1000, earlier / 1000], eta)
        assert torch.allclose(one.decide(x, 0)[0], mean, atol=1e-7)
        assert torch.allclose(one.log_prob(x, following, 0), wanted.mean((1, 2)), rtol=1e-6)


def test_the_loss_is_the_larger_of_two_and_both_are_clipped():
    logp, old = 2e-4 * torch.randn(2, 40, generator=gen(), dtype=torch.double)
    advantage = 4 * torch.randn(40, generator=gen(1), dtype=torch.double)
    for clip, most, share in ((1e-4, 5.0, 1.0), (2e-4, 2.5, 0.35)):
        terms, far = [], clip * share
        for gap, a in zip((logp - old).tolist(), advantage.tolist()):
            a = min(max(a, -most * share), most * share)
            within = min(max(math.exp(gap), 1 - far), 1 + far)
            terms.append(max(-a * math.exp(gap), -a * within))
        found = ddpo_loss(logp, old, advantage, clip, most, share)
        assert float(found['loss']) == pytest.approx(sum(terms) / 40, rel=1e-12)
    assert found['approx_kl'] == pytest.approx(float(((logp - old) ** 2).mean() / 2))
    assert 0 < found['clipped'] < 1


def test_the_first_gradient_is_the_policy_gradient():
    logp = torch.randn(5, generator=gen()).requires_grad_()
    advantage = torch.tensor([1.0, -2.0, 0.5, 7.0, -9.0])
    ddpo_loss(logp, logp.detach(), advantage)['loss'].backward()
    assert torch.allclose(logp.grad, -advantage.clamp(-5, 5) / 5)


def test_divergence_of_two_steps():
    a, b = torch.randn(2, 4, 3, generator=gen())
    exact = torch.distributions.kl_divergence(torch.distributions.Normal(a, 0.4), torch.distributions.Normal(b, 0.4))
    assert torch.allclose(step_kl(a, b, 0.4, 'sum'), exact.sum(1), atol=1e-5)
    assert not step_kl(a, a, 0.4).any()


def test_advantages_over_the_batch_and_by_prompt():
    rewards = torch.tensor([1.0, 2.0, 3.0, 6.0])
    assert torch.allclose(batch_advantage(rewards), (rewards - 3) / math.sqrt(3.5))
    assert not batch_advantage(torch.ones(4)).any()
    stats = PromptStats(buffer_size=4, min_count=3)
    few = stats.advantage(['a', 'a', 'b', 'b'], rewards)
    assert torch.allclose(few, batch_advantage(rewards, 1e-6))
    again = stats.advantage(['a', 'a', 'a', 'b'], rewards)
    seen = torch.tensor([2.0, 1.0, 2.0, 3.0])  # the last four of a
    assert torch.allclose(again[:3], (rewards[:3] - 2) / (seen.std(correction=0) + 1e-6))
    b = torch.tensor([3.0, 6.0, 6.0])
    assert torch.allclose(again[3], (6 - b.mean()) / (b.std(correction=0) + 1e-6))


# ---- walks ----


def test_a_walk_remembers_what_it_did():
    pi = policy()
    walks = pi.rollout(torch.randn(4, 2, 2, generator=gen()), None, 0, gen(1))
    assert walks.states.shape == (7, 4, 2, 2) and walks.log_probs.shape == (6, 4)
    for i in range(6):
        assert torch.allclose(pi.log_prob(walks.states[i], walks.states[i + 1], i), walks.log_probs[i], atol=1e-6)
    assert torch.allclose(walks.clean, pi.model.point + 0.1 * walks.states[-1])


def test_walks_wait_until_their_first_step():
    x = torch.randn(3, 2, 2, generator=gen())
    walks = policy().rollout(x, torch.arange(3), torch.tensor([0, 2, 5]), gen(1))
    assert torch.equal(walks.states[5, 2], x[2]) and torch.equal(walks.states[2, 1], x[1])
    assert not torch.equal(walks.states[1, 0], x[0]) and not torch.equal(walks.states[6, 2], x[2])
    assert not walks.log_probs[:5, 2].any() and walks.log_probs[5, 2] != 0


def test_branches_are_noisy_versions_side_by_side():
    clean = torch.tensor([0.0, 100.0]).view(2, 1, 1).expand(2, 2, 2)
    x, steps = policy().noised(clean, torch.tensor([0, 5]), 3, gen())
    assert steps.tolist() == [0, 0, 0, 5, 5, 5]
    assert x[:3].abs().max() < 5 and (x[3:] - 75).abs().max() < 5  # times 1 and .25
    assert not torch.equal(x[0], x[1])
    x, _ = policy().noised(clean, 2, 3, gen(), shared=True)
    assert torch.equal(x[0], x[2]) and not torch.equal(x[0], x[3])


# ---- training ----


STEPS_OF = dict(all=(0, 6), early=(0, 3), late=(3, 6))


@pytest.mark.parametrize('name', STEPS_OF)
def test_only_the_steps_of_the_window_are_asked_again(name):
    start, stop = STEPS_OF[name]
    learner = trainer(window=name, updates=2)
    walks, first, last = learner.collect(NOTHING)
    learner.policy.model.asked.clear()
    learner.loss(walks, torch.randn(16), first, last, torch.arange(16))
    asked = torch.tensor(learner.policy.model.asked)
    assert len(asked) == 16 * (stop - start)
    assert torch.allclose(asked.unique(), TIMES[start:stop].sort()[0])


def test_branches_are_updated_from_their_start_to_the_end():
    learner = trainer(branches=4, normalize='group', window='late')
    walks, first, last = learner.collect(NOTHING, 0.5)
    assert (last == 6).all() and ((first >= 3) & (first < 6)).all()
    assert all(len(set(group.tolist())) == 1 for group in first.view(4, 4))
    assert torch.equal(walks.first, first)
    advantage = learner.advantage(torch.rand(16, generator=gen()), NOTHING)
    assert advantage.view(4, 4).mean(1).abs().max() < 1e-5


@pytest.mark.parametrize('settings', [
    {}, dict(window='sliding'), dict(window='dynamic'), dict(normalize='prompt'),
    dict(branches=4, normalize='group', scale_clips=True), dict(branches=4, window='dynamic', shared=True),
    dict(reduction='sum', clip=0.2),
])
def test_rewards_rise(settings):
    learner = trainer(lr=0.02, **settings)
    rows = [learner.round(torch.zeros(64, dtype=torch.long), r / 30) for r in range(30)]
    assert rows[-1]['reward'] > rows[0]['reward'] + 0.3


def test_the_divergence_holds_the_model_back():
    free, held = trainer(lr=0.02), trainer(lr=0.02, kl_weight=30.0)
    for r in range(15):
        free.round(NOTHING, r / 15)
        row = held.round(NOTHING, r / 15)
    assert row['kl'] > 0 and not held.base.model.point.any()
    assert held.policy.model.point.abs().max() < free.policy.model.point.abs().max() / 2


def test_a_round_of_equal_rewards_learns_nothing():
    learner = trainer(lambda clean, prompts: torch.ones(len(clean)), weight_decay=0.0)
    learner.round(NOTHING)
    assert not learner.policy.model.point.any()


def test_one_seed_one_result():
    a, b = trainer(seed=3, window='random'), trainer(seed=3, window='random')
    assert a.round(NOTHING) == b.round(NOTHING)
    assert torch.equal(a.policy.model.point, b.policy.model.point)


# ---- bad input ----


@pytest.mark.parametrize('call, message', [
    (lambda: DenoisingPolicy(Shift(), RectifiedFlow(), [1.0, 0.0]), 'above 0'),
    (lambda: DenoisingPolicy(Shift(), RectifiedFlow(), [0.2, 0.5]), 'fall'),
    (lambda: policy(eta=0.0), 'nothing to decide'),
    (lambda: gaussian_log_prob(torch.zeros(1, 2), torch.zeros(1, 2), 0.0), 'no density'),
    (lambda: gaussian_log_prob(torch.zeros(1, 2), torch.zeros(1, 2), 1.0, 'max'), 'mean or sum'),
    (lambda: DDPOSettings(normalize='row'), 'batch, prompt or group'),
    (lambda: DDPOSettings(normalize='group'), 'two continuations'),
    (lambda: DDPOSettings(window='half'), ', '.join(WINDOWS)),
    (lambda: DDPOSettings(reduction='max'), 'mean or sum'),
    (lambda: DDPOSettings(updates=0), 'an update or more'),
    (lambda: PromptStats(4, 5), 'between 1 and 4'),
    (lambda: trainer(branches=3).round(NOTHING), 'no whole groups'),
])
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert '\n' not in str(caught.value)
