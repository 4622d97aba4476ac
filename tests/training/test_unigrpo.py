"UniGRPO: every formula written anew and plainly, and what a round may never do."

import math

import pytest
import torch
from support.unified import WORLD, build

from visual_token_diffusion.experiments.unified.mmada_lab import answer_model, small_world
from visual_token_diffusion.models.unified.switches import Switches
from visual_token_diffusion.training.rl.tasks import ReadingTask, WritingTask, matches_caption, right_answer, shuffled
from visual_token_diffusion.training.rl.unigrpo import (
    ARMS, UniGRPO, answer_masks, clipped_objective, group_advantage, k3, masked_shares, masked_mean, unigrpo_loss,
)
from visual_token_diffusion.worlds.questions import Questions, join_steps

LOGP = torch.tensor([[-1.0, -0.5, -2.0], [-0.1, -3.0, -0.7]])
OLD = torch.tensor([[-1.2, -0.5, -1.0], [-0.6, -2.9, -0.7]])
REF = torch.tensor([[-0.8, -0.9, -2.0], [-0.1, -2.0, -1.7]])
MASK = torch.tensor([[True, False, True], [True, True, False]])
ADVANTAGE = torch.tensor([1.5, -0.5])


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


# ---- formulas ----


def test_advantage_is_the_reward_in_deviations_of_its_group():
    rewards = torch.tensor([[1.0, 0.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0]])
    found = group_advantage(rewards)
    deviation = math.sqrt((0.75**2 + 3 * 0.25**2) / 4)
    assert torch.allclose(found[0], torch.tensor([0.75, -0.25, -0.25, -0.25]) / deviation, atol=1e-4)
    assert not found[1].any()
    without = group_advantage(rewards, eps=0.0)  # Gen-Verse/dLLM-RL 10b4fd1: nothing added, 0 where all are equal
    assert torch.allclose(without[0], torch.tensor([0.75, -0.25, -0.25, -0.25]) / deviation) and not without[1].any()


@pytest.mark.parametrize('rewards', [torch.zeros(4), torch.zeros(4, 1)])
def test_a_group_has_two_answers_or_more(rewards):
    with pytest.raises(ValueError, match='two answers or more'):
        group_advantage(rewards)


def test_even_ratios_start_anywhere_and_end_at_one():
    ratios = masked_shares(5, 'even', gen(), 100)
    assert ratios.shape == (5, 100) and torch.allclose(ratios[-1], torch.ones(100))
    steps = ratios[1:] - ratios[:-1]
    assert torch.allclose(steps, steps[:1].expand_as(steps), atol=1e-6)
    assert ratios[0].min() < 0.1 and ratios[0].max() > 0.9


def test_random_ratios_stay_within_their_range_and_full_is_one():
    ratios = masked_shares(2, 'random', gen(), 1000)
    assert 0.1 <= ratios.min() < 0.12 and 0.88 < ratios.max() <= 0.9
    assert (masked_shares(3, 'full') == 1).all()
    with pytest.raises(ValueError, match='even or random or full'):
        masked_shares(2, 'evenly')
    with pytest.raises(ValueError, match='at least 1'):
        masked_shares(0)


def test_a_prompt_is_never_masked_and_an_answer_always_somewhere():
    maskable = torch.zeros(2000, 9, dtype=torch.bool)
    maskable[:, 4:] = True
    mask = answer_masks(maskable, torch.full((2000,), 0.3), gen())
    assert not mask[:, :4].any() and mask.any(1).all()
    assert abs(float(mask[:, 4:].float().mean()) - 0.3 - 0.7**5 / 5) < 0.02
    assert answer_masks(maskable, torch.ones(2000), gen())[:, 4:].all()
    assert not answer_masks(torch.zeros(3, 4, dtype=torch.bool), torch.ones(3), gen()).any()


def test_the_objective_takes_the_smaller_of_ratio_and_clipped_ratio():
    found = clipped_objective(LOGP, OLD, ADVANTAGE, 0.2)
    for row in range(2):
        for col in range(3):
            ratio = math.exp(LOGP[row, col] - OLD[row, col])
            clipped = min(max(ratio, 0.8), 1.2)
            wanted = min(ratio * float(ADVANTAGE[row]), clipped * float(ADVANTAGE[row]))
            assert float(found[row, col]) == pytest.approx(wanted, rel=1e-5)


def test_k3_is_positive_and_its_sum_grows_with_the_answer():
    for reduction, over in (('sum', (1, 1)), ('mean', (2, 2))):
        found = k3(LOGP, REF, reduction, MASK)
        for row in range(2):
            gaps = [float(REF[row, col] - LOGP[row, col]) for col in range(3) if MASK[row, col]]
            assert float(found[row]) == pytest.approx(sum(math.exp(g) - 1 - g for g in gaps) / over[row], rel=1e-4)
    long = torch.zeros(1, 64)
    assert float(k3(long, long + 0.2, 'sum')) == pytest.approx(64 * float(k3(long, long + 0.2)), rel=1e-4)
    assert not k3(LOGP, LOGP).any()
    with pytest.raises(ValueError, match='mean or sum'):
        k3(LOGP, REF, 'max')


