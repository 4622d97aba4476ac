"""The likelihood of tokens by the flow to pure noise: reading, the divergence on the way, the density at the end."""

import math
from typing import NamedTuple

import torch

from .gaussian import noise_like

__all__ = [
    'DIVERGENCES', 'FlowNLL', 'SOLVERS', 'SignalNoise', 'exact_divergence', 'flow_nll', 'geometric',
    'hutchinson',
]


class FlowNLL(NamedTuple):
    "Nats (B,) of every row, their three parts (B,), and how often the field was asked"

    nats: torch.Tensor
    reading: torch.Tensor
    path: torch.Tensor
    prior: torch.Tensor
    calls: int


def exact_divergence(field, y, r, generator=None):
    "The field (B,...) and its divergence (B,), by one backward pass for every number of a row"
    with torch.enable_grad():
        y = y.detach().requires_grad_()
        out = field(y, r)
        flat, total = out.flatten(1), torch.zeros(len(y), dtype=y.dtype)
        for i in range(flat.shape[1]):
            (grad,) = torch.autograd.grad(flat[:, i].sum(), y, retain_graph=True)
            total = total + grad.flatten(1)[:, i]
    return out.detach(), total.detach()


def hutchinson(field, y, r, generator=None):
    "The field (B,...) and an unbiased estimate of its divergence (B,) from one random sign for every number"
    with torch.enable_grad():
        y = y.detach().requires_grad_()
        out = field(y, r)
        sign = torch.randint(2, y.shape, generator=generator).to(y) * 2 - 1
        (grad,) = torch.autograd.grad((out * sign).sum(), y)
    return out.detach(), (grad * sign).flatten(1).sum(1).detach()


DIVERGENCES = dict(exact=exact_divergence, hutchinson=hutchinson)


def _euler(slope, y, r, h):
    x, rate = slope(y, r)
    return y + h * x, h * rate


def _midpoint(slope, y, r, h):
    x, _ = slope(y, r)
    x, rate = slope(y + h / 2 * x, r + h / 2)
    return y + h * x, h * rate


def _runge_kutta(slope, y, r, h):
    first = slope(y, r)
    second = slope(y + h / 2 * first[0], r + h / 2)
    third = slope(y + h / 2 * second[0], r + h / 2)
    fourth = slope(y + h * third[0], r + h)
    middle = [b + c for b, c in zip(second, third)]
    x, rate = (a + 2 * b + c for a, b, c in zip(first, middle, fourth))
    return y + h / 6 * x, h / 6 * rate


SOLVERS = dict(euler=_euler, midpoint=_midpoint, runge_kutta=_runge_kutta)


def _fixed(slope, y, signals, solver):
    "State at the last signal, and the divergence summed along the way"
    total = torch.zeros(len(y), dtype=y.dtype)
    for r, end in zip(signals[:-1].tolist(), signals[1:].tolist()):
        y, change = SOLVERS[solver](slope, y, r, end - r)
        total = total + change
    return y, total


def _adaptive(slope, y, signals, tolerance):
    "The same with steps whose error, Heun's less Euler's, stays below the tolerance in state and divergence"
    r, end = float(signals[0]), float(signals[-1])
    total, h = torch.zeros(len(y), dtype=y.dtype), (end - r) / 100
    first = slope(y, r)
    while r > end:
        h = max(h, end - r)
        after = slope(y + h * first[0], r + h)
        error = max(float((b - a).abs().amax()) * -h / 2 for a, b in zip(first, after))
        if error <= tolerance:
            y, total = y + h / 2 * (first[0] + after[0]), total + h / 2 * (first[1] + after[1])
            r, first = r + h, slope(y, r + h)
        h *= min(max(0.9 * (tolerance / max(error, 1e-300)) ** 0.5, 0.2), 3.0)
    return y, total


def _check(signals, solver, divergence, tolerance):
    "Refuse a path or a method that there is not. Raises `ValueError`"
    if signals.dim() != 1 or len(signals) < 2 or not (signals.diff() < 0).all() or not signals[-1] > 0:
        raise ValueError('signals should be two or more, above 0, and fall from little noise to much')
    if solver not in (*SOLVERS, 'adaptive'):
        raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, adaptive, got '{solver}'")
    if divergence not in DIVERGENCES:
        raise ValueError(f"divergence must be one of {', '.join(DIVERGENCES)}, got '{divergence}'")
    if solver == 'adaptive' and (divergence != 'exact' or not tolerance > 0):
        raise ValueError(
            f'adaptive steps need the exact divergence and a tolerance above 0, got {divergence}, {tolerance}'
        )


def flow_nll(
    x,  # (B,...) float: points of the tokens
    field,  # function of y (B,...) and a signal r to the predicted points (B,...)
    read,  # function of y (B,...) and r to the nats (B,) of reading the tokens there
    signals,  # (T+1,) alpha/sigma, falling; 'adaptive' takes the ends alone
    solver: str = 'midpoint',  # or 'euler', 'runge_kutta', 'adaptive'
    divergence: str = 'exact',  # or 'hutchinson', one random direction a call
    tolerance: float = 1e-3,  # of an adaptive step
    generator=None,  # torch generator on the CPU
) -> FlowNLL:
    """One draw of a bound on -log p of every row (LangFlow: Chen and others, 2026, https://arxiv.org/abs/2604.11748).
    With y = r x + noise the probability flow is dy/dr = field(y, r). A bound needs the whole divergence of the very
    field that moves the state: a prediction that is fed back must not be cut from it. Raises `ValueError`"""
    signals = torch.as_tensor(signals, dtype=torch.double)
    _check(signals, solver, divergence, tolerance)
    calls = 0

    def slope(y, r):
        nonlocal calls
        calls += 1
        return DIVERGENCES[divergence](field, y, r, generator)

    y = float(signals[0]) * x + noise_like(x, generator)
    reading = read(y, float(signals[0])).detach()
    if solver == 'adaptive':
        y, total = _adaptive(slope, y, signals, tolerance)
    else:
        y, total = _fixed(slope, y, signals, solver)
    prior = (y.square().flatten(1) - 1).sum(1) / 2
    return FlowNLL(reading - total + prior, reading, -total, prior, calls)


class _Signal:
    "Time is the signal itself"

    def alpha(self, t):
        return t


class SignalNoise:
    "Noisy points y = r x + noise as a process that the bound audit can ask: its time is the signal r"

    name, schedule = 'signal_noise', _Signal()

    def __init__(
        self,
        points,  # (V,D) float
    ):
        self.points = torch.as_tensor(points).double()
        if self.points.dim() != 2 or len(self.points) < 2:
            raise ValueError(f'points should be (V,D), two or more, got {tuple(self.points.shape)}')

    def likelihood(self, y, r):
        "(B,L,V) likelihood of y (B,L,D) for every token, the largest of a place is one"
        r = torch.as_tensor(r, dtype=torch.double).reshape(-1, 1, 1)
        scores = r * (y @ self.points.T) - r**2 * self.points.square().sum(1) / 2
        return (scores - scores.detach().amax(-1, keepdim=True)).exp()

    def expected(self, log_probs):
        "(B,L,D) mean point"
        return log_probs.exp() @ self.points


def geometric(first: float, last: float, steps: int) -> torch.Tensor:
    "(steps+1,) signals that fall by equal factors"
    return torch.linspace(math.log(first), math.log(last), steps + 1, dtype=torch.double).exp()
