"With kept keys and values the unified model writes and reads what it does without, draw for draw."

from copy import deepcopy
from functools import lru_cache

import pytest
import torch
from support.unified import GIVEN, WORLD, build, pairs

from visual_token_diffusion.models.unified.cache import SegmentCache, next_words
from visual_token_diffusion.models.unified.sampling import _Guided, read, write
from visual_token_diffusion.models.unified.segments import segment_mask
from visual_token_diffusion.models.unified.switches import PRESETS, switches_of
from visual_token_diffusion.networks.transformer import Backbone
from visual_token_diffusion.quantizers.factorized import FactorizedQuantizer
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.base import ImageTokenizer
from visual_token_diffusion.training.unified_learner import unified_model

WRITERS = [name for name, p in PRESETS.items() if p.switches.is_sequential]
READERS = [name for name, p in PRESETS.items() if p.switches.text_objective == 'causal']
CAPTIONS = ['a red circle', None, 'a small blue cross in the middle']


def larger(what, **changes):
    "A model whose predictions are far from even"
    model = build(what, width=32, depth=2, heads=2, **changes).eval()
    for head in (model.text_head, model.picture_head):
        head.weight.data *= 5
    return model


def same(a, b):
    "Scores of double precision, above ten, equal but for the last digit of single precision, in which some are kept"
    assert torch.equal(a.isinf(), b.isinf())
    assert (a.nan_to_num(neginf=0) - b.nan_to_num(neginf=0)).abs().max() < 2e-6


@pytest.mark.parametrize('attention', ['causal', 'prefix'])
@pytest.mark.parametrize('name', WRITERS)
@pytest.mark.parametrize('guidance', [0.0, 1.0, 3.0])
def test_places_are_predicted_as_without_a_cache(name, attention, guidance):
    model = larger(name, attention=attention, drop_text=0.1)
    model = deepcopy(model).double()  # a copy: pictures are shared by all tests
    x, _ = model.encode_pictures(pairs(3)[0].double())
    predict = _Guided(model, model.encode_captions(CAPTIONS), guidance)
    with torch.no_grad():
        whole = predict(x)
        for i, found in enumerate(predict.places(x, True)):
            same(found, whole[:, i])
    assert i == 8


@pytest.mark.parametrize('name', WRITERS)
def test_pictures_are_the_same(name):
    for attention in ('causal', 'prefix'):
        model = larger(name, attention=attention, drop_text=0.1)
        for guidance in (1.0, 2.5):
            a, b = (write(model, CAPTIONS, generator=GIVEN(1), guidance=guidance, cache=c) for c in (True, False))
            assert a.codes is None or torch.equal(a.codes, b.codes)
            assert torch.allclose(a.images, b.images, atol=1e-5)


@pytest.mark.parametrize('attention', ['', 'causal', 'omni', 'prefix', 'hidden_noise'])
@pytest.mark.parametrize('name', READERS)
def test_words_are_predicted_and_drawn_as_without_a_cache(name, attention):
    if PRESETS[name].switches.is_sequential and attention in ('omni', 'hidden_noise'):
        return
    model = larger(name, **(dict(attention=attention) if attention else {}))
    images, captions = pairs(4)
    exact = deepcopy(model).double()
    x, pixels = exact.encode_pictures(images.double())
    ids = model.encode_captions(captions)
    with torch.no_grad():
        whole = exact.read_scores(x, pixels, ids)
        for i, scores in next_words(exact, x, pixels, ids):
            same(scores, whole[:, i])
    assert i == 8
    a, b = (read(model, images, generator=GIVEN(2), cache=c) for c in (True, False))
    assert a == b and len(set(a)) > 1


@pytest.mark.parametrize('name', READERS)
def test_answers_are_the_same(name):
    model = larger(name)
    images, _ = pairs(4)
    prompts = ['a red', None, 'a small blue cross', 'in the middle']
    a, b = (read(model, images, prompts=prompts, generator=GIVEN(3), cache=c) for c in (True, False))
    assert a == b


def test_a_picture_that_comes_first_is_written_without_a_cache():
    model = larger(switches_of('janus', order='picture_first', picture_weight=0.0))
    a, b = (write(model, CAPTIONS, generator=GIVEN(1), cache=c).codes for c in (True, False))
    assert torch.equal(a, b)


@lru_cache
def of_two_codebooks():
    "A model of pictures as 32 codes of two codebooks"
    torch.manual_seed(0)
    quantizer = FactorizedQuantizer(8, [VectorQuantizer(4, 5), VectorQuantizer(4, 7)])
    tokenizer = ImageTokenizer.make('patch', quantizer, size=24, patch=6, width=16)
    return unified_model('janus', WORLD, 24, tokenizer, 16, 1, 1).eval()


def test_several_codebooks_are_written_the_same():
    model = of_two_codebooks()
    a, b = (write(model, CAPTIONS, generator=GIVEN(1), guidance=2.0, cache=c).codes for c in (True, False))
    assert torch.equal(a, b) and (a.amax((0, 1)) < torch.tensor([5, 7])).all()


def test_what_is_kept_is_not_computed_again():
    "Positions that go through the backbone: counted, not timed"
    model, counts = of_two_codebooks(), []
    for cache in (True, False):
        seen = []
        hook = model.backbone.blocks[0].attn_norm.register_forward_hook(lambda m, i, o: seen.append(o.shape[1]))
        write(model, [None], generator=GIVEN(), cache=cache)
        hook.remove()
        counts.append(sum(seen))
    n, text = model.n_places, model.text_length + 1
    assert n == 32 and counts == [n + text, n * (n + 2 + text)]


def test_a_cache_in_pieces_is_the_backbone():
    torch.manual_seed(0)
    backbone = Backbone(16, 2, 2, offsets=())
    x = torch.randn(2, 9, 16)
    mask = segment_mask(['full', 'causal'], [4, 5])
    cache = SegmentCache(backbone, 9)
    pieces = [cache.extend(x[:, :5], mask[:, :, :5, :5])]
    pieces += [cache.extend(x[:, 5:7], mask[:, :, 5:7, :7])]
    pieces += [cache.extend(x[:, i : i + 1]) for i in (7, 8)]
    assert torch.allclose(torch.cat(pieces, 1), backbone(x, mask), atol=1e-5)
    with pytest.raises(ValueError, match='holds 9 positions, and not 10'):
        cache.extend(x[:, :1])
    with pytest.raises(ValueError, match='without local mixing, registers and time'):
        SegmentCache(Backbone(16, 1, 1), 9)


def test_places_drawn_by_a_flow_head_are_the_same():
    model = build('emu2', picture_objective='next_flow', drop_text=0.1).eval()
    for guidance in (1.0, 2.0):
        options = dict(steps=3, guidance=guidance)
        a, b = (write(model, CAPTIONS, generator=GIVEN(1), cache=c, **options).images for c in (True, False))
        assert torch.allclose(a, b, atol=1e-4)
