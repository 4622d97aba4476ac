"From a prompt to a text: what stands at the start, what is refused, and what chance decides."

import pytest
import torch
from support.parts import shaken

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.text.vocab import make_vocab

TEXT = 'the cat sees the dog .\na dog finds the red berry .\n' * 40
VOCAB = make_vocab('words', TEXT)
SMALL = ['width=32', 'depth=2', 'heads=2', 'length=16', 'feature_dim=12']


def model(**options):
    torch.manual_seed(0)
    overrides = SMALL + [f'{k}={v}' for k, v in options.items()]
    made = build_model(VOCAB, torch.tensor(VOCAB.encode(TEXT)), load_settings('ci', overrides))
    return shaken(made).eval()


def test_prompts_stand_at_the_start_and_are_not_masked():
    ids, mask = model().prompt_ids(['the cat', ''], length=4)
    assert ids.tolist() == [VOCAB.encode('the cat') + [0, 0], [0] * 4]
    assert mask.tolist() == [[False, False, True, True], [True] * 4]
    assert model().prompt_ids([''])[0].shape == (1, 16), 'as long as the model'


def test_one_seed_is_one_text_and_cold_ones_do_not_depend_on_it():
    m = model()
    assert m.generate('the cat', n=2, seed=3, steps=8) == m.generate('the cat', n=2, seed=3, steps=8)
    options = dict(length=8, steps=8, order='left_to_right', temperature=0.0)
    assert m.generate(seed=0, **options) == m.generate(seed=1, **options)
    assert m.generate(seed=0) != m.generate(seed=1)


def test_a_token_is_masked_while_any_of_its_codes_is():
    "Steps of a process of codes come as steps of tokens"
    steps = list(model(process='partial').generate_steps('the cat', steps=9, length=5))
    assert all(s.x.shape == s.mask.shape == (1, 5) for s in steps)
    counts = [int(s.mask.sum()) for s in steps]
    assert counts[0] == 3 and counts[-1] == 0 and counts == sorted(counts, reverse=True)


BAD = [
    (dict(temperature=-1.0), 'must not be negative'),
    (dict(temperature=float('nan')), 'must not be negative'),
    (dict(n=0), 'at least 1'),
    (dict(n=10**9), 'GiB are free; write fewer'),
    (dict(prompt=['the cat', 'a dog'], n=10**9), 'GiB are free; write fewer'),
    (dict(prompt=' '.join(['the cat'] * 9)), 'leaves no room'),
    (dict(prompt='the zebra'), 'zebra'),
]


@pytest.mark.parametrize('options,why', BAD, ids=[why for _, why in BAD])
def test_what_cannot_be_written_is_refused_in_one_line(options, why):
    with pytest.raises(ValueError, match=why) as e:
        model().generate(**options)
    assert '\n' not in str(e.value)


def test_training_goes_on_after_writing():
    m = model().train()
    list(m.generate_steps(steps=2))
    assert m.training


def turns(made, length=8, **options):
    "For every place the step that wrote it first"
    steps = list(made.generate_steps(length=length, **options))
    changed = torch.stack([step.changed[0] & ~step.mask[0] for step in steps[1:]])
    return changed.long().argmax(0).tolist()


def test_a_masked_model_writes_together_what_stands_far_apart():
    "Unless another order is asked for; with a call for every token that is from left to right"
    masked = model()
    assert turns(masked, steps=4) == [0, 1, 2, 3] * 2
    assert turns(masked, steps=1) == [0] * 8
    assert turns(masked, steps=99) == list(range(8))
    assert turns(masked, steps=4, block=4) == [0, 1, 0, 1, 2, 3, 2, 3]
    assert turns(masked, steps=4, counts='even') == turns(masked, steps=4)
    assert turns(masked, steps=4, order='random') != turns(masked, steps=4)


@pytest.mark.parametrize('plan', [dict(remask=True), dict(counts='cosine')], ids=str)
def test_where_far_apart_does_not_help_chance_decides(plan):
    "What is masked again; and calls of growing size, which would take in neighbors"
    options = dict(n=3, seed=2, steps=4) | plan
    assert model().generate(**options) == model().generate(order='random', **options)
    assert model().generate(**options) != model().generate(order='dilated', **options)


def test_blocks_are_written_far_apart_and_other_samplers_keep_their_own_order():
    assert turns(model(process='block'), 16, steps=8) == [0, 1, 2, 3] * 2 + [4, 5, 6, 7] * 2
    for process, why in (('partial', "no option 'order'"), ('autoregressive', 'leave out order')):
        made = model(process=process)
        assert made.generate(length=8, steps=4)
        with pytest.raises(ValueError, match=why):
            made.generate(length=8, steps=4, order='random')


def test_a_sampler_that_is_named_has_its_published_order():
    options = dict(n=3, seed=4, steps=4)
    assert model().generate(sampler='masked', **options) == model().generate(order='random', **options)
    assert model().generate(sampler='masked,order=dilated', **options) == model().generate(**options)
