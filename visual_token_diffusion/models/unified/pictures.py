"""Pictures as a unified model takes them: exact codes of a tiny world, codes of any tokenizer, linear latents."""

import torch
from torch import nn

from ...core.configured import Configured
from ...tokenizers.patch import from_patches, to_patches

__all__ = ['CellCodes', 'PatchLatents', 'codebook_sizes', 'is_codes']


class CellCodes(Configured, nn.Module):
    "The picture of a world's scene as one code for each cell: the number of its look, the last for an empty cell"

    def __init__(
        self,
        world=None,  # a `World`; None leaves the tiles to a file
        size: int = 24,  # pixels along each side, a multiple of the cells of a row
        side: int = 3,  # cells of a row, without a world
        n_tiles: int = 33,  # without a world
    ):
        super().__init__()
        side = world.side if world else side
        if size % side:
            raise ValueError(f'{side} cells in a row do not tile pictures of {size} pixels')
        self.size, self.patch = size, size // side
        tiles = world.tiles(size).flatten(1) if world else torch.zeros(n_tiles, 3 * self.patch**2)
        self.register_buffer('tiles', tiles)
        self.codebook_sizes = (len(tiles),)
        self._arguments = dict(size=size, side=side, n_tiles=len(tiles))

    def encode(self, images):
        "(B,N,1) long: the nearest tile of every cell of pictures (B,3,S,S). Raises `ValueError`"
        _check_size(images, self.size)
        patches, tiles = to_patches(images, self.patch).float(), self.tiles.float()
        closeness = patches @ tiles.T - tiles.square().sum(-1) / 2  # less half of what all tiles share
        return closeness.argmax(-1, keepdim=True)

    def decode(self, codes):
        "(B,3,S,S) float: the pictures of codes (B,N,1)"
        return from_patches(self.tiles[codes[..., 0]], self.patch, self.size)


def _check_size(images, size):
    "Refuse pictures that are not (B,3,size,size). Raises `ValueError`"
    if tuple(images.shape[1:]) != (3, size, size):
        raise ValueError(f'expected pictures (B,3,{size},{size}), got {tuple(images.shape)}')


class PatchLatents(Configured, nn.Module):
    """Every patch of a picture as a few numbers, mean zero and deviation one over the given pictures: the first
    principal components, each divided by its deviation. No network, nothing to train"""

    def __init__(
        self,
        pictures=None,  # (n,3,S,S) float: what the components are taken from; None leaves them to a file
        patch: int = 8,  # pixels along each side of a patch
        dim: int = 12,  # numbers of a patch
        size: int = 24,  # pixels along each side, without pictures
    ):
        super().__init__()
        size = size if pictures is None else pictures.shape[-1]
        if size % patch:
            raise ValueError(f'patches of {patch} pixels do not tile pictures of {size}')
        self.size, self.patch = size, patch
        self.dim = dim
        if pictures is None:
            self._leave_open()
        else:
            self._fit(pictures)
        self._arguments = dict(patch=patch, dim=self.dim, size=size)

    def _leave_open(self):
        "Zeros in place of components"
        pixels = 3 * self.patch**2
        shapes = dict(mean=[pixels], basis=[self.dim, pixels], inverse=[self.dim, pixels], low=[self.dim])
        for name, shape in (shapes | dict(high=[self.dim])).items():
            self.register_buffer(name, torch.zeros(shape))

    def _fit(self, pictures):
        "Mean and components of pictures, and the range of their latents"
        patches = to_patches(pictures, self.patch).flatten(0, 1).double()
        _, values, basis = torch.linalg.svd(patches - patches.mean(0), full_matrices=False)
        deviation = values / len(patches) ** 0.5
        rank = int((deviation > 1e-4 * deviation[0]).sum())
        self.dim = min(self.dim, rank)
        self.register_buffer('mean', patches.mean(0).float())
        self.register_buffer('basis', (basis[: self.dim] * deviation[: self.dim, None]).float())
        self.register_buffer('inverse', (basis[: self.dim] / deviation[: self.dim, None]).float())
        latents = self.encode(pictures)
        self.register_buffer('low', latents.amin((0, 1)))
        self.register_buffer('high', latents.amax((0, 1)))

    def encode(self, images):
        "(B,N,dim) float: latents of pictures (B,3,S,S). Raises `ValueError`"
        _check_size(images, self.size)
        return (to_patches(images, self.patch) - self.mean) @ self.inverse.T

    def decode(self, latents):
        "(B,3,S,S) float in [0,1]: the pictures of latents (B,N,dim)"
        return from_patches(latents @ self.basis + self.mean, self.patch, self.size).clamp(0, 1)

    def clamp(self, latents):
        "Latents within the range of the pictures that the components were taken from"
        return torch.maximum(torch.minimum(latents, self.high), self.low)


def is_codes(pictures):
    "Whether something is a tokenizer into codes, such as `CellCodes` or an `ImageTokenizer` with a quantizer"
    return codebook_sizes(pictures) is not None


def codebook_sizes(pictures):
    "Entries of each codebook, or None where there is none"
    own = getattr(pictures, 'codebook_sizes', None)
    own = own or getattr(getattr(pictures, 'quantizer', None), 'codebook_sizes', None)
    return tuple(own) if own else None
