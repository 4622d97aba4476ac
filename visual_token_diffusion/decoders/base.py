"""From a grid back to its token: log-probabilities, the best token, and a refusal of what is no grid."""

import torch

from ..core.errors import CombinationError
from ..core.given import check_type
from ..core.registry import Registered

__all__ = ['Decoder', 'check_grids']


def check_grids(
    grids,  # (...,3,size,size) float
    size: int,  # side of a grid
):
    "Grids (B,3,size,size), float32 or float64. Raises `ValueError` for wrong shapes, types and values"
    check_type(grids, torch.Tensor, 'a tensor of grids', '`model.decode_grids` also takes arrays, pictures and paths')
    if grids.dim() < 3 or tuple(grids.shape[-3:]) != (3, size, size):
        raise ValueError(f"grids should be (...,3,{size},{size}), got shape {tuple(grids.shape)}")
    if not grids.is_floating_point():
        raise ValueError(
            f"grids should be floats with data in [0,1], got {grids.dtype}; divide 8-bit values by 255"
        )
    if not grids.isfinite().all():
        raise ValueError("grids hold NaN or infinite values")
    top = grids.abs().max().item() if grids.numel() else 0
    if top > 50:
        wanted = "grids should have data in [0,1] and moderate noise"
        raise ValueError(f"{wanted}, got values up to {top:.0f}; divide 8-bit values by 255")
    return (grids if grids.dtype == torch.double else grids.float()).reshape(-1, 3, size, size)


class Decoder(Registered):
    """Grids (...,3,size,size) in, tokens out.

    A part states `name`, sets `size` and `vocab_size`, and writes `log_probs`; where there is a quicker way to
    the best token it also writes `decode`, and `build` if it needs no training."""

    size = None  # side of a grid
    vocab_size = None  # tokens

    def log_probs(self, grids):
        "(...,V) log-probabilities of the tokens. Raises `ValueError` for anything but grids"
        raise NotImplementedError(f"{type(self).__name__} should say `log_probs`")

    def decode(self, grids):
        "Ids (...) long of the best tokens. Raises `ValueError` for anything but grids"
        return self.log_probs(grids).argmax(-1)

    @classmethod
    def build(
        cls,
        encoder,  # an `Encoder`
    ):
        "A decoder of the encoder's grids that needs no training. Raises `CombinationError` for one that does"
        raise CombinationError(
            f"the decoder '{cls.name}' has to be trained before it can read; take decoder=nearest"
        )
