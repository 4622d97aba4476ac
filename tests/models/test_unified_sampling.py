"What is written and read: the right modality, exact draws, guidance, and one seed for one result."

import itertools
import math

import pytest
import torch
from support.unified import GIVEN, build, pairs

from visual_token_diffusion.diffusion.guidance import guide
from visual_token_diffusion.models.unified.sampling import _Guided, read, write, write_both
from visual_token_diffusion.models.unified.switches import PRESETS

CAPTIONS = ['a red circle', 'a small blue cross in the middle', None]


@pytest.mark.parametrize('name', PRESETS)
def test_every_preset_writes_and_reads_and_one_seed_gives_one_result(name):
    model = build(name).eval()
    images, _ = pairs(2)
    a, b = (write(model, CAPTIONS, 4, guidance=2.0, generator=GIVEN()) for _ in range(2))
    assert a.images.shape == (3, 3, 24, 24) and torch.equal(a.images, b.images)
    assert a.images.min() >= 0 and a.images.max() <= 1
    assert (a.codes is None) == (model.switches.picture_form == 'continuous')
    said = read(model, images, 3, generator=GIVEN())
    assert said == read(model, images, 3, generator=GIVEN())
    assert all(word in model.vocab.index for text in said for word in text.split())


def test_next_token_codes_have_the_probability_that_the_model_says():
    model = build('janus').eval()
    codes = write(model, [None] * 3000, generator=GIVEN()).codes[..., 0]
    scores = model.write_out(torch.zeros(1, 9, dtype=torch.long), model.encode_captions([None]))
    first = scores[0, 0].softmax(-1)
    shares = codes[:, 0].bincount(minlength=33) / 3000
    assert (shares - first).abs().max() < 0.02


def test_guidance_is_u_plus_w_times_c_less_u():
    for name in ('show_o', 'janus_flow'):
        model = build(name).eval()
        x, _ = model.encode_pictures(pairs(2)[0])
        ids = model.encode_captions(CAPTIONS[:2])
        t = torch.full((2,), 0.5)
        args = (None, t) if name == 'janus_flow' else (None, None)
        c = model.write_out(x, ids, *args)
        u = model.write_out(x, model.encode_captions([None, None]), *args)
        assert torch.allclose(_Guided(model, ids, 3.0)(x, *args), guide(c, u, 3.0), atol=1e-5)
        assert torch.equal(_Guided(model, ids, 0.0)(x, *args), u)
        assert torch.equal(_Guided(model, ids, 1.0)(x, *args), c)
        # the forms in the published code: (1+s)c - s u, and w c - (w-1) u
        assert torch.allclose(guide(c, u, 2.5), 2.5 * c - 1.5 * u, atol=1e-4)


def test_guidance_is_refused_where_no_caption_was_left_out():
    model = build('show_o', drop_text=0.0).eval()
    with pytest.raises(ValueError, match='some captions left out; its drop_text is 0'):
        write(model, CAPTIONS, guidance=2.0)
    write(model, CAPTIONS, 2, guidance=1.0)
    with pytest.raises(ValueError, match='at least 0, got -1'):
        write(build('show_o'), CAPTIONS, guidance=-1.0)
    with pytest.raises(ValueError, match='reading has no guidance'):
        read(build('show_o'), pairs(1)[0], guidance=2.0)
    with pytest.raises(ValueError, match='steps must not be negative'):
        write(build('show_o'), CAPTIONS, -1)


def test_calls_that_make_no_sense_are_refused():
    model, (images, _) = build('janus'), pairs(1)
    for call, said in (
        (lambda: write(model, []), 'there are no captions'),
        (lambda: read(model, images[:0]), 'there are no pictures'),
        (lambda: read(model, images, 1.5), 'a whole number, got 1.5'),
        (lambda: write(model, CAPTIONS, temperature=-1.0), 'temperature must not be negative, got -1.0'),
        (lambda: write(model, 'a red circle'), 'got one string'),
        (lambda: model.losses(images, 'a red circle'), 'got one string'),
        (lambda: model.losses(torch.full((1, 9, 1), 33), [None]), 'code 33 at place 0 of picture 0 is not below 33'),
    ):
        with pytest.raises(ValueError, match=said) as e:
            call()
        assert '\n' not in str(e.value)


def test_temperature_zero_takes_the_likeliest():
    model = build('janus').eval()
    images, _ = pairs(2)
    assert read(model, images, temperature=0) == read(model, images, temperature=0)
    once, again = (write(model, CAPTIONS, temperature=0).codes for _ in range(2))
    assert torch.equal(once, again)

# ---- questions ----


def test_answers_are_what_follows_the_question():
    images, _ = pairs(3)
    prompts = ['a red', None, 'a small blue cross']
    for name in ('show_o', 'mmada', 'janus', 'llada_o'):
        model = build(name).eval()
        said = read(model, images, prompts=prompts, generator=GIVEN())
        assert len(said) == 3 and said == read(model, images, prompts=prompts, generator=GIVEN())
        lengths = [len(text.split()) for text in said]
        assert all(n <= model.text_length - k for n, k in zip(lengths, (2, 0, 4))), (name, said)


