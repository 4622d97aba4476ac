"Small unified models of the tiny world."

from functools import lru_cache

import torch

from visual_token_diffusion.models.unified.pictures import CellCodes, PatchLatents
from visual_token_diffusion.models.unified.switches import switches_of
from visual_token_diffusion.training.unified_learner import unified_model
from visual_token_diffusion.worlds.captions import World

WORLD = World(1)


@lru_cache
def pictures(form):
    "The world's exact codes or latents, made once"
    return CellCodes(WORLD) if form == 'codes' else PatchLatents(WORLD.render(torch.arange(len(WORLD)), 24))


def GIVEN(seed=0):
    return torch.Generator().manual_seed(seed)


def build(what, width=16, depth=1, heads=1, seed=0, **changes):
    torch.manual_seed(seed)
    switches = switches_of(what, **changes)
    return unified_model(switches, WORLD, 24, pictures(switches.picture_form), width, depth, heads)


def pairs(n, seed=0):
    "n pictures and captions"
    return WORLD.batch(n, 24, GIVEN(seed))[1:]