def test_the_loss_of_a_sequence_and_of_tokens():
    now, old = masked_mean(LOGP, MASK), masked_mean(OLD, MASK)
    assert now.tolist() == pytest.approx([-1.5, -1.55])
    wanted = -clipped_objective(now, old, ADVANTAGE).mean() + 0.5 * k3(LOGP, REF, 'sum', MASK).mean()
    options = dict(beta=0.5, reduction='sum')
    found = unigrpo_loss(LOGP, OLD, REF, MASK, ADVANTAGE, **options)
    assert torch.allclose(found['loss'], wanted)
    by_token = (clipped_objective(LOGP, OLD, ADVANTAGE) * MASK).sum(1) / 2
    wanted = -by_token.mean() + 0.5 * k3(LOGP, REF, 'sum', MASK).mean()
    found = unigrpo_loss(LOGP, OLD, REF, MASK, ADVANTAGE, level='token', **options)
    assert torch.allclose(found['loss'], wanted) and found['clipped'] == pytest.approx(0.75)
    with pytest.raises(ValueError, match='sequence or token'):
        unigrpo_loss(LOGP, OLD, REF, MASK, ADVANTAGE, level='word')


def test_the_first_update_of_a_round_is_the_plain_policy_gradient():
    logp = LOGP.clone().requires_grad_()
    loss = unigrpo_loss(logp, LOGP, LOGP, MASK, ADVANTAGE, beta=1.0)['loss']
    loss.backward()
    assert torch.allclose(logp.grad, -ADVANTAGE[:, None] * MASK / 2 / 2)


# ---- tasks ----


def test_pictures_are_rewarded_where_their_caption_is_true():
    ids, images, captions = WORLD.batch(20, 24, gen())
    reward = matches_caption(WORLD)
    assert reward(captions, images).all()
    others = reward(captions[1:] + captions[:1], images)
    assert others.mean() < 0.5 and not reward(captions, torch.rand_like(images)).any()


def test_answers_are_rewarded_for_the_result_and_for_the_form():
    questions = Questions(small_world())
    scene, question = 17, questions.texts[0]
    right, steps = questions.answer(scene, question), questions.steps(scene, question)
    texts = [join_steps(steps, right), right, join_steps(steps, 'nothing'), 'think so 1']
    found = right_answer(questions, 0.5)([(scene, question)] * 4, texts)
    assert found[:3].tolist() == [1.5, 1.0, 0.5] and found[3] <= 1


def test_shuffled_rewards_stay_in_their_group():
    def reward(prompts, answers):
        return torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0])

    dealt = shuffled(reward, group=4)(None, None).view(2, 4)
    assert dealt.sum(1).tolist() == [1.0, 2.0]


@pytest.fixture(scope='module')
def reading():
    torch.manual_seed(0)
    questions = Questions(small_world())
    return questions, answer_model(questions, 'reasoning').eval()


def test_of_an_answer_only_its_words_and_the_first_end_mark_are_learned(reading):
    questions, net = reading
    task = ReadingTask(questions.world, right_answer(questions), steps=2)
    pairs = questions.draw(torch.arange(6), gen())
    prompts = [(scene, question) for scene, (question, _) in enumerate(pairs)]
    answers = task.answers(net, prompts, gen())
    given = net.given_words(pairs)
    assert not (answers.maskable & given).any() and not (answers.maskable & answers.hidden).any()
    assert (answers.maskable | answers.hidden | given).all()
    ends = (answers.ids == len(net.vocab)) & answers.maskable
    assert torch.equal(ends.any(1), answers.hidden.any(1)) and (ends.sum(1) <= 1).all()
    changed = answers._replace(ids=torch.where(answers.maskable, 0, answers.ids))
    full = task.log_probs(net, answers, answers.maskable)
    assert full.shape == answers.ids.shape and full.max() <= 0
    again = net.read_scores(*_pictures(net, questions, prompts), changed.ids, answers.maskable | answers.hidden)
    wanted = again.log_softmax(-1).gather(-1, net.text_target(answers.ids)[..., None])[..., 0]
    assert torch.allclose(full, wanted, atol=1e-5)


def _pictures(net, questions, prompts):
    return net.encode_pictures(questions.world.render(torch.tensor([p[0] for p in prompts]), 16))


# ---- rounds ----


@pytest.mark.parametrize('arm', ARMS)
def test_a_round_changes_the_model_and_not_its_reference(arm):
    net = build('mmada').eval()
    trainer = UniGRPO(net, WritingTask(lambda captions, images: images.mean((1, 2, 3)), steps=2), arm, 2, 4)
    before = [p.clone() for p in trainer.reference.parameters()]
    found = trainer.round(['a red circle', 'a blue cross'])
    assert set(found) == {'loss', 'kl', 'clipped', 'reward'} and all(math.isfinite(v) for v in found.values())
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.reference.parameters()))
    moved = [not torch.equal(a, b) for a, b in zip(before, net.parameters())]
    assert any(moved)


def test_equal_rewards_teach_nothing():
    net = build('mmada').eval()
    trainer = UniGRPO(net, WritingTask(lambda captions, images: torch.ones(len(images)), steps=2), group=4)
    before = [p.clone() for p in net.parameters()]
    trainer.round(['a red circle'])
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(before, net.parameters()))


def test_a_reward_is_learned():
    torch.manual_seed(0)
    net = build('mmada').eval()

    def reward(captions, images):  # few objects
        return -(net.pictures.encode(images) != net.n_codes - 1).float().mean((1, 2))

    trainer = UniGRPO(net, WritingTask(reward, steps=1), 'full', 2, 16, lr=1e-2, beta=0.0)
    course = trainer.fit(lambda generator: ['a red circle'], 12)
    assert course[-1]['reward'] > course[0]['reward'] + 0.1


def test_what_is_not_masked_is_refused():
    task = WritingTask(matches_caption(WORLD))
    with pytest.raises(ValueError, match='masked codes to write, not next_token'):
        UniGRPO(build('janus'), task)
    with pytest.raises(ValueError, match='masked words to read, not causal'):
        UniGRPO(build(Switches()), ReadingTask(WORLD, None))
    with pytest.raises(ValueError, match='arm must be'):
        UniGRPO(build('mmada'), task, 'half')
