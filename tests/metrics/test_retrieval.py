"Retrieval by likelihood: ties, ceilings, and a model that knows everything."

import math
from functools import lru_cache

import pytest
import torch

from visual_token_diffusion.metrics.retrieval import (
    likelihood_tables, per_pool, recall_at_1, retrieval, retrieval_ceilings,
)
from visual_token_diffusion.worlds.captions import World

WORLD = World(1)


captions_of, scenes_of = lru_cache(WORLD.captions), lru_cache(WORLD.scenes_for)


class Exact:
    "The true likelihoods"

    def __init__(self, writes=True):
        self.writes = writes

    def caption_nll(self, pictures, captions):
        ids = WORLD.parse(pictures).ids.tolist()
        return -torch.tensor([captions_of(i).get(text, 0.0) for i, text in zip(ids, captions)]).log()

    def picture_nll(self, captions, pictures):
        if not self.writes:
            return None
        ids = WORLD.parse(pictures).ids.tolist()
        return -torch.tensor([scenes_of(text).get(i, 0.0) for i, text in zip(ids, captions)]).log()


def pool(n, seed):
    return WORLD.batch(n, 24, torch.Generator().manual_seed(seed))


def test_of_equal_scores_one_is_taken_at_random():
    assert recall_at_1(torch.zeros(4, 4)) == 0.25
    assert recall_at_1(torch.eye(3)) == 1.0
    assert recall_at_1(torch.tensor([[1.0, 1.0], [2.0, 1.0]])) == 0.25
    with pytest.raises(ValueError, match='as many of each'):
        recall_at_1(torch.zeros(2, 3))


def test_tables_hold_the_likelihood_of_every_pair():
    _, images, captions = pool(5, 0)
    tables = likelihood_tables(Exact(), images, captions, batch=4)
    for i in range(5):
        for j in range(5):
            one = -Exact().caption_nll(images[i : i + 1], captions[j : j + 1])
            assert torch.equal(tables['caption'][i, j], one[0])
    assert likelihood_tables(Exact(False), images, captions)['picture'] is None


def test_a_perfect_model_reaches_the_ceilings_and_no_more():
    found, wanted = {}, {}
    for seed in range(8):
        ids, images, captions = pool(16, seed)
        for name, value in retrieval(Exact(), images, captions).items():
            found[name] = found.get(name, 0) + value / 8
        for name, value in retrieval_ceilings(WORLD, ids, captions).items():
            wanted[name] = wanted.get(name, 0) + value / 8
    assert found['picture for caption, by caption'] == pytest.approx(wanted['picture for caption'], abs=1e-6)
    assert found['caption for picture, by caption'] == pytest.approx(
        wanted['caption for picture, by caption'], abs=1e-6
    )
    for how in ('by picture', 'by caption per pool'):
        assert found[f'caption for picture, {how}'] == pytest.approx(wanted['caption for picture'], abs=0.08)
    assert wanted['chance'] < wanted['caption for picture, by caption'] < wanted['caption for picture'] <= 1


def test_per_pool_sets_a_caption_against_its_mean():
    table = torch.tensor([[0.5, 0.25], [0.5, 0.75]]).log()
    assert torch.allclose(per_pool(table), torch.tensor([[0.5, 0.25], [0.5, 0.75]]).log())
    assert torch.allclose(per_pool(table + math.log(2)), per_pool(table))


def test_without_a_likelihood_of_pictures_that_direction_is_left_out():
    _, images, captions = pool(4, 0)
    assert not any('by picture' in name for name in retrieval(Exact(False), images, captions))
