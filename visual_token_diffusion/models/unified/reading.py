"""A small encoder for pictures that are read, apart from how they are written (Janus, 2024)."""

import torch
from torch import nn

from ...networks.transformer import Backbone
from ...tokenizers.patch import to_patches

__all__ = ['ReadingEncoder']


class ReadingEncoder(nn.Module):
    """Pictures (B,3,S,S) to a vector for each patch (B,N,width): patches, one layer that sees them all (Wu and others,
    2024, https://arxiv.org/abs/2410.13848, have SigLIP and two layers there)"""

    def __init__(
        self,
        pictures,  # with `size` and, if it has patches, `patch`
        width: int,  # features of a vector
        heads: int = 2,
        depth: int = 1,
    ):
        super().__init__()
        self.mean = self.std = 0.12  # of the pixels of scenes; set them for other pictures
        self.patch = getattr(pictures, 'patch', pictures.size // 3)
        self.n_patches = (pictures.size // self.patch) ** 2
        self.patch_proj = nn.Linear(3 * self.patch**2, width)
        self.place = nn.Parameter(0.02 * torch.randn(self.n_patches, width))
        self.backbone = Backbone(width, depth, heads, offsets=())
        self.proj = nn.Linear(width, width)

    def forward(self, images):
        standard = (to_patches(images, self.patch) - self.mean) / self.std
        return self.proj(self.backbone(self.patch_proj(standard) + self.place))
