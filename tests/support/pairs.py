"A listed world of 3 symbols on 2 positions, every chain on it, and the perfect denoiser, slowly and fast."

import itertools

import torch

from visual_token_diffusion.diffusion.discrete import Absorbing, Uniform
from visual_token_diffusion.diffusion.discretized_gaussian import DiscretizedGaussian
from visual_token_diffusion.diffusion.schedules import Cosine, Linear, LogLinear

V = 3
TABLE = torch.rand(V, V, generator=torch.Generator().manual_seed(1), dtype=torch.float64) ** 2
TABLE /= TABLE.sum()
PAIRS = list(itertools.product(range(V), repeat=2))
SCHEDULES = [LogLinear(), Cosine(), Linear(), Linear(12.0)]
PROCESSES = [
    process
    for s in SCHEDULES
    for process in (Absorbing(V, s), Uniform(V, s), DiscretizedGaussian(V, 0.7, s))
]
CODES = torch.tensor([[0, 0], [0, 1], [1, 0]])


def label(part):
    return f'{type(part).__name__}-{part.schedule!r}' if hasattr(part, 'schedule') else repr(part)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def kernel(process, a):
    "(S,S) the whole table"
    return process.forward_kernel(torch.eye(process.n_states, dtype=torch.double), a)


def slow_logits(process, x_t, t):
    "The perfect denoiser's logits (N,2,V): each position from the other one, a number at a time"
    res = torch.zeros(len(x_t), 2, V, dtype=torch.double)
    k = kernel(process, process.schedule.alpha(t))
    for n, (a, b) in enumerate(x_t.tolist()):
        for v in range(V):
            res[n, 0, v] = sum(TABLE[v, w] * k[w, b] for w in range(V))
            res[n, 1, v] = sum(TABLE[w, v] * k[w, a] for w in range(V))
    return res.log()


def other_position(likelihood):
    "(B,2,V) probabilities of each position, from the likelihoods (B,2,V) of both"
    first = (TABLE * likelihood[:, 1, None]).sum(2)
    second = (TABLE * likelihood[:, 0, :, None]).sum(1)
    return torch.stack([first, second], 1)


def fast_denoiser(process):
    def denoise(x, t):
        return other_position(process.likelihood(x, process.schedule.alpha(t))[..., :V]).log()

    return denoise


def knows_codes(x, mask):
    "(B,2,V) log-probabilities of the tokens at both positions, given the visible codes of both"
    agrees = ((CODES == x[:, :, None]) | mask[:, :, None]).all(-1).double()
    joint = TABLE * agrees[:, 0, :, None] * agrees[:, 1, None]
    marginals = torch.stack([joint.sum(2), joint.sum(1)], 1)
    return (marginals / joint.sum((1, 2))[:, None, None]).log()


def chi2(ids):
    "Of ids (N,2) against the table: 8 degrees of freedom"
    expected = len(ids) * TABLE.flatten()
    count = torch.bincount(ids @ torch.tensor([V, 1]), minlength=V * V)
    return ((count - expected) ** 2 / expected).sum().item()
