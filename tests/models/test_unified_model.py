"Losses of the unified model, written anew on small tensors; codes of any tokenizer; bad input."

import math

import pytest
import torch
import torch.nn.functional as F
from support.unified import GIVEN, WORLD, build, pairs

from visual_token_diffusion.models.unified.model import UnifiedModel
from visual_token_diffusion.models.unified.objectives import cosine_mask
from visual_token_diffusion.models.unified.pictures import CellCodes, PatchLatents, codebook_sizes
from visual_token_diffusion.quantizers.factorized import FactorizedQuantizer
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.base import ImageTokenizer
from visual_token_diffusion.training.unified_learner import caption_words

EVERYTHING = WORLD.render(torch.arange(288), 24)


def test_cell_codes_are_exact():
    tokenizer = CellCodes(WORLD)
    codes = tokenizer.encode(EVERYTHING)
    assert codes.shape == (288, 9, 1) and tokenizer.codebook_sizes == (33,)
    assert torch.equal(tokenizer.decode(codes), EVERYTHING)
    assert ((codes != 32).sum((1, 2)) == 1).all()
    with pytest.raises(ValueError, match=r'expected pictures \(B,3,24,24\)'):
        tokenizer.encode(torch.zeros(1, 3, 32, 32))


def test_patch_latents_are_standardized_and_come_back():
    latents = PatchLatents(EVERYTHING)
    z = latents.encode(EVERYTHING)
    assert z.shape == (288, 9, 12)
    assert z.mean((0, 1)).abs().max() < 1e-3
    assert (z.flatten(0, 1).std(0) - 1).abs().max() < 1e-2
    assert torch.equal(WORLD.parse(latents.decode(z)).ids, torch.arange(288))
    assert torch.equal(latents.clamp(z), z)


def test_captions_are_padded_by_the_end_and_come_back():
    model = build('show_o')
    captions = ['a red circle', None, 'a small yellow triangle at the bottom right']
    ids = model.encode_captions(captions)
    assert ids.shape == (3, 9) and (ids[1] == len(model.vocab)).all()
    assert model.decode_captions(ids) == ['a red circle', '', captions[2]]


# ---- losses as published ----


def test_show_o_picture_loss_is_a_plain_mean_at_a_cosine_ratio():
    model = build('show_o', drop_text=0.0, text_weight=0.0)
    images, captions = pairs(5)
    loss = model.losses(images, captions, GIVEN())['picture']
    g = GIVEN()
    torch.rand(5, generator=g)  # dropped captions
    mask = cosine_mask(5, 9, g)
    x, _ = model.encode_pictures(images)
    scores = model.write_out(x, model.encode_captions(captions), mask)
    labels = x.masked_fill(~mask, -100)
    want = F.cross_entropy(scores.flatten(0, 1), labels.flatten(), ignore_index=-100)
    assert torch.allclose(loss, want)


def test_the_cosine_ratio():
    mask = cosine_mask(4000, 9, GIVEN()).sum(1)
    t = torch.rand(4000, generator=GIVEN(), dtype=torch.float64)
    assert torch.equal(mask, (9 * (math.pi / 2 * t).cos()).round().clamp(min=1).long())


def test_mmada_text_loss_is_the_cost_over_the_masked_share_and_the_length():
    model = build('mmada', picture_weight=0.0, text_weight=1.0)
    images, captions = pairs(4)
    loss = model.losses(images, captions, GIVEN())['text']
    g = GIVEN()
    u = torch.rand((), generator=g, dtype=torch.float64)
    t = 1 - (u + torch.arange(4)) / 4
    order = torch.rand(4, 9, generator=g).argsort(-1).argsort(-1)
    n_masked = (t * 9).ceil().long()
    mask = order < n_masked[:, None]
    x, seen = model.encode_pictures(images)
    ids = model.encode_captions(captions)
    cost = F.cross_entropy(model.read_scores(x, seen, ids, mask).transpose(1, 2), ids.clamp(max=21), reduction='none')
    want = (cost * mask / (n_masked[:, None] / 9)).sum() / (4 * 9)
    assert torch.allclose(loss, want, atol=1e-6)


def test_transfusion_weighs_the_noise_five_times_and_reads_noised_pictures():
    model = build('transfusion', text_weight=0.0, drop_text=0.0)
    images, captions = pairs(4)
    loss = model.losses(images, captions, GIVEN())['picture']
    g = GIVEN()
    torch.rand(4, generator=g)
    t = 1 - (torch.rand((), generator=g, dtype=torch.float64) + torch.arange(4)) / 4
    z = model.pictures.encode(images)
    noise = torch.randn(z.shape, generator=g)
    alpha, sigma = (v[:, None, None].float() for v in model.process.schedule.alpha_sigma(t))
    out = model.write_out(alpha * z + sigma * noise, model.encode_captions(captions), None, t)
    assert torch.allclose(loss, 5 * (out - noise).square().mean(), atol=1e-5)
    parts, noisy, times = build('transfusion')._given(z, images, GIVEN())
    assert len(parts) == 1 and times.max() <= 0.5 and noisy is not None


