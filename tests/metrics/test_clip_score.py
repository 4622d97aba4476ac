"The CLIP score and RefCLIPScore against the formulas written anew, the probes, and bad input."

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from visual_token_diffusion.experiments.metrics.clip_score_probes import (
    auroc, best_of, changed_scenes, fits, one_changed, optimized_pictures, swapped_caption, wins,
)
from visual_token_diffusion.metrics.clip_score import PREFIX, WEIGHT, ClipScorer, clip_score, ref_clip_score
from visual_token_diffusion.semantics.clip import load_clip
from visual_token_diffusion.worlds.captions import World


def unit(x):
    return x / np.sqrt((x**2).sum(1, keepdims=True))


@pytest.fixture(scope='module')
def clip():
    return load_clip('small')


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(2, 16))
def test_like_the_published_formulas(seed, n, d):
    rng = np.random.default_rng(seed)
    pictures, captions = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    references = [rng.normal(size=(rng.integers(1, 5), d)) for _ in range(n)]
    per = 2.5 * np.clip((unit(pictures) * unit(captions)).sum(1), 0, None)
    score = clip_score(pictures, captions)
    assert np.allclose(score, per, atol=1e-12)
    best = np.array([(unit(r) @ c).max() for r, c in zip(references, unit(captions))])
    code = np.divide(2 * per * best, per + best, out=np.zeros(n), where=per + best != 0)
    assert np.allclose(ref_clip_score(score, captions, references, clip_references=False), code, rtol=1e-6)
    paper = np.where(best > 0, code, 0)
    assert np.allclose(ref_clip_score(score, captions, references), paper, atol=1e-9)


def test_published_values():
    assert (WEIGHT, PREFIX) == (2.5, 'A photo depicts')
    score = clip_score(torch.eye(2), torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
    assert score.tolist() == [2.5, 0.0]
    assert clip_score(torch.eye(2), torch.eye(2), weight=1).tolist() == [1, 1]
    references = [torch.eye(2)] * 2
    assert torch.allclose(ref_clip_score(score, torch.eye(2), references), torch.tensor([5 / 3.5, 0]).double())


def test_kinds_of_features_and_length():
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    assert torch.allclose(clip_score(a, b), clip_score((9 * a).numpy(), b.double().requires_grad_()))
    assert torch.allclose(clip_score(a, b), clip_score(a.half(), b), atol=1e-2)


def test_the_scorer_puts_the_prefix_and_takes_references(clip):
    world = World(1)
    ids = torch.tensor([0, 50, 200])
    pictures, captions = world.render(ids, 32), world.caption(ids, torch.Generator().manual_seed(0))
    published, plain = ClipScorer(clip), ClipScorer(clip, prefix='')
    said = [f'A photo depicts {caption}' for caption in captions]
    assert torch.allclose(published.captions(captions), clip.texts(said))
    assert torch.allclose(plain.captions(captions), clip.texts(captions))
    assert torch.allclose(plain.score(pictures, captions), clip_score(clip.pictures(pictures), clip.texts(captions)))
    references = [[c, 'a yellow cross'] for c in captions]
    tables = [clip.texts(r) for r in references]
    expected = ref_clip_score(plain.score(pictures, captions), clip.texts(captions), tables)
    assert torch.allclose(plain.ref_score(pictures, captions, references), expected, atol=1e-6)
    assert torch.allclose(ClipScorer(clip, '', 100).score(pictures, captions), 40 * plain.score(pictures, captions))
    with pytest.raises(ValueError, match='at least one reference'):
        plain.ref_score(pictures, captions, [['a'], [], ['b']])


def test_scenes_with_something_changed():
    world, generator = World(1), torch.Generator().manual_seed(1)
    ids = world.sample(200, generator)
    for attribute in range(4):
        other = one_changed(world, ids, attribute, generator)
        differ = (world.objects(ids) != world.objects(other))[:, 0]
        assert differ.sum(0).tolist() == [200 if a == attribute else 0 for a in range(4)]
    two = World(2)
    pairs = two.sample(200, generator)
    assert torch.equal(changed_scenes(two, pairs, 0.0, generator), pairs)
    assert (changed_scenes(two, pairs, 1.0, generator) != pairs).float().mean() > 0.8


def test_the_oracle_and_the_swap():
    world = World(2)
    ids = world.sample(60, torch.Generator().manual_seed(2))
    captions = world.caption(ids, torch.Generator().manual_seed(3))
    assert fits(world, captions, ids).all()
    assert not fits(world, captions, torch.full_like(ids, -1)).any()
    assert swapped_caption(world, 'a red circle left of a blue cross') == 'a blue cross left of a red circle'
    assert swapped_caption(world, 'a red circle and a blue cross') is None
    assert swapped_caption(world, 'a red circle above a red circle') is None
    assert not fits(world, ['a small red circle bigger than a big red circle'], ids[:1]).any()


def test_shares():
    scores, right = torch.tensor([3.0, 1.0, 2.0, 0.0]), torch.tensor([True, True, False, False])
    assert auroc(scores, right) == 0.75 and auroc(torch.zeros(4), right) == 0.5
    assert wins(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 2.0])) == 0.75
    with pytest.raises(ValueError, match='right and wrong'):
        auroc(scores, torch.ones(4, dtype=torch.bool))
    chosen, others = torch.tensor([[1.0, 2, 9]]), torch.tensor([[5.0, 6, 7]])
    found = best_of(2, chosen, others, torch.tensor([[True, False, True]]))
    assert found == dict(rewarded=2, other=6, right=0, any=1)


def test_pictures_made_for_a_score_score_more_and_stay_pictures(clip):
    world, scorer = World(1), ClipScorer(clip, prefix='')
    captions = world.caption(torch.tensor([3, 99]), torch.Generator().manual_seed(4))
    start = world.render(torch.tensor([200, 20]), 32)
    (first, before), (last, after) = optimized_pictures(scorer, start, captions, (0, 6))
    assert (first, last) == (0, 6) and torch.equal(before, start)
    assert (scorer.score(after, captions) > scorer.score(before, captions)).all()
    assert after.min() >= 0 and after.max() <= 1 and not after.requires_grad


@pytest.mark.parametrize('call, message', [
    (lambda: clip_score(torch.ones(2, 3), torch.ones(3, 3)), 'a caption for each picture'),
    (lambda: clip_score(torch.ones(2, 3), torch.ones(2, 4)), 'a caption for each picture'),
    (lambda: clip_score(torch.ones(3), torch.ones(3)), r'features \(n,D\)'),
    (lambda: clip_score(torch.ones(0, 3), torch.ones(0, 3)), r'features \(n,D\)'),
    (lambda: clip_score(torch.zeros(1, 3), torch.ones(1, 3)), 'row of zeros'),
    (lambda: clip_score(torch.full((1, 3), torch.nan), torch.ones(1, 3)), 'nan or infinity'),
    (lambda: ref_clip_score([1.0], torch.ones(1, 3), []), 'as many scores'),
    (lambda: ref_clip_score([1.0], torch.ones(1, 3), [torch.ones(0, 3)]), 'references are'),
])
def test_bad_input_is_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert '\n' not in str(error.value)
