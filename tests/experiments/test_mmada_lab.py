"The lab of MMaDA's later stages, at a size that trains in no time."

import math

import pytest
import torch
from support.unified import WORLD, build

from visual_token_diffusion.experiments.unified import mmada_lab
from visual_token_diffusion.experiments.unified.mmada_lab import (
    ANSWER_ARMS, REWARD_ARMS, answer_model, measure_answers, pair_draw, run_rewards, small_world, without_looking,
)
from visual_token_diffusion.worlds.questions import Questions

QUESTIONS = Questions(small_world())


def test_arms_differ_in_the_reasoning_alone():
    ids = torch.arange(40) * 9
    drawn = [pair_draw(QUESTIONS, arm)(ids, torch.Generator().manual_seed(0)) for arm in ANSWER_ARMS]
    for scene, (q, direct), (_, reasoned), (_, other) in zip(ids.tolist(), *drawn):
        assert direct == QUESTIONS.parse(reasoned).result == QUESTIONS.parse(other).result
        assert QUESTIONS.check(scene, q, reasoned).true == 2 and len(other.split()) >= 7
    untrue = [QUESTIONS.check(scene, *pair).true for scene, pair in zip(ids.tolist(), drawn[2])]
    assert sum(untrue) < 50


@pytest.mark.parametrize('arm', ANSWER_ARMS)
def test_answers_are_measured(arm):
    torch.manual_seed(0)
    found = measure_answers(answer_model(QUESTIONS, arm).eval(), QUESTIONS, 20)
    assert set(found) == {'count', 'compare', 'locate', 'relation', 'all', 'form', 'true'}
    assert all(0 <= share <= 1 for share in found.values())


@pytest.mark.parametrize('arm', REWARD_ARMS)
def test_a_writer_is_trained_and_the_one_before_stays(arm, monkeypatch):
    monkeypatch.setattr(mmada_lab, 'measure_writer', lambda model, world: {})
    monkeypatch.setattr(mmada_lab, 'PROMPTS', 2)
    model = build('mmada').eval()
    before = [p.clone() for p in model.parameters()]
    found = run_rewards(arm, model, WORLD, rounds=2)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))
    assert set(found['course']) == (set() if arm == 'examples' else {'reward', 'kl', 'clipped'})
    assert all(math.isfinite(value) for values in found['course'].values() for value in values)


def test_whoever_does_not_look_is_right_as_often_as_the_exact_shares_say():
    found, exact = without_looking(QUESTIONS, 3000), QUESTIONS.blind()
    for kind, row in exact.items():
        assert abs(found[kind] - row['right']) < 0.06
    assert abs(found['all'] - sum(row['right'] * row['share'] for row in exact.values())) < 0.03
