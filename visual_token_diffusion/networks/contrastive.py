"""Contrastive loss between two batches of vectors, row by row."""

import torch
import torch.nn.functional as F

__all__ = ['info_nce']


def info_nce(
    a,  # (B,D) float
    b,  # (B,D) float: row i belongs to row i of `a`
    temperature: float = 0.07,  # a number or a tensor; cosines are divided by it
    symmetric: bool = True,  # the mean of both directions, as in CLIP; False looks from `a` to `b` only
) -> torch.Tensor:
    """Scalar, nats: cross-entropy of finding the right row by cosine (van den Oord and others, 2018,
    https://arxiv.org/abs/1807.03748). Raises `ValueError` for batches of other shapes"""
    if a.dim() != 2 or a.shape != b.shape:
        raise ValueError(f'expected two batches (B,D), got {tuple(a.shape)} and {tuple(b.shape)}')
    logits = F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).T / temperature
    target = torch.arange(len(a), device=a.device)
    loss = F.cross_entropy(logits, target)
    if not symmetric:
        return loss
    return (loss + F.cross_entropy(logits.T, target)) / 2
