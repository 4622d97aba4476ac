"The table of switches: what makes no sense is refused in one line, what nobody has published is not."

import itertools

import pytest
from support.unified import GIVEN, WORLD, build, pairs

from visual_token_diffusion.models.unified.sampling import read, write
from visual_token_diffusion.models.unified.switches import CHOICES, PRESETS, Switches, preset, switches_of


@pytest.mark.parametrize(
    'given,message',
    [
        (dict(picture_form='codes', picture_objective='flow'), 'codes pictures are learned by masked or next_token'),
        (dict(picture_form='continuous', picture_objective='masked'), 'regression or next_flow, not by masked'),
        (dict(picture_objective='next_token', attention='omni'), 'would see what it has to say'),
        (dict(attention='full'), 'a causal text would see its next word'),
        (dict(alignment='representation'), 'reading_encoder=separate'),
        (dict(noise_before_text=0.5), 'needs diffusion or flow'),
        (dict(text_weight=0, picture_weight=0), 'nor all zero'),
        (dict(picture_weight=-1), 'must not be negative'),
        (dict(drop_text=1), r'\[0,1\)'),
        (dict(order='text_first'), 'reading comes last and is seen with attention=full only'),
        (dict(order='picture_first'), 'writing comes last'),
        (dict(attention='omnii'), "did you mean 'omni'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(given, message):
    with pytest.raises(ValueError, match=message) as e:
        Switches(**given)
    assert '\n' not in str(e.value)


def test_an_unknown_preset_or_switch_is_named_with_a_near_one():
    with pytest.raises(ValueError, match="did you mean 'show_o'"):
        preset('showo')
    with pytest.raises(ValueError, match="did you mean 'attention'"):
        switches_of('show_o', atention='full')


def test_the_presets_say_what_was_published():
    assert set(PRESETS) == set('show_o mmada transfusion janus janus_pro janus_flow emu2 llada_o'.split())
    of = {name: p.switches for name, p in PRESETS.items()}
    assert of['transfusion'].picture_weight == 5 and of['transfusion'].picture_objective == 'diffusion'
    assert of['show_o'].attention == 'omni' and of['mmada'].attention == 'full'
    assert of['janus'].reading_encoder == 'separate' and of['janus_flow'].alignment == 'representation'
    assert of['llada_o'].attention == 'hidden_noise' and of['emu2'].picture_objective == 'regression'
    assert of['janus_pro'] == of['janus']
    # u + w(c-u): (1+s)c - s u with s = 1.5 is w = 2.5; wc - (w-1)u is w
    assert {n: PRESETS[n].guidance for n in ('show_o', 'mmada', 'janus', 'janus_flow')} == dict(
        show_o=2.5, mmada=2.5, janus=5.0, janus_flow=2.0
    )
    assert all('https://arxiv.org/abs/' in p.source and len(p.deviations) > 40 for p in PRESETS.values())


def every_combination():
    names = 'text_objective', 'picture_objective', 'attention', 'reading_encoder', 'order'
    for values in itertools.product(*(CHOICES[n] for n in names)):
        given = dict(zip(names, values))
        is_codes = given['picture_objective'] in ('masked', 'next_token')
        try:
            yield Switches(**given, picture_form='codes' if is_codes else 'continuous')
        except ValueError:
            continue


def test_every_combination_that_is_not_refused_learns_writes_and_reads():
    found = list(every_combination())
    assert len(found) > 50
    images, captions = pairs(2)
    for switches in found:
        model = build(switches, width=8, depth=1, heads=1)
        terms = model.losses(images, captions, GIVEN())
        assert set(terms) == {'picture', 'text'} and all(v.isfinite() for v in terms.values()), switches
        sum(terms.values()).backward()
        model.eval()
        if switches.reading_encoder == 'separate' and switches.order != 'both':
            continue
        assert write(model, captions[:1], 2, generator=GIVEN()).images.shape == (1, 3, 24, 24)
        assert len(read(model, images[:1], 2, generator=GIVEN())) == 1


def test_a_task_of_weight_zero_is_left_out():
    images, captions = pairs(2)
    assert set(build('show_o', text_weight=0.0).losses(images, captions)) == {'picture'}
    assert set(build('show_o', picture_weight=0.0).losses(images, captions)) == {'text'}
    one_order = switches_of('show_o', order='text_first', text_weight=0.0)
    assert set(build(one_order).losses(images, captions)) == {'picture'}
    assert len(WORLD) == 288
