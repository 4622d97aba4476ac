"A small space of grids, and an untrained painter on it."

from functools import cache

import torch

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.models.grid_denoiser import GridDenoiser
from visual_token_diffusion.models.grid_space import GridSpace


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@cache
def grid_space():
    return GridSpace(SemanticVisualEncoder(random_codes(20, 3, generator=gen())))


def grid_model(process, **options):
    torch.manual_seed(0)
    counts = torch.arange(1.0, 21.0)
    return GridDenoiser(grid_space(), process, counts, 16, 1, 2, **options).eval()
