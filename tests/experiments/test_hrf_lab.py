"The lab on HRF: what is compared at equal reward, the frontier, and the painter."

import math

import pytest
import torch

from visual_token_diffusion.experiments.rewards.hrf_cases import CaseDenoiser, SceneCase, red_share, trained_denoiser
from visual_token_diffusion.experiments.rewards.hrf_lab import (
    ARMS, at_equal_reward, best_of, frontier, measure, run_arm,
)
from visual_token_diffusion.training.rl.ddpo_trainer import DDPOSettings


@pytest.fixture(scope='module')
def case():
    return SceneCase('match')


@pytest.fixture(scope='module')
def painter(case):
    return trained_denoiser(case, 0, 20)


def test_cover_is_read_where_the_reward_first_reaches_a_level():
    measured = ((0.2, 100), (0.4, 80), (0.3, 90), (0.8, 10))
    rows = [dict(reward=r, cover=c) for r, c in measured]
    assert at_equal_reward(rows, 0.3) == pytest.approx(90)
    assert at_equal_reward(rows, 0.5) == pytest.approx(90 - 80 * 0.4)
    assert at_equal_reward(rows, 0.1) == 100 and at_equal_reward(rows, 0.9) is None


def test_the_frontier_is_the_most_even_distribution():
    rewards = torch.tensor([0.0, 0.0, 1.0, 1.0])
    found = frontier(rewards, 0.8, n=10)
    assert found['vendi'] == pytest.approx(math.exp(-0.8 * math.log(0.4) - 0.2 * math.log(0.1)), rel=1e-6)
    assert found['cover'] == pytest.approx(2 * (1 - 0.6**10) + 2 * (1 - 0.9**10), rel=1e-6)
    assert frontier(rewards, 0.5)['vendi'] == pytest.approx(4)
    with pytest.raises(ValueError, match='a mean reward lies'):
        frontier(rewards, 0.4)


def test_words_of_a_scene_are_its_picture(case):
    words, captions = case.batch(32, torch.Generator().manual_seed(0))
    model = CaseDenoiser(case.world.tiles(16), 4, 16)
    clean = model.net.points[words].unflatten(2, model.net.shape)
    images = model.pictures(clean)
    assert (case.world.parse(images).ids >= 0).all()
    assert case.reward(images, captions).all()
    assert not case.reward(images, (captions + 1) % 16).any()


def test_red_is_what_the_oracle_calls_red():
    red = SceneCase('red')
    rewards, objects = red.true_rewards(), red.attributes(torch.arange(128))
    is_red = objects[:, 1] == red.world.colours.index('red')
    assert (rewards[is_red] > 0).all() and not rewards[~is_red].any()
    assert red_share(torch.zeros(1, 3, 4, 4)) == 0
    with pytest.raises(ValueError, match='red or match'):
        SceneCase('blue')


def test_measurements_and_the_best_of_several(case, painter):
    found = measure(painter, case, 64)
    assert 0 <= found['reward'] <= found['valid'] <= 1 and found['cover'] <= 64 * found['valid']
    best = best_of(painter, case, (1, 4), 32)
    assert best[4]['reward'] >= best[1]['reward']


def test_every_arm_runs_and_leaves_the_painter_alone(case, painter):
    first = {name: value.clone() for name, value in painter.state_dict().items()}
    for arm in ARMS:
        DDPOSettings(**ARMS[arm])
    for arm in ('sliding window', 'HRF, dynamic'):
        found = run_arm(case, painter, arm, rounds=2, every=2, walks=16, lr=1e-4)
        assert len(found['rows']) == 2 and len(found['course']['reward']) == 1
    assert all(torch.equal(first[name], value) for name, value in painter.state_dict().items())
