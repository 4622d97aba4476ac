"""A loss for samplers that commit by confidence: cross-entropy, and the entropy of what is right already."""

import torch.nn.functional as F

__all__ = ['confidence_loss']


def confidence_loss(
    logits,  # (...,V)
    targets,  # (...) long
    weight=None,  # (...) of each token, in both terms; None is one
    entropy_weight: float = 1.0,  # of the entropy of tokens whose prediction is right
    temperature: float = 1.0,  # of the entropy
):
    """`(loss, cross-entropy, entropy)`, nats a token, each a mean by `weight`; the entropy only of tokens that the
    most likely prediction has right (LLaDA2.1, 2026, https://arxiv.org/abs/2602.08676; as in `diffusers`). No bound
    on a likelihood. Raises `ValueError`"""
    if targets.shape != logits.shape[:-1]:
        raise ValueError(f"targets should be {tuple(logits.shape[:-1])}, got {tuple(targets.shape)}")
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    flat = logits.flatten(0, -2)
    nll = F.cross_entropy(flat, targets.flatten(), reduction='none').view(targets.shape)
    weight = nll.new_ones(nll.shape) if weight is None else weight.to(nll)
    ce = (nll * weight).sum() / weight.sum().clamp(min=1)
    log_probs = (logits / temperature).log_softmax(-1)
    entropy = -(log_probs.exp() * log_probs).sum(-1)
    right = weight * (logits.argmax(-1) == targets)
    sharp = (entropy * right).sum() / right.sum().clamp(min=1)
    return ce + entropy_weight * sharp, ce, sharp
