"The captions of a world as a grammar."

import math

import pytest
import torch

from visual_token_diffusion.worlds.caption_grammar import caption_grammar, caption_plans
from visual_token_diffusion.worlds.captions import World


@pytest.mark.parametrize('n', [1, 2, 3])
def test_plans_are_a_distribution(n):
    assert sum(p for _, _, p in caption_plans(World(n))) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize('n', [1, 2, 3])
def test_every_caption_is_a_sentence(n):
    world, generator = World(n), torch.Generator().manual_seed(5)
    grammar = caption_grammar(world)
    texts = world.caption(world.sample(50, generator), generator)
    assert all(math.isfinite(p) for p in grammar.log_probs(texts))
    assert grammar.log_prob('a red unicorn') == -math.inf


def test_what_may_come_next_in_a_caption():
    "Colours behind a size that is said"
    following = caption_grammar(World(2)).next_words('a red cross left of a small')
    assert following == pytest.approx(dict.fromkeys(['blue', 'green', 'red', 'yellow'], 0.25))
