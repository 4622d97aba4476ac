"What the table of the unified model measures, at a size that trains in no time."

import math

import pytest
import torch
from support.unified import WORLD, build, pictures

from visual_token_diffusion.experiments.unified.measures import (
    all_pairs, answering, excess, network_calls, reading, some_pairs, trivial, writing,
)
from visual_token_diffusion.experiments.unified.table import ARMS
from visual_token_diffusion.models.unified import sampling
from visual_token_diffusion.models.unified.switches import PRESETS


def test_all_pairs_have_the_entropies_of_the_world():
    ids, captions, p = all_pairs(WORLD)
    assert len(ids) == 1152 and len(set(captions)) == 480 and abs(float(p.sum()) - 1) < 1e-9
    assert abs(float(-(p * p.log2()).sum()) - (8.170 + 2.000)) < 1e-3


def test_a_blind_uniform_model_has_the_excess_of_its_alphabet():
    model = build('janus').eval()
    for head in (model.picture_head, model.text_head):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    found = excess(model, WORLD)
    assert abs(found['caption'] - (9 * math.log2(22) - 2.0)) < 1e-3
    assert abs(found['picture'] - (9 * math.log2(33) - WORLD.entropies()['scene given caption'])) < 1e-3


def test_perfect_pictures_and_captions_count_as_perfect(monkeypatch):
    model = build('show_o').eval()

    def paint(model, captions, *_):
        ids = torch.tensor([next(iter(WORLD.scenes_for(text))) for text in captions])
        return sampling.WrittenPictures(WORLD.render(ids, 24))

    def say(model, images, **_):
        return [next(iter(WORLD.captions(i))) for i in WORLD.parse(images).ids.tolist()]

    table = 'visual_token_diffusion.experiments.unified.measures'
    monkeypatch.setattr(f'{table}.write', paint)
    monkeypatch.setattr(f'{table}.read', say)
    found = writing(model, WORLD)
    assert found['match'] == found['valid'] == 1 and found['cover'] <= 288
    assert reading(model, WORLD) == 1


def test_trivial_predictors_and_arms():
    blind = trivial(WORLD)
    assert abs(blind['excess'] - 6.085) < 1e-3 and abs(blind['match'] - 7.5 / 288) < 1e-9
    assert abs(blind['free_cell'] - math.log2(9)) < 1e-9 and 248 < blind['cover'] < 250
    assert set(ARMS) == set(PRESETS) - {'janus_pro'}
    assert network_calls(build('mmada')) == dict(picture=9, caption=9)


@pytest.mark.parametrize('form', ['codes', 'continuous'])
def test_pictures_come_back(form):
    tokenizer = pictures(form)
    images = WORLD.render(torch.arange(288), 24)
    assert torch.equal(WORLD.parse(tokenizer.decode(tokenizer.encode(images))).ids, torch.arange(288))
