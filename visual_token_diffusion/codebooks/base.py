"""One method gives every token its own short tuple of codes; ways to do it are parts behind it."""

import math

from ..core.registry import Registered, unwritten
from .table import CodeTable, codebook_sizes

__all__ = ['Codebook', 'check_features', 'fit_sizes', 'smallest_codebook']


def smallest_codebook(
    vocab_size: int,  # tokens
    n_codebooks: int = 3,  # codes per token
) -> int:
    "The fewest entries per codebook that give each token its own tuple. Raises `ValueError`"
    if vocab_size < 1 or n_codebooks < 1:
        raise ValueError(f"need a token and a code at least, got {vocab_size} and {n_codebooks}")
    size = max(1, int(round(vocab_size ** (1 / n_codebooks))) - 1)  # a float root may be off by one
    while size**n_codebooks < vocab_size:
        size += 1
    return size


def fit_sizes(
    vocab_size: int,  # tokens
    n_codebooks: int = 3,  # codes per token
    sizes=None,  # entries per codebook: one number, a tuple, None for the fewest
) -> tuple:
    "One size for each codebook. Raises `ValueError` if they cannot hold all tokens"
    if vocab_size < 1:
        raise ValueError("there are no tokens to give codes to")
    if sizes is None:
        sizes = smallest_codebook(vocab_size, n_codebooks)
    sizes = codebook_sizes(sizes, n_codebooks)
    capacity = math.prod(max(size, 0) for size in sizes)
    if capacity >= vocab_size:
        return sizes
    need = smallest_codebook(vocab_size, n_codebooks)
    given = ', '.join(map(str, sorted(set(sizes))))
    text = f"{vocab_size} tokens need {need} entries in each of {n_codebooks} codebooks"
    raise ValueError(f"{text}, {given} give only {capacity} tuples")


def check_features(
    features,  # (V,D)
):
    "Refuse features that are not a table of finite numbers. Raises `ValueError`"
    if features.dim() != 2:
        raise ValueError(f"features should be finite numbers (V,D), got shape {tuple(features.shape)}")
    if not features.isfinite().all():
        raise ValueError("features should be finite numbers; put zeros where nothing is known")


class Codebook(Registered):
    """A way to give every token a tuple of codes of its own.

    A part states `name` and writes `codes(features, sizes, generator, counts) -> (V,M)`, all rows different."""

    def __init__(
        self,
        n_codebooks: int = 3,  # codes per token, where the sizes do not say it
    ):
        self.n_codebooks = n_codebooks

    def codes(self, features, sizes, generator=None, counts=None):
        "Codes (V,M) long on the CPU, all different, within `sizes` (M). Written by every part"
        unwritten(self, 'codes')

    def assign(
        self,
        features,  # (V,D) float, rows of zeros where nothing is known
        sizes=None,  # entries per codebook: one number, a tuple, None for the fewest
        generator=None,  # CPU generator of what is random
        counts=None,  # (V,) how often each token occurs
    ) -> CodeTable:
        "A different tuple for every token. Raises `ValueError`"
        check_features(features)
        n_codebooks = self.n_codebooks if sizes is None or isinstance(sizes, int) else len(sizes)
        sizes = fit_sizes(len(features), n_codebooks, sizes)
        return CodeTable(self.codes(features, sizes, generator, counts), sizes)
