"What is written and read: the right modality, exact draws, guidance, and one seed for one result."

import pytest
import torch
from support.unified import GIVEN, build, pairs

from visual_token_diffusion.diffusion.guidance import guide
from visual_token_diffusion.models.unified.sampling import _Guided, read, write
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


def test_temperature_zero_takes_the_likeliest():
    model = build('janus').eval()
    images, _ = pairs(2)
    assert read(model, images, temperature=0) == read(model, images, temperature=0)
    once, again = (write(model, CAPTIONS, temperature=0).codes for _ in range(2))
    assert torch.equal(once, again)
