"Floors of the unified losses, against enumeration of what a perfect model knows."

import math

import pytest
import torch
from support.unified import WORLD, build, pairs

from visual_token_diffusion.experiments.unified.floors import cosine_shares, loss_floors, masked_picture_floor
from visual_token_diffusion.models.unified.objectives import cosine_mask
from visual_token_diffusion.models.unified.pictures import CellCodes
from visual_token_diffusion.models.unified.switches import PRESETS
from visual_token_diffusion.worlds.captions import World


def test_shares_are_those_of_the_mask():
    shares = cosine_shares(9)
    assert abs(sum(shares.values()) - 1) < 1e-12
    counts = cosine_mask(200_000, 9, torch.Generator().manual_seed(0)).sum(1)
    for n, share in shares.items():
        assert abs(float((counts == n).double().mean()) - share) < 0.005


def test_the_floor_of_masked_places_is_that_of_the_exact_posterior():
    "Captions and masks are drawn; what is possible is listed scene by scene"
    generator = torch.Generator().manual_seed(0)
    codes = CellCodes(WORLD).encode(WORLD.render(torch.arange(288), 24))[..., 0]
    ids, _, captions = WORLD.batch(3000, 24, generator)
    masks = cosine_mask(3000, 9, generator)
    total = 0.0
    for i, caption, mask in zip(ids.tolist(), captions, masks):
        posterior = WORLD.scenes_for(caption)
        scenes = torch.tensor(list(posterior))
        agree = (codes[scenes] == codes[i])[:, ~mask].all(1)
        p = torch.tensor(list(posterior.values()), dtype=torch.float64) * agree
        p = p / p.sum()
        for place in mask.nonzero()[:, 0].tolist():
            shares = torch.zeros(33, dtype=torch.float64).index_add_(0, codes[scenes, place], p)
            total -= float(torch.xlogy(shares, shares).sum())
    assert abs(total / int(masks.sum()) / masked_picture_floor(WORLD, 0.0) - 1) < 0.04


@pytest.mark.parametrize('name', list(PRESETS))
def test_a_fresh_model_starts_where_the_card_says(name):
    model = build(name, width=64, depth=1)
    for head in (model.text_head, model.picture_head):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    images, captions = pairs(256)
    found = model.losses(images, captions, torch.Generator().manual_seed(0))
    for term, (start, floor, _) in loss_floors(name, WORLD).items():
        if term == 'alignment':
            continue
        assert abs(float(found[term].detach()) / start - 1) < 0.1, term
        assert floor is None or 0 <= floor < start


def test_floors_are_the_entropies():
    card = loss_floors('janus', WORLD)
    assert abs(card['text'][1] - 2.0 * math.log(2) / 9) < 1e-3
    assert card['picture'][1] > 2.085 * math.log(2) / 9
    with pytest.raises(ValueError, match='one object'):
        loss_floors('janus', World(2))
