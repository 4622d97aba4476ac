"Questions are given and not learned; caption and picture are written together by a bound on both."

import pytest
import torch
import torch.nn.functional as F
from support.unified import GIVEN, build, pairs

from visual_token_diffusion.models.unified.flow_head import FlowHead
from visual_token_diffusion.models.unified.sampling import write
from visual_token_diffusion.models.unified.switches import CHOICES, switches_of

ASKED = [('a red', 'circle in the middle'), ('a', 'small blue square')]


@pytest.mark.parametrize('name', ['show_o', 'mmada'])
def test_a_question_is_never_masked_and_costs_nothing(name):
    model = build(name).eval()
    images, _ = pairs(2)
    given = model.given_words(ASKED)
    assert given.sum(1).tolist() == [2, 1]
    ids = model.encode_captions(ASKED)
    assert torch.equal(ids, model.encode_captions([' '.join(pair) for pair in ASKED]))
    answer = model.caption_nll(images, ASKED, GIVEN())
    whole = model.caption_nll(images, [' '.join(pair) for pair in ASKED], GIVEN())
    assert (answer < whole).all()


def test_the_answer_costs_what_the_chain_rule_says():
    model = build('show_o').eval()
    images, _ = pairs(2)
    x, seen = model.encode_pictures(images)
    ids = model.encode_captions(ASKED)
    scores = model.read_scores(x, seen, ids).transpose(1, 2)
    cost = F.cross_entropy(scores, ids.clamp(max=len(model.vocab)), reduction='none')
    answers = [cost[0, 2:].sum(), cost[1, 1:].sum()]
    assert torch.allclose(model.caption_nll(images, ASKED), torch.stack(answers))


def test_masked_answers_are_bounded_by_every_number_of_masks_once():
    "With the answer costing log K everywhere, the bound is the number of its places times log K"
    model = build('mmada').eval()
    torch.nn.init.zeros_(model.text_head.weight)
    torch.nn.init.zeros_(model.text_head.bias)
    images, _ = pairs(2)
    places = (~model.given_words(ASKED)).sum(1)
    uniform = places * torch.tensor(float(len(model.vocab) + 1)).log()
    assert torch.allclose(model.caption_nll(images, ASKED), uniform)


def test_questions_do_not_ask_for_pictures():
    "A row with a question writes its picture without words"
    model = build('mmada', drop_text=0.0)
    images, _ = pairs(2)
    asked = model.losses(images, ASKED, GIVEN())
    blank = model.losses(images, None, GIVEN())
    assert torch.equal(asked['picture'], blank['picture'])
    assert 'text' in asked and 'text' not in blank


@pytest.mark.parametrize('changes', [dict(), dict(picture_form='continuous', picture_objective='flow')])
def test_both_are_learned_together(changes):
    model = build('mmada', joint_weight=1.0, **changes)
    images, captions = pairs(4)
    terms = model.losses(images, captions, GIVEN())
    assert terms['joint'].isfinite()
    terms['joint'].backward()
    assert model.text_head.weight.grad.abs().sum() and model.picture_head.weight.grad.abs().sum()
    assert 'joint' not in model.losses(images, None, GIVEN())


def test_the_bound_of_both_is_that_of_one_masked_sequence():
    "With uniform scores it is the bits of all words and codes; it is refused where it was not learned"
    model = build('mmada', joint_weight=1.0).eval()
    for head in (model.text_head, model.picture_head):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    images, captions = pairs(2)
    words, codes = float(len(model.vocab) + 1), float(model.n_codes)
    uniform = 9 * torch.tensor(words).log() + 9 * torch.tensor(codes).log()
    draws = torch.stack([model.joint_nll(images, captions, GIVEN(s)) for s in range(40)])
    assert torch.allclose(draws.mean(0), uniform.expand(2), rtol=0.01)
    with pytest.raises(ValueError, match='needs joint_weight'):
        build('mmada').joint_nll(images, captions)


def test_words_and_codes_see_what_is_left_of_the_other():
    model = build('mmada', joint_weight=1.0).eval()
    images, captions = pairs(1)
    x, _ = model.encode_pictures(images)
    ids = model.encode_captions(captions)
    hidden = torch.ones_like(ids, dtype=torch.bool)
    text, picture = model.joint_out(x, ids, ~hidden, ~hidden)
    assert not torch.allclose(text, model.joint_out(x, ids, ~hidden, hidden)[0])
    assert not torch.allclose(picture, model.joint_out(x, ids, hidden, ~hidden)[1])


@pytest.mark.parametrize('predict', ['x0', 'eps', 'v', 'flow'])
def test_a_noised_picture_can_be_predicted_in_any_form(predict):
    for name in ('transfusion', 'janus_flow'):
        model = build(name, predict=predict)
        assert model.process.predict == predict
        assert model.losses(*pairs(2), GIVEN())['picture'].isfinite()


def test_what_cannot_be_is_refused():
    for given in (dict(joint_weight=1.0), dict(predict='x0')):
        with pytest.raises(ValueError):
            switches_of('show_o', **given)


def test_the_flow_head_learns_a_distribution_of_two_points():
    "A mean would lie at 0; draws lie at both ends, in the shares of the data"
    torch.manual_seed(0)
    head = FlowHead(2, 16)
    generator = GIVEN()
    optimizer = torch.optim.Adam(head.parameters(), 1e-2)
    condition = torch.zeros(256, 1, 16)
    for _ in range(300):
        sign = (torch.rand(256, 1, 1, generator=generator) < 0.75) * 2.0 - 1
        loss = head.loss(condition, sign.expand(-1, -1, 2), generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    drawn = head.sample(torch.zeros(1000, 16), 30, generator)
    assert (drawn.abs() - 1).abs().mean() < 0.2
    assert 0.65 < (drawn[:, 0] > 0).double().mean() < 0.85


def test_places_are_drawn_from_a_flow_one_by_one():
    model = build('emu2', picture_objective='next_flow')
    images, captions = pairs(3)
    model.losses(images, captions, GIVEN())['picture'].backward()
    drawn = [write(model.eval(), captions, steps=3, generator=GIVEN(), cache=cache).images for cache in (True, False)]
    assert drawn[0].shape == images.shape
    assert torch.allclose(*drawn, atol=1e-4)


def test_the_reading_encoder_sees_a_picture_once_for_both_tasks():
    "One call where every row has a caption, two where one lacks it; alignment moves the encoder in neither"
    model, (images, captions) = build('janus_flow'), pairs(4)
    calls = []
    model.encoder.register_forward_hook(lambda *_: calls.append(1))
    for said, n in ((captions, 1), ([*captions[:3], None], 3)):
        terms = model.losses(images, said, GIVEN())
        assert len(calls) == n
        alone = torch.autograd.grad(terms['text'], model.encoder.proj.weight, retain_graph=True)[0]
        both = torch.autograd.grad(terms['text'] + terms['alignment'], model.encoder.proj.weight)[0]
        assert torch.equal(alone, both) and alone.abs().sum() > 0


def test_alignment_to_another_picture_is_another_loss():
    images, captions = pairs(3)
    found = [build('janus_flow', alignment=kind).losses(images, captions, GIVEN()) for kind in CHOICES['alignment'][1:]]
    assert torch.equal(found[0]['picture'], found[1]['picture'])
    assert not torch.equal(found[0]['alignment'], found[1]['alignment'])
