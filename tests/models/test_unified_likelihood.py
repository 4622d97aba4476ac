"Likelihoods of the unified model are exact or bounds, and nothing sees what it must not."

import pytest
import torch
import torch.nn.functional as F
from support.unified import GIVEN, WORLD, build, pairs

from visual_token_diffusion.metrics.bound_audit import audit
from visual_token_diffusion.models.unified.switches import PRESETS, switches_of


def test_a_causal_caption_has_its_exact_likelihood():
    "Over all words and end marks at one place, given those before, probabilities sum to one"
    model = build('show_o').eval()
    images, _ = pairs(1)
    x, seen = model.encode_pictures(images)
    ids = model.encode_captions(['a red circle'])
    steps = []
    for i in range(9):
        scores = model.read_scores(x, seen, ids)[0, i]
        other = ids.clone()
        other[:, i:] = 3  # what stands at and after a place must not count
        assert torch.allclose(scores, model.read_scores(x, seen, other)[0, i], atol=1e-6)
        steps.append(scores.log_softmax(-1)[ids[0, i]])
    assert torch.allclose(model.caption_nll(images, ['a red circle']), -sum(steps), atol=1e-5)


@pytest.mark.parametrize('name', [n for n, p in PRESETS.items() if p.switches.is_sequential])
def test_a_picture_written_place_by_place_does_not_see_ahead(name):
    model = build(name).eval()
    images, captions = pairs(2)
    x, _ = model.encode_pictures(images)
    ids = model.encode_captions(captions)
    out = model.write_out(x, ids)
    other = x.clone()
    other[:, 5:] = 0
    assert torch.allclose(out[:, :6], model.write_out(other, ids)[:, :6], atol=1e-6)
    assert not torch.allclose(out[:, 6:], model.write_out(other, ids)[:, 6:])


def test_the_bound_of_masked_codes_is_the_mean_over_all_masks():
    "With three words left all masks can be listed"
    model = build('mmada', drop_text=0.0).eval()
    images, captions = pairs(2)
    bound = sum(model.picture_nll(captions, images, GIVEN(s)) for s in range(20)) / 20
    x, _ = model.encode_pictures(images)
    ids = model.encode_captions(captions)
    total = torch.zeros(2)
    for n in range(1, 10):
        costs = []
        for s in range(30):
            mask = torch.rand(2, 9, generator=GIVEN(100 * n + s)).argsort(-1).argsort(-1) < n
            cost = F.cross_entropy(model.write_out(x, ids, mask).transpose(1, 2), x, reduction='none')
            costs.append((cost * mask).sum(1) * 9 / n)
        total += torch.stack(costs).mean(0) / 9
    assert torch.allclose(bound, total, rtol=0.02)
    assert build('transfusion').picture_nll(captions, images) is None


def test_reading_and_writing_see_what_is_given():
    images, captions = pairs(2)
    for name in PRESETS:
        model = build(name).eval()
        a = model.caption_nll(images, captions)
        assert not torch.allclose(a, model.caption_nll(images.flip(0), captions), atol=1e-7), name


def test_hidden_noise_is_seen_by_nobody_else():
    "With a noised copy before the clean picture, words do not see the noise"
    switches = switches_of('llada_o', reading_encoder='shared', noise_before_text=1.0)
    model = build(switches).eval()
    images, captions = pairs(2)
    x, seen = model.encode_pictures(images)
    hidden = []
    for seed in (0, 1):
        parts, *_ = model._given(x, seen, GIVEN(seed))
        assert [p.kind for p in parts] == ['noise', 'full']
        hidden.append(said(model, parts, captions))
    assert torch.allclose(*hidden, atol=1e-6)
    visible = build(switches, attention='omni').eval()
    seen_noise = [said(visible, visible._given(x, seen, GIVEN(seed))[0], captions) for seed in (0, 1)]
    assert not torch.allclose(*seen_noise)


def said(model, parts, captions):
    "Hidden states of the captions after the parts"
    text = model.text_part(model.encode_captions(captions), 'causal')
    return model._read_hidden(parts, text)[0]


def test_the_bound_passes_the_audit_with_a_perfect_denoiser():
    model = build('mmada')

    def estimate(denoiser, x, generator):
        denoiser.eval()

        def cost(mask):
            return -denoiser(x, mask).gather(-1, x[..., None])[..., 0]

        return model._likelihood(x, cost, True, generator)

    result = audit(estimate, rows=256, reps=8)
    assert result.ok, result


def test_all_captions_of_a_picture_have_at_most_the_probability_one():
    captions = sorted({text for i in range(288) for text in WORLD.captions(i)})
    image = WORLD.render(torch.tensor([7]), 24)
    for name in ('show_o', 'mmada'):
        nll = build(name).eval().caption_nll(image.expand(480, -1, -1, -1), captions)
        assert (-nll).exp().sum() <= 1
