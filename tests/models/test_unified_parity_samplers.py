"""How the authors' released functions sample and reduce, written anew on small tensors, beside ours.

The functions themselves were run on the same tensors, with the same result; nothing of them is copied:
showlab/Show-o 45a5a2d, Gen-Verse/MMaDA 3cdb870, deepseek-ai/Janus 1daa72f, ML-GSAI/LLaDA-o c4acef8."""

import math

import pytest
import torch
from support.unified import GIVEN, build

import visual_token_diffusion.samplers.masked as masked_sampler
from visual_token_diffusion.models.unified.objectives import masked_bound
from visual_token_diffusion.models.unified.sampling import write
from visual_token_diffusion.samplers.masked import sample_masked

MASKED = -1

# ---- Show-o, MMaDA: masked codes of a picture ----


def network(places, codes, seed=0):
    "Scores (B,places,codes) that depend on all of what is seen and on all that is masked"
    table = torch.randn(places, codes + 1, places, codes, generator=GIVEN(seed), dtype=torch.double) / 2

    def scores(ids):
        seen = [table[place, ids[:, place]] for place in range(places)]  # -1 is the row of the mask
        return torch.stack(seen).sum(0)

    return scores


def drawn_from(probs, uniform):
    "The class at which the cumulative probability passes a uniform number"
    return (probs.cumsum(-1) < uniform[..., None]).sum(-1).clamp(max=probs.shape[-1] - 1)


def released(scores, uniform, noise, temperature, decays_twice):
    "Draw all, keep the most confident, at least one more in each step, at least one masked until the last"
    steps, batch, places = uniform.shape
    ids = torch.full((batch, places), MASKED)
    now = temperature
    for i in range(steps):
        probs, is_masked = scores(ids).softmax(-1), ids == MASKED
        drawn = torch.where(is_masked, drawn_from(probs, uniform[i]), ids)
        own = probs.gather(-1, drawn[..., None])[..., 0].log()
        now = (now if decays_twice else temperature) * (1 - (i + 1) / steps)
        confidence = torch.where(is_masked, own, torch.full_like(own, 1e9)) + now * noise[i]
        left = math.floor(places * math.cos(math.pi / 2 * (i + 1) / steps))
        left = torch.minimum(is_masked.sum(1) - 1, torch.tensor(left)).clamp(min=1)
        cut = confidence.sort(-1).values.gather(1, left[:, None])
        ids = torch.where(confidence < cut, MASKED, drawn)
    return drawn


def ours(scores, uniform, noise, temperature, monkeypatch):
    "`sample_masked` with the same numbers in place of random ones"
    steps, batch, places = uniform.shape
    rows, noises = iter(uniform), iter(noise)
    monkeypatch.setattr(masked_sampler, 'gumbel_noise', lambda shape, generator: next(noises))

    def denoise(x, mask, where):
        log_probs = scores(torch.where(mask, MASKED, x)).log_softmax(-1)
        drawn = drawn_from(log_probs.exp(), next(rows))
        return drawn[where], log_probs.gather(-1, drawn[..., None])[..., 0][where]

    start = torch.zeros(batch, places, dtype=torch.long)
    how = dict(order='confidence', counts='cosine', noise=temperature)
    *_, last = sample_masked(denoise, None, start, steps=steps, **how)
    return last.x


PICTURES = [(9, 5, 0.0), (9, 5, 1.0), (31, 12, 1.0), (31, 18, 2.0)]


@pytest.mark.parametrize('places,steps,temperature', PICTURES)
def test_show_o_and_mmada_draw_pictures_as_ours_but_for_the_temperature(places, steps, temperature, monkeypatch):
    "Equal code for code where the temperature decays once; decaying twice, as released, other codes stay masked"
    scores = network(places, 6)
    uniform = torch.rand(steps, 4, places, generator=GIVEN(1), dtype=torch.double)
    noise = -(-torch.rand(steps, 4, places, generator=GIVEN(2), dtype=torch.double).log()).log()
    found = ours(scores, uniform, noise, temperature, monkeypatch)
    assert torch.equal(found, released(scores, uniform, noise, temperature, decays_twice=False))
    if temperature and places == 31:
        assert not torch.equal(found, released(scores, uniform, noise, temperature, decays_twice=True))


