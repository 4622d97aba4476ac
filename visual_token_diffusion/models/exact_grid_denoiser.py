"""The ideal denoiser of noisy grids: Bayes' rule over all texts of a language; what it loses, the process loses."""

import torch
from torch import nn

from . import grid_nelbo, grid_training  # noqa: F401  (they give it its bound and its samples)
from .grid_denoiser import GridDenoiser

__all__ = ['ExactGridDenoiser', 'rows_log_probs', 'rows_posterior', 'windows_log_probs', 'windows_posterior']

_LEAST = -45.0  # nats below the likeliest token: smaller likelihoods are raised, so that sums of products stay above 0


def _likelihood(log_likelihood):
    "(B,L,V) float64, the largest of a place is one"
    log_likelihood = log_likelihood.double()
    return (log_likelihood - log_likelihood.amax(-1, keepdim=True)).clamp(min=_LEAST).exp()


def windows_posterior(
    windows,  # `TextWindows`
):
    "A function from log-likelihoods (B,L,V) of what was seen to exact probabilities (B,L,V), for texts of a grammar"
    return lambda log_likelihood: windows.posterior_given(_likelihood(log_likelihood), chunk=32)


def windows_log_probs(
    windows,  # `TextWindows`
):
    "A function from log-likelihoods (B,L,V) to (B,) nats: the log-density of what was seen, up to the same constant"

    @torch.no_grad()
    def log_probs(log_likelihood):
        "(B,) float64"
        total = torch.cat([windows._total(part) for part in _likelihood(log_likelihood).split(32)])
        return total.log() + log_likelihood.double().amax(-1).sum(1)

    return log_probs


def _of_rows(log_likelihood, rows, p):
    "(B,N) nats: log-density of what was seen together with each row"
    index = rows.T.expand(len(log_likelihood), -1, -1)
    return log_likelihood.double().gather(2, index).sum(1) + p.double().log()


def rows_log_probs(rows, p):
    "The same for a language whose rows are all listed"
    return lambda log_likelihood: _of_rows(log_likelihood, rows, p).logsumexp(1)


def rows_posterior(
    rows,  # (N,L) long: all texts of a small language
    p,  # (N,) their probabilities
):
    "The same for a language whose rows are all listed"

    def posterior(log_likelihood):
        "(B,L,V)"
        weight = _of_rows(log_likelihood, rows, p).softmax(1)
        index = rows.T.expand(len(weight), -1, -1)  # (B,L,N)
        empty = torch.zeros_like(log_likelihood, dtype=torch.double)
        return empty.scatter_add(2, index, weight[:, None].expand_as(index))

    return posterior


class ExactGridDenoiser(GridDenoiser):
    "A `GridDenoiser` without a network: its predictions are exact, its bound has no excess but that of the process"

    def __init__(
        self,
        space,  # a `GridSpace`
        process,  # a `GaussianDiffusion`
        posterior,  # function of log-likelihoods (B,L,V), see `windows_posterior` and `rows_posterior`
    ):
        nn.Module.__init__(self)
        self.space, self.process = space, process
        self.posterior, self.pred_embed = posterior, None
        self.inputs, self.outputs = 'log_likelihood', 'tokens'
        self.bayes = True
        self.register_buffer('unigram', torch.zeros(space.vocab_size))

    def forward(self, z, t, pred=None, cond=None):
        "(B,L,V) float64: exact log-probabilities of the tokens"
        likelihood = self.space.log_likelihood(z, *self.process.alpha_sigma(t, z))
        return self.posterior(likelihood).clamp(min=1e-300).log()