@pytest.mark.parametrize('name', ['show_o', 'mmada'])
def test_the_question_stands_as_it_was_given(name):
    "The likeliest answer of one word is the argmax of the scores after the question"
    model = build(name).eval()
    images, _ = pairs(2)
    prompts = ['a red circle at the bottom left', 'a blue circle at the top left']  # all but the end: 2 places left
    x, seen = model.encode_pictures(images)
    pairs_ = [(text, '') for text in prompts]
    ids, given = model.encode_captions(pairs_), model.given_words(pairs_)
    assert (~given).sum(1).tolist() == [2, 2]
    options = dict(order='left_to_right') if name == 'mmada' else {}
    said = read(model, images, prompts=prompts, temperature=0, **options)
    scores = model.read_scores(x, seen, ids, ~given if name == 'mmada' else None)
    first = model.decode_captions(scores[:, 7:8].argmax(-1))
    assert [text.split()[:1] for text in said] == [text.split() for text in first]


def test_questions_that_do_not_fit_are_refused():
    model, (images, _) = build('show_o'), pairs(2)
    with pytest.raises(ValueError, match='list of questions, got one string'):
        read(model, images, prompts='what is it')
    with pytest.raises(ValueError, match='2 pictures need as many prompts'):
        read(model, images, prompts=['a'])
    with pytest.raises(ValueError, match='has 12 words'):
        read(model, images, prompts=['a red circle ' * 4, None])


# ---- both from nothing ----

TOGETHER = [
    dict(),
    dict(picture_form='continuous', picture_objective='flow'),
    dict(picture_form='continuous', picture_objective='diffusion'),
]


def together(**changes):
    return build('mmada', joint_weight=1.0, **changes).eval()


@pytest.mark.parametrize('changes', TOGETHER)
def test_caption_and_picture_appear_together(changes):
    model = together(**changes)
    states, again = (list(write_both(model, 2, 6, GIVEN())) for _ in range(2))
    assert len(states) == 7 and states[0].text_mask.all() and not states[-1].text_mask.any()
    assert states[-1].t == 0 and states[0].pred is None
    assert all(torch.equal(a.ids, b.ids) and torch.equal(a.x, b.x) for a, b in zip(states, again))
    for before, after in zip(states, states[1:]):
        assert after.t < before.t and not (after.text_mask & ~before.text_mask).any()
        kept = ~before.text_mask
        assert torch.equal(before.ids[kept], after.ids[kept])
        if after.mask is not None:
            assert (after.mask.sum(1) == math.ceil(9 * after.t - 1e-9)).all()
            assert torch.equal(before.x[~before.mask], after.x[~before.mask])
            assert (after.text_mask.sum(1) == math.floor(9 * after.t + 1e-9)).all()
        else:
            assert (after.text_mask.sum(1) == math.ceil(9 * after.t)).all()
    assert model.to_pictures(states[-1].x).shape == (2, 3, 24, 24)
    assert (states[-1].ids <= len(model.vocab)).all()


def test_a_step_for_each_word_and_code_unmasks_one_at_a_time():
    states = list(write_both(together(), 3, generator=GIVEN()))
    left = [int(s.text_mask[0].sum() + s.mask[0].sum()) for s in states]
    assert left == list(range(18, -1, -1))


def test_what_is_surest_first_differs_from_random():
    model = together()
    ids = [list(write_both(model, 2, 9, GIVEN(), 0.0, order))[4].text_mask for order in ('random', 'confidence')]
    assert not torch.equal(*ids)
    likeliest = [list(write_both(model, 1, 9, GIVEN(s), 0.0, 'confidence'))[-1] for s in (0, 1)]
    assert torch.equal(likeliest[0].ids, likeliest[1].ids) and torch.equal(likeliest[0].x, likeliest[1].x)


def test_what_is_drawn_together_has_the_probability_that_the_model_says():
    "The first thing drawn, alone, from scores that see nothing"
    model = together()
    _, states = itertools.islice(write_both(model, 4000, generator=GIVEN()), 2)
    first = ~states.text_mask
    assert (first.sum(1) == 1).all() and states.mask.all()
    everything = torch.ones(1, 9, dtype=torch.bool)
    scores, _ = model.joint_out(states.x[:1], states.ids[:1], everything, everything)
    expected = scores[0].softmax(-1).mean(0)
    shares = states.ids[first].bincount(minlength=len(expected)) / 4000
    assert (shares - expected).abs().max() < 0.03


def test_gradients_are_on_between_the_steps():
    for state in write_both(together(), 1, 2, GIVEN()):
        assert torch.is_grad_enabled() and not state.x.requires_grad


def test_both_are_refused_where_they_were_not_learned():
    with pytest.raises(ValueError, match='sampled jointly by a model with joint_weight'):
        list(write_both(build('mmada'), 1))
    with pytest.raises(ValueError, match='n must be at least 1'):
        list(write_both(together(), 0))
    with pytest.raises(ValueError, match="got 1, 2, 1.0, 'best'"):
        list(write_both(together(), 1, 2, order='best'))