def test_mmada_trains_with_a_mask_that_is_added():
    "Its training passes ones and zeros as numbers: padding keeps 1/e of its weight; its sampler passes a bool mask"
    q = k = torch.zeros(1, 1, 4, 2)
    v = torch.eye(4)[None, None]
    seen = torch.tensor([False, True, True, True]).expand(1, 1, 4, 4)
    trained = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen.float())[0, 0, 3]
    sampled = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)[0, 0, 3]
    assert torch.allclose(trained, torch.tensor([1, math.e, math.e, math.e]) / (1 + 3 * math.e))
    assert torch.allclose(sampled, torch.tensor([0.0, 1, 1, 1]) / 3)


def test_llada_o_takes_a_plain_mean_of_masked_words():
    "By default; with its weights 1/p the sum is divided by that of the weights, so that in one row they cancel"
    nll = torch.rand(1, 8, generator=GIVEN())
    mask = torch.tensor([[True, False, True, True, False, False, False, False]])
    weight = 8**-0.5 / torch.tensor(0.4)
    plain = nll[mask].mean()
    assert torch.allclose((weight * nll[mask]).sum() / (weight * mask.sum()), plain)
    bound = masked_bound(nll, mask, torch.tensor([8 / 3]))[0] / 8
    assert torch.allclose(bound, plain)  # of one row with this mask; over rows a mean weighs those with many masks
    rows = torch.cat([mask, torch.ones_like(mask)])
    both = torch.cat([nll, 2 * nll])
    bounds = masked_bound(both, rows, torch.tensor([8 / 3, 1.0])) / 8
    assert abs(both[rows].mean() - bounds.mean()) > 0.05


# ---- Janus, JanusFlow ----


@torch.no_grad()
def test_janus_writes_code_after_code():
    "The likeliest code of u + w(c-u), given those before it, with the caption and without"
    model = build('janus', width=32, depth=2, heads=2, drop_text=0.1).eval()
    captions = ['a red circle', 'a blue square', None]
    x = torch.zeros(3, model.n_places, dtype=torch.long)
    told, untold = model.encode_captions(captions), model.encode_captions([None] * 3)
    for i in range(model.n_places):
        c, u = (model.write_out(x, ids)[:, i] for ids in (told, untold))
        x[:, i] = (u + 5 * (c - u)).argmax(-1)
    for cache in (True, False):
        found = write(model, captions, guidance=5.0, temperature=0, cache=cache).codes[..., 0]
        assert torch.equal(found, x)


@torch.no_grad()
@pytest.mark.parametrize('clips', [True, False])
def test_janus_flow_writes_by_euler_steps_and_ours_clips(clips, monkeypatch):
    "z + v/steps with v = w c - (w-1) u from t=0; `write` clips the predicted latents, and without that is equal"
    model = build('janus_flow', width=32, depth=2, heads=2).eval()
    noise = torch.randn(2, *model.codes_shape, generator=GIVEN(1))
    captions = ['a red circle', 'a blue square']
    steps, w = 30, 2.0
    told, untold = model.encode_captions(captions), model.encode_captions([None] * 2)
    z = noise
    for i in range(steps):
        times = torch.full((2,), 1 - i / steps)
        c, u = (-model.write_out(z, ids, None, times) for ids in (told, untold))
        z = z + (w * c - (w - 1) * u) / steps
    found = []
    monkeypatch.setattr(model.process, 'prior', lambda shape, generator: noise)
    monkeypatch.setattr(model, 'to_pictures', lambda x: found.append(x) or torch.zeros(2, 3, 24, 24))
    if not clips:
        monkeypatch.setattr(model.pictures, 'clamp', lambda latents: latents)
    write(model, captions, steps=steps, guidance=w)
    assert torch.allclose(found[0], z, atol=1e-4) != clips
