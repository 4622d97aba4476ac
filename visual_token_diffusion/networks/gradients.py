"""A weight that makes one loss pull as strongly as another."""

import torch

__all__ = ['adaptive_weight']


def adaptive_weight(
    reference,  # scalar loss, with its graph
    loss,  # scalar loss, with its graph
    parameter,  # where both pull, such as the weights of the last layer
    eps: float = 1e-4,  # added to the length of the second gradient
    most: float = 1e4,  # largest weight
) -> torch.Tensor:
    """Scalar, detached: length of the gradient of `reference` over that of `loss` (VQGAN; Esser and others, 2020,
    https://arxiv.org/abs/2012.09841)"""
    first = torch.autograd.grad(reference, parameter, retain_graph=True)[0]
    second = torch.autograd.grad(loss, parameter, retain_graph=True)[0]
    return (first.norm() / (second.norm() + eps)).clamp(0, most).detach()
