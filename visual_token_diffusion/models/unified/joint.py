"""Joint sampling of a caption and its picture, without a condition."""

import math
from typing import NamedTuple

import torch

from ...core.sampling import sample_categorical, top_k_mask
from ...samplers.ode import sample_ddim, sample_euler

__all__ = ['JointState', 'draw', 'noise_times', 'write_both']


class JointState(NamedTuple):
    "State of caption and picture: nothing at t=1, all at t=0"

    ids: torch.Tensor  # (n,T) long: words
    text_mask: torch.Tensor  # (n,T) bool: words that are masked
    x: torch.Tensor  # (n,P) long codes, or (n,P,D) noised latents
    mask: torch.Tensor  # (n,P) bool: codes that are masked; None where pictures are noised
    pred: torch.Tensor  # like x: the likeliest codes, or the expected latents, before this step; None at the start
    t: float  # the time


def draw(
    scores,  # (...,K)
    temperature: float,  # 0: argmax
    generator=None,  # torch generator on the CPU
):
    "Samples (...) of the softmax and their log-probabilities (...)"
    log_probs = scores.log_softmax(-1)
    if temperature == 0:
        drawn = log_probs.argmax(-1)
    else:
        drawn = sample_categorical((log_probs / temperature).softmax(-1), generator)
    return drawn, log_probs.gather(-1, drawn[..., None])[..., 0]


def noise_times(
    is_flow: bool,  # a flow starts at pure noise, where the schedules of diffusion would divide by zero
    steps: int,
):
    "(steps+1,) float64: decreasing times of a noised picture"
    return torch.linspace(1 if is_flow else 1 - 1e-3, 0, steps + 1, dtype=torch.double)


class _Unmasking:
    "Tokens (n,L), all masked at first, and the order in which they are unmasked"

    def __init__(self, n, length, first, order, temperature, generator):
        self.ids = torch.zeros(n, length, dtype=torch.long, device=first.device)
        self.mask = torch.ones_like(self.ids, dtype=torch.bool)
        self.first = first  # the number of the head's class that is token 0, at each position
        self.order, self.generator = order, generator
        self.temperature = temperature
        self.rank = torch.rand(n, length, generator=generator).to(first.device)

    def down_to(self, n_masked, scores):
        "Unmask until `n_masked` remain in each row, from logits (n,L,K)"
        n_now = self.mask.sum(1)
        if n_masked >= n_now.max():
            return
        drawn, log_probs = draw(scores, self.temperature, self.generator)
        rank = log_probs if self.order == 'confidence' else self.rank
        to_unmask = top_k_mask(rank, self.mask, n_now - n_masked)
        self.ids = torch.where(to_unmask, drawn - self.first, self.ids)
        self.mask = self.mask & ~to_unmask


def _both_masked(model, words, codes, steps):
    "Words and codes are unmasked in proportion; with as many steps as there are of them, one a step"
    yield JointState(words.ids, words.mask, codes.ids, codes.mask, None, 1.0)
    for remaining in range(steps - 1, -1, -1):
        scores, out = model.joint_out(codes.ids, words.ids, words.mask, codes.mask)
        pred = torch.where(codes.mask, out.argmax(-1) - codes.first, codes.ids)
        words.down_to(model.text_length * remaining // steps, scores)
        codes.down_to(-(-model.n_places * remaining // steps), out)
        yield JointState(words.ids, words.mask, codes.ids, codes.mask, pred, remaining / steps)


def _both_noised(model, words, n, steps, generator):
    "The picture by its ODE or ancestral sampler, and at time t a share t of the words masked"
    process, text_scores = model.process, []

    def denoise(x, t):
        scores, out = model.joint_out(x, words.ids, words.mask, None, t)
        text_scores[:] = [scores]
        return model.pictures.clamp(process.to_x0(out, x, t))

    is_flow = model.switches.picture_objective == 'flow'
    options = dict(times=noise_times(is_flow, steps), generator=generator)
    x = process.prior((n, *model.codes_shape), generator).to(model.text_place)
    if is_flow:
        sampler = sample_euler(denoise, process, x, **options)
    else:
        sampler = sample_ddim(denoise, process, x, eta=1.0, **options)
    for step in sampler:
        if text_scores:
            words.down_to(math.ceil(model.text_length * step.t), text_scores[0])
        yield JointState(words.ids, words.mask, step.x, None, step.pred, step.t)


@torch.no_grad()
def write_both(
    model,  # a `UnifiedModel` with `joint_weight`
    n: int = 1,  # pairs
    steps: int = 0,  # network calls; 0: one for each word and each code, 30 for noise
    generator=None,  # torch generator on the CPU
    temperature: float = 1.0,  # of words and codes; 0: argmax
    order: str = 'random',  # or 'confidence': the most confident first
):
    "Yields a `JointState` for the start and after every step. Raises `ValueError`"
    if not model.switches.joint_weight:
        raise ValueError('a caption and its picture are sampled jointly by a model with joint_weight in its switches')
    if n < 1 or steps < 0 or temperature < 0 or order not in ('random', 'confidence'):
        known = "n must be at least 1, steps and temperature 0, order 'random' or 'confidence'"
        raise ValueError(f"{known}; got {n}, {steps}, {temperature}, '{order}'")
    options = order, temperature, generator
    first = torch.zeros(model.text_length, dtype=torch.long, device=model.text_place.device)
    words = _Unmasking(n, model.text_length, first, *options)
    if model.switches.is_noised:
        yield from _both_noised(model, words, n, steps or 30, generator)
    else:
        codes = _Unmasking(n, model.n_places, model.starts, *options)
        yield from _both_masked(model, words, codes, steps or model.text_length + model.n_places)
