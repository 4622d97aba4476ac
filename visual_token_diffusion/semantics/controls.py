"""Two controls: features at random, and every token an axis of its own."""

import torch

from .base import Semantics

__all__ = ['OneHotSemantics', 'RandomSemantics']


class RandomSemantics(Semantics):
    "Random features: the control that knows nothing"

    name = 'random'

    def __init__(self, dim: int = 128, seed: int = 0):
        self.dim, self.seed = dim, seed

    @classmethod
    def build(cls, *, ids=None, dim=128, window=4, seed=0):
        return cls(dim, seed)

    def features(self, tokens):
        "(V,dim) float32, normally distributed"
        generator = torch.Generator().manual_seed(self.seed)
        return torch.randn(len(tokens), self.dim, generator=generator)


class OneHotSemantics(Semantics):
    "Every token its own axis: nothing is like anything"

    name = 'one_hot'

    def __init__(
        self,
        dim: int = None,  # columns; None takes as many as there are tokens
    ):
        self.dim = dim

    def features(self, tokens):
        "(V,dim) float32. Raises `ValueError` for fewer columns than tokens"
        dim = self.dim or len(tokens)
        if dim < len(tokens):
            raise ValueError(f"{len(tokens)} one-hot rows need as many dimensions, got {dim}")
        return torch.eye(len(tokens), dim)
