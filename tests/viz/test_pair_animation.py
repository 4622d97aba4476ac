"Captions and pictures that appear together: frames, their pictures, and the animation."

import json
import re

import pytest
import torch
from support.unified import WORLD, build

from visual_token_diffusion.models.unified.sampling import write_both
from visual_token_diffusion.viz.pair_animation import (
    pair_animation,
    pair_frames,
    pair_images,
    pair_picture,
    shown_words,
    square_side,
)

CONTINUOUS = dict(picture_form='continuous', picture_objective='flow', predict='x0')


def built(what, **changes):
    return build(what, width=32, depth=2, heads=2, **changes).eval()


@pytest.fixture(scope='module')
def masked():
    return built('mmada', joint_weight=1.0)


@pytest.fixture(scope='module')
def continuous():
    return built('mmada', joint_weight=1.0, **CONTINUOUS)


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def pair():
    i = int(WORLD.sample(1, gen()))
    return WORLD.render([i], 24)[0], WORLD.caption(i, gen())


def test_frames_begin_with_nothing_and_end_with_all(masked):
    states = list(write_both(masked, 2, 0, gen()))
    frames = pair_frames(masked, states, 1)
    assert len(frames) == len(states)
    assert frames[0].words == ['▢'] * masked.text_length and frames[0].n_masked == masked.n_places
    assert '▢' not in frames[-1].words and frames[-1].n_masked == 0
    open_places = [frame.words.count('▢') + frame.n_masked for frame in frames]
    assert open_places == sorted(open_places, reverse=True)
    times = [frame.t for frame in frames]
    assert times == sorted(times, reverse=True) and times[0] == 1 and times[-1] == 0
    sizes = {image.size for image in pair_images(frames)}
    assert len(sizes) == 1


def test_what_stands_stays(masked):
    frames = pair_frames(masked, write_both(masked, 1, 0, gen(3)))
    for old, new in zip(frames, frames[1:]):
        assert all(a in ('▢', b) for a, b in zip(old.words, new.words))


def test_pictures_are_hatched_where_masked(masked):
    x = masked.encode_pictures(pair()[0][None])[0][0]
    mask = torch.zeros(9, dtype=torch.bool)
    whole = torch.tensor(list(pair_picture(masked, x).getdata()))
    assert torch.equal(whole, torch.tensor(list(pair_picture(masked, x, mask).getdata())))
    mask[4] = True
    image = pair_picture(masked, x, mask, scale=2)
    pixels = torch.tensor(list(image.getdata())).view(48, 48, 3)
    clean = torch.tensor(list(pair_picture(masked, x, scale=2).getdata())).view(48, 48, 3)
    differs = (pixels != clean).any(-1)
    assert differs[16:32, 16:32].all() and differs.sum() == 16 * 16


def test_animations(masked, continuous):
    for model, steps in ((masked, 0), (continuous, 5)):
        found = pair_animation(model, 2, steps, seed=1)
        data = json.loads(re.search(r'application/json">(.*?)</script>', found.html)[1])
        assert data['length'] == 2 and len(data['frames']) == len(list(write_both(model, 2, steps, gen(1))))
        assert data['words'][data['frames'][0]['changes'][0][1]] == ' '.join('▢' * model.text_length)
        assert '▢' not in found.text and len(found.text.splitlines()) == 2
        assert found.html == pair_animation(model, 2, steps, seed=1).html  # one seed, one film
    frames = pair_frames(continuous, write_both(continuous, 1, 5, gen()))
    assert {frame.n_masked for frame in frames} == {None}


def test_words(masked):
    caption = pair()[1]
    words = shown_words(masked, masked.encode_captions([caption])[0])
    assert ' '.join(words).replace(' ·', '') == caption


def test_bad_input(masked):
    for call, said in (
        (lambda: pair_animation(masked, 0), 'at least 1'),
        (lambda: pair_frames(masked, []), 'no states'),
        (lambda: pair_frames(masked, write_both(masked, 1, 2, gen()), 1), 'row 1'),
        (lambda: square_side(5), 'no square'),
    ):
        with pytest.raises(ValueError, match=said) as e:
            call()
        assert '\n' not in str(e.value)
