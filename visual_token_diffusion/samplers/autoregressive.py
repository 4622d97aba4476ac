"""The autoregressive sampler is the masked one, one position a call, in reading order."""

from .base import Sampler
from .masked import sample_masked

__all__ = ['AutoregressiveSampler', 'sample_left_to_right']


def sample_left_to_right(
    denoise,  # function (x, mask, where) -> (ids, log_probs)
    process,  # not asked
    x,  # (B,L) long; values at masked positions are ignored
    *,
    mask=None,  # (B,L) bool: positions to be written; None is all
    steps=None,  # not asked: one call for each position
    generator=None,  # not asked: `denoise` draws
):
    "Yields a `SamplerStep` for the start and after each position. Raises `ValueError`"
    options = dict(mask=mask, steps=max(x.shape[1], 1), order='left_to_right')
    yield from sample_masked(denoise, process, x, **options)


class AutoregressiveSampler(Sampler):
    "Writes one token after the other"

    name = 'autoregressive'
    processes = ('autoregressive', 'masked')
    sample = staticmethod(sample_left_to_right)
