"""A bound on -log p leaves all sequences of a toy a probability of one at most, whatever the network claims."""

from typing import NamedTuple

import torch

__all__ = ['ClaimedMass', 'claimed_mass']


class ClaimedMass(NamedTuple):
    "The sum of exp(-bound) over all sequences, its standard error, and whether it can be a bound"

    mass: float
    se: float

    @property
    def possible(self):
        "Is the sum at most one, within four standard errors?"
        return self.mass <= 1 + 4 * self.se + 1e-9


def claimed_mass(
    nats,  # (S,draws) estimates of the bound of every sequence that there is, each row its own
) -> ClaimedMass:
    """Where every row of `nats` has the mean of a bound on -log p of one sequence, exp(-mean) sums to one at most,
    since p does. With an ideal denoiser the sum is one; whatever the denoiser, an estimator that claims more is no
    bound. Raises `ValueError` for fewer than two draws"""
    nats = torch.as_tensor(nats).double()
    if nats.dim() != 2 or nats.shape[1] < 2 or not nats.isfinite().all():
        raise ValueError(f'expected finite nats (sequences, draws), two draws or more, got {tuple(nats.shape)}')
    p = (-nats.mean(1)).exp()
    se = nats.std(1) / nats.shape[1] ** 0.5
    return ClaimedMass(float(p.sum()), float((p * se).square().sum().sqrt()))
