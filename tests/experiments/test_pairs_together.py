"Pairs drawn together: what agrees, what is needed, and what a run measures."

import torch

from visual_token_diffusion.experiments.unified.pairs_together import (
    KINDS,
    agreement,
    exact_bits,
    joint_bits,
    scores,
)
from visual_token_diffusion.experiments.unified.measures import all_pairs, trivial
from visual_token_diffusion.training.unified_learner import unified_model
from visual_token_diffusion.worlds.captions import World

WORLD = World(1)


def test_true_pairs_agree_and_shuffled_ones_by_chance():
    generator = torch.Generator().manual_seed(0)
    ids = WORLD.sample(4000, generator)
    captions = WORLD.caption(ids, generator)
    assert agreement(WORLD, ids, captions) == 1
    shuffled = ids[torch.randperm(4000, generator=generator)]
    chance = trivial(WORLD)['match']
    assert abs(agreement(WORLD, shuffled, captions) - chance) < 4 * (chance / 4000) ** 0.5
    assert agreement(WORLD, torch.full((3,), -1), captions[:3]) == 0


def test_what_is_needed():
    shares = all_pairs(WORLD)[2]
    assert abs(float(-(shares * shares.log2()).sum()) - exact_bits(WORLD)) < 1e-6


def test_an_untrained_model_is_measured():
    for kind, switches in KINDS.items():
        torch.manual_seed(0)
        model = unified_model(switches, WORLD, depth=1, width=32).eval()
        found = scores(model, WORLD, 2, 16)
        assert found == scores(model, WORLD, 2, 16)
        assert 0 <= found['agree'] <= min(found['picture'], found['caption']) <= 1
        if kind == 'masked':
            assert joint_bits(model, WORLD) > exact_bits(WORLD)