def test_flow_regression_and_next_token_losses():
    images, captions = pairs(4)
    flow = build('janus_flow', drop_text=0.0, text_weight=0.0)
    terms = flow.losses(images, captions, GIVEN())
    g = GIVEN()
    torch.rand(4, generator=g)
    t = 1 - (torch.rand((), generator=g, dtype=torch.float64) + torch.arange(4)) / 4
    z = flow.pictures.encode(images)
    noise = torch.randn(z.shape, generator=g)
    s = t[:, None, None].float()
    out = flow.write_out((1 - s) * z + s * noise, flow.encode_captions(captions), None, t)
    assert torch.allclose(terms['picture'], (out - (noise - z)).square().mean(), atol=1e-5)
    assert 0 <= float(terms['alignment'].detach()) <= 2

    regression = build('emu2', drop_text=0.0, text_weight=0.0)
    z = regression.pictures.encode(images)
    out = regression.write_out(z, regression.encode_captions(captions))
    assert torch.allclose(regression.losses(images, captions)['picture'], (out - z).square().mean())

    janus = build('janus', drop_text=0.0, text_weight=0.0)
    nll = janus.picture_nll(captions, images)
    assert torch.allclose(janus.losses(images, captions)['picture'], nll.mean() / 9, atol=1e-6)


def test_the_representation_that_is_aligned_with_stands_still():
    model = build('janus_flow', text_weight=0.0)
    model.losses(*pairs(4))['alignment'].backward()
    assert model.encoder.proj.weight.grad is None and model.align_proj[0].weight.grad is not None


# ---- codes of any tokenizer ----


def test_a_saved_tokenizer_with_several_codebooks_serves(tmp_path):
    torch.manual_seed(0)
    quantizer = FactorizedQuantizer(8, [VectorQuantizer(4, 5), VectorQuantizer(4, 7)])
    ImageTokenizer.make('patch', quantizer, size=24, patch=8, width=16).save_pretrained(tmp_path)
    tokenizer = ImageTokenizer.part('patch').from_pretrained(tmp_path)
    vocab, length = caption_words(WORLD)
    model = UnifiedModel('show_o', vocab, tokenizer, length, 16, 1, 1)
    n_books = len(codebook_sizes(tokenizer))
    assert model.n_places == 9 * n_books
    images, captions = pairs(2)
    assert sum(model.losses(images, captions).values()).isfinite()
    assert not any(p.requires_grad for p in tokenizer.parameters())
    scores = model.write_out(model.encode_pictures(images)[0], model.encode_captions(captions))
    assert (scores.exp() > 0).sum(-1).tolist() == [list(codebook_sizes(tokenizer)) * 9] * 2


# ---- bad input ----


def test_missing_captions_count_in_writing_only():
    model = build('show_o', drop_text=0.0)
    images, captions = pairs(4)
    some = [captions[0], None, captions[2], None]
    known = model.losses(images[[0, 2]], [captions[0], captions[2]], GIVEN())['text']
    assert torch.allclose(model.losses(images, some, GIVEN())['text'], known, atol=1e-6)
    assert set(model.losses(images, [None] * 4)) == set(model.losses(images)) == {'picture'}
    only_reading = build('show_o', picture_weight=0.0)
    assert only_reading.losses(images, [None] * 4) == {}
    with pytest.raises(ValueError, match='4 pictures need as many captions'):
        model.losses(images, captions[:3])
    with pytest.raises(ValueError, match='list of strings, got one string'):
        model.caption_nll(images, 'a red circle')


def test_what_does_not_fit_is_refused_in_one_line():
    vocab, length = caption_words(WORLD)
    with pytest.raises(ValueError, match='need 21 positions, max_length is 16'):
        UnifiedModel('show_o', vocab, CellCodes(WORLD), length, 16, 1, 1, max_length=16)
    with pytest.raises(ValueError, match='codes pictures need a tokenizer'):
        UnifiedModel('show_o', vocab)
    with pytest.raises(ValueError, match='continuous pictures need latents'):
        UnifiedModel('transfusion', vocab)
    with pytest.raises(ValueError, match='a CellCodes gives something else'):
        UnifiedModel('transfusion', vocab, CellCodes(WORLD))
    with pytest.raises(ValueError, match='a PatchLatents gives something else'):
        UnifiedModel('show_o', vocab, PatchLatents(EVERYTHING))
    model = build('show_o')
    with pytest.raises(ValueError, match='a picture has 9 places of 1 codes here, got'):
        model.losses(torch.zeros(2, 16, 1, dtype=torch.long), ['a red circle'] * 2)
    with pytest.raises(ValueError, match=r'expected pictures \(B,3,24,24\)'):
        model.losses(torch.zeros(2, 3, 48, 48), ['a red circle'] * 2)
    with pytest.raises(ValueError, match='has 12 words, this model takes 8'):
        model.encode_captions(['a red circle ' * 4])
    with pytest.raises(ValueError, match='compares 9 patches that are read with 4 places'):
        UnifiedModel('janus_flow', vocab, _Shifted(PatchLatents(EVERYTHING)), length, 16, 1, 1)


class _Shifted(PatchLatents):
    "Latents of four of the nine patches"

    def __init__(self, whole):
        torch.nn.Module.__init__(self)
        self.size, self.patch = whole.size, whole.patch
        self.whole = whole

    def encode(self, images):
        return self.whole.encode(images)[:, :4]

