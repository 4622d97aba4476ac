"Words learned by contrast with the scenes that they were said of."

import pytest
import torch
import torch.nn.functional as F

from visual_token_diffusion.semantics.base import MissingWords, Semantics
from visual_token_diffusion.semantics.scene_words import SceneSemantics, SceneWords, train_scene_words
from visual_token_diffusion.tokenizers.patch import to_patches
from visual_token_diffusion.worlds.captions import World

gen = lambda s=0: torch.Generator().manual_seed(s)
SMALL = World(1, shapes=('circle', 'square'), colours=('red', 'blue'))


def test_texts_and_scenes_are_sums():
    world = World(2)
    model = SceneWords(world, 6)
    ids, images, _ = world.batch(3, 24, gen())
    cells = model.cell((to_patches(images, 8) - 0.12) / 0.12)
    torch.testing.assert_close(model.scenes(images), cells.sum(1))
    rows = [model.vectors.weight[model.number[word]] for word in ('a', 'red', 'red')]
    torch.testing.assert_close(model.texts(['a', 'a red red'])[1], sum(rows))


def test_scenes_find_their_captions():
    model = train_scene_words(SMALL, 16, 120, batch=32)
    # chance is one in sixteen; caption and picture are drawn anew
    ids = torch.arange(0, len(SMALL), 9)
    texts = [SMALL.caption(int(i), gen(int(i))) for i in ids]
    scenes = F.normalize(model.scenes(SMALL.render(ids, 24)), dim=1)
    best = (scenes @ F.normalize(model.texts(texts), dim=1).T).argmax(0)
    looks = SMALL.objects(ids)[:, 0, :2]  # shape and colour
    assert (looks[best] == looks).all(1).float().mean() >= 0.75


def test_features_are_unit_rows_and_the_same_every_time():
    source = lambda seed: SceneSemantics(world=SMALL, dim=8, steps=3, seed=seed).features(['red', 'circle'])
    rows = source(0)
    assert rows.shape == (2, 8) and rows.dtype == torch.float32
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(2))
    assert torch.equal(source(0), rows) and not torch.equal(source(1), rows)
    state = torch.get_rng_state()
    source(0)
    assert torch.equal(torch.get_rng_state(), state)  # the caller's random numbers are left alone


def test_a_trained_model_can_be_given():
    model = train_scene_words(SMALL, 8, 2)
    assert SceneSemantics(model).model is model
    assert torch.equal(SceneSemantics(model).features(['red']), SceneSemantics(model).features(['red']))


def test_words_that_no_scene_is_described_with():
    model = train_scene_words(SMALL, 8, 2)
    with pytest.raises(MissingWords, match="such as 'zebra'") as e:
        SceneSemantics(model).features(['red', 'zebra'])
    assert '\n' not in str(e.value)
    assert SceneSemantics(model).features(['red', '<unk>', '.']).norm(dim=1).tolist() == pytest.approx([1, 0, 0])
    rows = SceneSemantics(model, missing='zero').features(['zebra', 'red'])
    assert rows[0].eq(0).all() and rows[1].norm() > 0.99
    with pytest.raises(ValueError, match="missing is 'error' or 'zero'"):
        SceneSemantics(model, missing='none')


def test_it_is_registered():
    assert Semantics.part('scenes') is SceneSemantics
