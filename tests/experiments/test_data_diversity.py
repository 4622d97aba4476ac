"What is seen, what is measured, and what is reached without learning; the models at a size that takes no time."

import math

import pytest
import torch

from visual_token_diffusion.experiments.metrics import data_diversity
from visual_token_diffusion.experiments.metrics.data_diversity import (
    CAPTIONS, FAMILIES, SeenWorld, choose_scenes, expected_cover, independent, main, measure, memorizer, recombiner,
    run_captions, run_scenes, unlinked,
)
from visual_token_diffusion.worlds.captions import World

WORLD = World(1)


def test_scenes_are_chosen_once_each():
    for n in (1, 9, 288):
        seen = choose_scenes(WORLD, n, seed=3)
        assert len(seen.unique()) == n and torch.equal(seen, seen.sort().values)
    assert not torch.equal(choose_scenes(WORLD, 36, 0), choose_scenes(WORLD, 36, 1))
    narrow = WORLD.objects(choose_scenes(WORLD, 36, 1, narrow=True))[:, 0]
    assert len(narrow[:, 0].unique()) == len(narrow[:, 2].unique()) == 1
    assert len(narrow[:, 1].unique()) == 4 and len(narrow[:, 3].unique()) == 9


def test_a_seen_world_draws_what_is_seen():
    seen = torch.tensor([3, 50, 287])
    drawn = SeenWorld(seen, 1).sample(200, torch.Generator().manual_seed(0))
    assert set(drawn.tolist()) == set(seen.tolist())


def test_measures_by_hand():
    seen = torch.tensor([1, 2, 3, 4])
    found = measure(torch.tensor([1, 1, 2, 9, 9, 10, -1, -1]), seen, WORLD)
    assert found['valid'] == 6 / 8 and found['cover'] == 4
    assert found['seen_cover'] == 2 / 4 and found['memorized'] == pytest.approx(3 / 6)
    assert found['held_out'] == 2 and found['held_out_share'] == 2 / 284


def test_measures_where_nothing_is_valid():
    found = measure(torch.tensor([-1, -1]), torch.tensor([0]), WORLD)
    assert found['valid'] == found['cover'] == found['memorized'] == found['evenness'] == 0


def test_whoever_only_repeats_is_even_and_memorizes():
    seen = choose_scenes(WORLD, 36)
    found = measure(memorizer(seen, 2880, seed=5), seen, WORLD)
    assert found['memorized'] == found['seen_cover'] == 1 and abs(found['evenness'] - 1) < 0.02
    assert found['held_out'] == 0 and expected_cover(36) == pytest.approx(36)
    assert expected_cover(288) == pytest.approx(288 * (1 - (287 / 288) ** 2880))


def test_recombinations_use_what_was_seen():
    seen = choose_scenes(WORLD, 9, 2)
    own = WORLD.objects(seen)[:, 0]
    mixed = WORLD.objects(recombiner(seen, WORLD, 500))[:, 0]
    looks, cells = {tuple(row) for row in own[:, :3].tolist()}, set(own[:, 3].tolist())
    assert all(tuple(row[:3]) in looks and row[3] in cells for row in mixed.tolist())
    free = WORLD.objects(unlinked(seen, WORLD, 500))[:, 0]
    assert all(set(free[:, i].tolist()) <= set(own[:, i].tolist()) for i in range(4))


def test_places_drawn_apart_are_valid_as_often_as_exactly_one_is_filled():
    found = measure(independent(torch.arange(288), WORLD, 4000), torch.arange(288), WORLD)
    assert abs(found['valid'] - (8 / 9) ** 8) < 0.03  # nine places, each filled with chance 1/9


@pytest.mark.parametrize('family', FAMILIES)
def test_every_family_runs(family, monkeypatch):
    monkeypatch.setattr(data_diversity, 'DRAWS', 16)
    found = run_scenes(family, 9, steps=5)
    assert 0 <= found['valid'] <= 1 and found['cover'] <= 16 and math.isfinite(found['evenness'])


@pytest.mark.parametrize('how', CAPTIONS)
def test_captions_run(how, monkeypatch):
    monkeypatch.setattr(data_diversity, 'EACH', 1)
    monkeypatch.setattr(data_diversity, '_cell_bits', lambda model, world: 0.0)
    found = run_captions(how, 36, steps=2)
    assert 0 <= found['match_seen'] <= 1 and 0 <= found['match_other'] <= 1


def test_one_caption_is_always_the_same():
    say = data_diversity._one_caption(WORLD)
    ids = torch.tensor([5, 5, 200])
    first, second = say(ids, None), say(ids, None)
    assert first == second and first[0] == first[1]
    assert all(text in WORLD.captions(i) for i, text in zip(ids.tolist(), first))


def test_bad_input():
    with pytest.raises(ValueError, match='different scenes'):
        choose_scenes(WORLD, 289)
    with pytest.raises(ValueError, match='different scenes'):
        choose_scenes(WORLD, 37, narrow=True)
    with pytest.raises(ValueError, match='family must be'):
        run_scenes('guess', 9)
    with pytest.raises(ValueError, match='captions must be'):
        run_captions('some', 9)
    with pytest.raises(ValueError, match='nothing was generated'):
        measure(torch.tensor([], dtype=torch.long), torch.tensor([1]), WORLD)
    with pytest.raises(SystemExit):
        main(['--part', 'nothing'])
