"Likelihoods that pass the audit, and wrong ones that do not."

import pytest
import torch
from support.unified import build

from visual_token_diffusion.experiments.unified.audit import (
    JOINT, audited, change_of_scores, leaking_model, likelihoods_of, plain_mean, random_model, tasks,
)
from visual_token_diffusion.models.unified.switches import PRESETS, preset


def test_every_likelihood_is_audited():
    keys = [key for key, _ in tasks()]
    assert len(keys) == len(set(keys)) == 15
    for name in PRESETS:
        assert f'{name}|caption' in keys
        assert (f'{name}|picture' in keys) == (preset(name).switches.picture_form == 'codes')
    assert likelihoods_of(JOINT) == dict(caption=True, picture=True, joint=True)
    assert likelihoods_of(preset('janus').switches) == dict(caption=False, picture=False)


@pytest.mark.parametrize('likelihood', likelihoods_of(JOINT))
def test_bounds_of_a_model_of_both_pass(likelihood):
    model = build(JOINT).eval()
    assert change_of_scores(model, likelihood) == 0
    found = audited(lambda cost, x, generator: model._likelihood(x, cost, True, generator))
    assert found['ok'] and abs(found['nats'] - found['entropy']) < 0.05


def test_the_chain_rule_passes_and_the_plain_mean_does_not():
    found = audited(lambda cost, x, generator: cost(None).sum(1))
    assert found['ok'] and abs(found['nats'] - found['entropy']) < 0.02
    wrong = audited(plain_mean)
    assert not wrong['ok'] and 'wrong schedule weight' in wrong['findings'][0]
    assert not audited(lambda cost, x, generator: 0.9 * cost(None).sum(1))['ok']


@pytest.mark.parametrize('name,likelihood', [('janus', 'caption'), ('janus', 'picture'), ('emu2', 'caption')])
def test_a_mask_that_lets_words_see_ahead_is_noticed(name, likelihood, monkeypatch):
    model = random_model(name)
    assert change_of_scores(model, likelihood) < 1e-5
    monkeypatch.setattr(model, 'modes', lambda task: ('whole', 'whole'))
    assert change_of_scores(model, likelihood) > 0.1
    assert change_of_scores(leaking_model(), likelihood) > 0.1


def test_a_model_that_is_shown_what_is_masked_is_noticed(monkeypatch):
    model = random_model('mmada')
    assert change_of_scores(model, 'picture') == 0
    write_out = model.write_out
    monkeypatch.setattr(model, 'write_out', lambda x, ids, mask: write_out(x, ids, mask & False))
    assert change_of_scores(model, 'picture') > 0.1
