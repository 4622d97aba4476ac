"Views of a model that lies on a GPU, as the stand-in device sees it."

import copy

import pytest
import torch

from support.html_tags import TagReader
from support.standin import DEVICE, stand_in_device
from visual_token_diffusion.viz.album import Album, probabilities
from visual_token_diffusion.viz.animation import animation_frames, animation_html
from visual_token_diffusion.viz.bench_view import bench_view
from visual_token_diffusion.viz.codebook_view import codebook_view
from visual_token_diffusion.viz.views import between_view, sentence_view, step_view
from visual_token_diffusion.viz.word_map import learned_features, map_view, word_map


def sentence(album):
    ids = album.vocab.encode('the cat sleeps')
    return sentence_view(album, 'the cat sleeps', probabilities(album.model, ids)).html


def between(album):
    return between_view(album, album.label(4), album.label(9)).html


def codebook(album):
    return codebook_view(album, *album.encoder.codes[5].tolist()).html


def bench(album):
    how = dict(sigma=0.1, occlusion=0.2, degrees=5, quality=50)
    return bench_view(album, 'the cat', **how).html


def step(album):
    steps = list(album.model.generate_steps(steps=4, length=12))
    return step_view(album, steps, 2).html


def animation(album):
    steps = album.model.generate_steps(steps=4, length=12)
    return animation_html(animation_frames(album.model, steps))


def word_places(album):
    return map_view(word_map(learned_features(album.model)), album.vocab).html


VIEWS = [sentence, between, codebook, bench, step, animation, word_places]


@pytest.mark.parametrize('view', VIEWS, ids=lambda f: f.__name__)
def test_views_of_a_model_on_a_device(album, view):
    if album.vocab.name != 'words':
        pytest.skip('one vocabulary is enough')
    here = view(album)
    with stand_in_device():
        model = copy.deepcopy(album.model).to(DEVICE)
        there = view(Album(model))
    assert TagReader(there).unclosed == [] and there == here
    assert isinstance(album.encoder.codes, torch.Tensor) and not album.device.type.startswith('priv')
