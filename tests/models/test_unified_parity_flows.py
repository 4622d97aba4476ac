"""Guidance, flows and what is fed back in the authors' code, written anew on small tensors, beside ours.

Read, not copied: the repositories that `test_unified_parity` names."""

import pytest
import torch
import torch.nn.functional as F
from support.unified import GIVEN, build, pairs

from visual_token_diffusion.diffusion.gaussian import RectifiedFlow
from visual_token_diffusion.diffusion.guidance import guide
from visual_token_diffusion.models.unified.sampling import _Guided, write
from visual_token_diffusion.models.unified.switches import PRESETS
from visual_token_diffusion.networks.time import TimeEmbedding
from visual_token_diffusion.samplers.ode import sample_euler

# ---- guidance ----


PUBLISHED = [
    ('show_o', lambda c, u: (1 + 1.5) * c - 1.5 * u),
    ('mmada', lambda c, u: (1 + 1.5) * c - 1.5 * u),
    ('janus', lambda c, u: u + 5 * (c - u)),
    ('janus_flow', lambda c, u: 2 * c - (2 - 1.0) * u),
]


@pytest.mark.parametrize('name,theirs', PUBLISHED)
def test_published_guidance_is_ours_with_the_weight_of_the_preset(name, theirs):
    model = build(name, drop_text=0.1).eval()
    weight = PRESETS[name].guidance
    c, u = torch.randn(2, 3, 9, 5, generator=GIVEN()).unbind(0)
    assert torch.allclose(guide(c, u, weight), theirs(c, u), atol=1e-5)
    guided = _Guided(model, model.encode_captions([None]), weight)
    assert torch.allclose(guided.mix([c, u]), theirs(c, u), atol=1e-5)


def test_janus_leaves_out_a_caption_by_padding_and_ours_by_ends():
    "In both the row keeps its length and its marks"
    model = build('janus')
    ids = model.encode_captions([None, 'a red circle'])
    assert (ids[0] == len(model.vocab)).all() and ids.shape[1] == model.text_length


# ---- JanusFlow, LLaDA-o, Transfusion: flows ----


def field(z, t):
    "Some velocity, data less noise, at the time `t` of JanusFlow, where 0 is noise"
    return torch.sin(3 * z) * (1 - t) + z.roll(1, 1) * t - 0.3


def test_janus_flow_steps_are_ours_backwards_in_time():
    "z + dt v from t=0, with v = data - noise; ours goes from t=1 to 0 with out = noise - data"
    z = torch.randn(5, 7, generator=GIVEN())
    process, steps = RectifiedFlow(), 30

    def denoise(x, t):
        return process.to_x0(-field(x, 1 - t[:, None].float()), x, t)

    *_, last = sample_euler(denoise, process, z, steps=steps)
    for step in range(steps):
        z = z + field(z, torch.full((5, 1), step / steps)) / steps
    assert torch.allclose(last.x, z, atol=1e-4)


def test_the_flow_target_is_noise_less_data():
    "LLaDA-o: (1-t) x + t noise and noise - x; JanusFlow and lucidrains with the sign and the time turned round"
    x, t = torch.randn(4, 9, 3, generator=GIVEN()), torch.rand(4, generator=GIVEN(1))
    noisy = RectifiedFlow().corrupt(x, t, generator=GIVEN(2))
    s, noise = t[:, None, None], noisy.noise
    assert torch.allclose(noisy.x_t, (1 - s) * x + s * noise, atol=1e-6)
    turned = 1 - s  # their time
    assert torch.allclose(noisy.x_t, turned * x + (1 - turned) * noise, atol=1e-6)
    out = torch.randn(4, 9, 3, generator=GIVEN(3))
    ours = RectifiedFlow().loss(out, x, noisy, t).mean()
    assert torch.allclose(ours, F.mse_loss(-out, x - noise), atol=1e-6)
    per_place = (out - (noise - x)).square().mean(-1)  # LLaDA-o: mean over numbers, sum over places over their count
    assert torch.allclose(ours, per_place.sum() / per_place.numel(), atol=1e-6)


def test_times_turn_as_fast_as_with_a_thousand():
    "diffusers: 1000 t times 10000^(-i/half), so 1000 to .1 radians a unit; ours has 1 to 1000, a narrower band"
    half = 16
    theirs = 1000 * 10000.0 ** -(torch.arange(half) / half)
    ours = TimeEmbedding(2 * half).freq
    assert torch.allclose(ours.max(), theirs.max())
    assert theirs.min() < 0.2 and abs(ours.min() - 1) < 1e-6
    t = torch.rand(5, generator=GIVEN())
    found = TimeEmbedding(2 * half).sinusoids(t)[:, [half - 1, -1]]
    fastest = torch.stack([(1000 * t).cos(), (1000 * t).sin()], -1)
    assert torch.allclose(found, fastest, atol=1e-4)


def test_transfusion_weight_is_for_pictures_and_lucidrains_for_tokens():
    """The paper: mean over words plus 5 times mean over pictures, ours. lucidrains: both means times their share of
    all tokens, weights 1. A weight of places over words brings ours there, so lambda changes with the lengths"""
    model = build('transfusion', drop_text=0.0, noise_before_text=0.0)
    images, captions = pairs(4)
    terms = model.losses(images, captions, GIVEN())
    words, places = model.text_length, model.n_places
    text, flow = terms['text'], terms['picture'] / 5
    theirs = (text * words + flow * places) / (words + places)
    ours = text + places / words * flow
    assert torch.allclose(theirs * (words + places) / words, ours)
    assert model.switches.picture_weight == 5


# ---- Emu2 ----


def test_emu2_feeds_back_what_it_predicts_place_by_place():
    "The hidden state at the begin mark says place 0, that of place i-1 says place i; all is computed anew each time"
    model = build('emu2').eval()
    ids = model.encode_captions(['a red circle'])
    text = model.text_part(ids, 'causal').vectors
    said = torch.zeros(1, 0, model.codes_shape[1])
    with torch.no_grad():
        for i in range(model.n_places):
            begin = model.picture_begin(1, 'causal').vectors
            up = model.picture_in(said) + model.picture_place[1 : 1 + i]
            h = model.backbone(torch.cat([text, begin, up], 1), 'causal')
            said = torch.cat([said, model.picture_head(h[:, -1:])], 1)
    assert torch.allclose(model.to_pictures(said), write(model, ['a red circle']).images, atol=1e-5)


def test_emu2_regresses_the_mean_of_all_numbers():
    model = build('emu2', text_weight=0.0, drop_text=0.0)
    images, captions = pairs(4)
    x, _ = model.encode_pictures(images)
    out = model.write_out(x, model.encode_captions(captions))
    theirs = (out - x).square().sum() / x.numel()
    assert torch.allclose(model.losses(images, captions)['picture'], theirs)
