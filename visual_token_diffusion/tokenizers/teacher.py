"""A frozen network whose features stand in for those of DINO or CLIP: it has learned to name what stands where."""

import torch
import torch.nn.functional as F
from torch import nn

from ..core.configured import Configured
from ..networks.transformer import Backbone
from .patch import to_patches

__all__ = ['Teacher', 'train_teacher']


class Teacher(Configured, nn.Module):
    "Pictures (B,3,S,S) to a vector for each patch. Untrained it is a random control"

    def __init__(
        self,
        size: int = 24,  # pixels along each side
        patch: int = 8,  # of a patch
        width: int = 64,  # features of a patch
        depth: int = 2,  # layers
        heads: int = 2,  # attention heads
        mean: float = 0.12,  # of the pixels; the network sees standardized ones
        std: float = 0.12,
    ):
        super().__init__()
        if size % patch:
            raise ValueError(f'patches of {patch} pixels do not tile pictures of {size}')
        self.size, self.patch = size, patch
        self.width = self.dim = width
        self.mean, self.std = mean, std
        self.n_patches = (size // patch) ** 2
        self.patch_proj = nn.Linear(3 * patch**2, width)
        self.position_embed = nn.Parameter(0.5 * torch.randn(self.n_patches, width))
        self.backbone = Backbone(width, depth, heads, offsets=())

    def features(self, images):
        "(B,N,width) float: a vector for each patch of pictures (B,3,S,S)"
        standard = (images - self.mean) / self.std
        return self.backbone(self.patch_proj(to_patches(standard, self.patch)) + self.position_embed)

    def pooled(self, images):
        "(B,width) float: the mean over the patches"
        return self.features(images).mean(1)

    def forward(self, images):
        return self.features(images)


def _cell_labels(world, ids):
    "(B,cells,3) long: shape, colour and size in each cell, counted from one; zero where a cell is empty"
    objects = world.objects(ids)
    labels = torch.zeros(len(objects), world.cells, 3, dtype=torch.long)
    where = objects[..., 3:].expand(-1, -1, 3)
    return labels.scatter(1, where, objects[..., :3] + 1)


class _Namer(nn.Module):
    "Scores of shape, colour and size from the features of a cell"

    def __init__(self, width, world):
        super().__init__()
        names = world.shapes, world.colours, world.sizes
        self.heads = nn.ModuleList(nn.Linear(width, len(n) + 1) for n in names)

    def forward(self, features, labels):
        "Cross-entropy (scalar), and the share of cells that are named right in all three"
        scores = [head(features) for head in self.heads]
        pairs = list(zip(scores, labels.unbind(-1)))
        loss = sum(F.cross_entropy(s.transpose(1, 2), y) for s, y in pairs)
        right = torch.stack([s.argmax(-1) == y for s, y in pairs]).all(0)
        return loss, right.float().mean()


def train_teacher(
    world,  # a `World` with as many cells as the teacher has patches
    steps: int = 400,  # batches of 64
    seed: int = 0,
    size: int = 24,  # pixels along each side
    **kwargs,  # of `Teacher`
) -> Teacher:
    "A `Teacher` that has learned to name shape, colour and size in every cell; frozen, in evaluation mode"
    torch.manual_seed(seed)
    teacher = Teacher(size, **kwargs)
    if teacher.n_patches != world.cells:
        raise ValueError(f'a teacher with {teacher.n_patches} patches cannot name {world.cells} cells')
    namer = _Namer(teacher.width, world)
    generator = torch.Generator().manual_seed(seed)
    parameters = [*teacher.parameters(), *namer.parameters()]
    opt = torch.optim.AdamW(parameters, 2e-3)
    for _ in range(steps):
        ids = world.sample(64, generator)
        loss, right = namer(teacher.features(world.render(ids, size)), _cell_labels(world, ids))
        opt.zero_grad()
        loss.backward()
        opt.step()
    teacher.named_right = float(right.detach()) if steps else 0.0
    return teacher.eval().requires_grad_(False)
