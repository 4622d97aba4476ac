"Floors of losses, against values that can be worked out by hand."

import math

import torch

from visual_token_diffusion.experiments.metrics.loss_cards import (
    contrastive_floor, loss_card, picture_floor, uniform_cosine_floor,
)
from visual_token_diffusion.networks.contrastive import info_nce
from visual_token_diffusion.worlds.captions import World


def test_floors_of_pictures():
    pictures = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    assert picture_floor(pictures, 4) == 0 and picture_floor(pictures, 9) == 0
    assert math.isclose(picture_floor(pictures, 1), float(pictures.var(correction=0)), rel_tol=1e-6)
    assert math.isclose(picture_floor(pictures, 2, restarts=8), 0.25, rel_tol=1e-6)


def test_the_floor_of_cosines_is_reached_by_a_simplex():
    n = 5
    simplex = torch.eye(n) - 1 / n
    loss = info_nce(simplex, simplex, temperature=1.0)
    assert math.isclose(float(loss), uniform_cosine_floor(n), rel_tol=1e-6)


def test_no_critic_beats_the_likelihood_ratio():
    world = World(1)
    floor = contrastive_floor(world, batch=16, batches=4)
    assert 0 < floor < math.log(16)
    blind = math.log(16)
    assert floor < 0.5 * blind


def test_a_card_has_a_floor_below_every_start():
    card = loss_card(World(1), 9, 0.12, batch=16)
    assert card['pixels'][1] == 0
    assert all(start is None or floor < start for start, floor, _ in card.values())
