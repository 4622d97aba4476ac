"""What a sampler's own counting knows of the positions that it asks for, so that no step waits for a device."""

from typing import NamedTuple

from ..core.transfer import needs_fixed_shapes
from .fixed_shape import first_masked

__all__ = ['Asked', 'common_position', 'states_at']


class Asked(NamedTuple):
    "A fourth argument of a denoiser with `takes_asked`: what can be said of `where` without reading it"

    n: int  # True positions
    position: int = None  # the one that every row asks for; None where there is no such position or nobody knows
    most_left: int = None  # masked positions of a row at most
    is_first: bool = True  # whether a new text begins


def states_at(
    h,  # (B,L,width)
    where,  # (B,L) bool
    asked: Asked = None,  # None: `where` is read, which waits for a device
):
    "(N,width): hidden states at the True positions of `where`, in order"
    if asked is None or not needs_fixed_shapes(h):
        return h[where]
    return h.flatten(0, 1).index_select(0, first_masked(where, asked.n)[0])


def common_position(where):
    "The one position that every row of `where` (B,L) asks for, or None; on a device it would be waited for"
    if not len(where) or (where.sum(1) != 1).any():
        return None
    positions = where.int().argmax(1)
    return None if (positions != positions[0]).any() else int(positions[0])
