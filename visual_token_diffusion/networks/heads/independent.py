"""Every code by itself, all at once: the cheapest head, and wrong where the codes of a token depend on each other."""

import torch
import torch.nn.functional as F
from torch import nn

from ...codebooks.table import CodeTable
from .base import Head

__all__ = ['IndependentHead']


class IndependentHead(Head):
    "Every code by itself; probabilities of the V tokens may sum to less than one"

    name = 'independent'

    def __init__(
        self,
        table: CodeTable,  # codes of the V tokens
        width: int,  # numbers in a hidden state
    ):
        super().__init__()
        n_codebooks, size = table.n_codebooks, max(table.sizes)
        self.register_buffer('codes', table.codes.clone())
        self.register_buffer('prior', torch.zeros(n_codebooks, size))
        self.norm, self.mix = nn.RMSNorm(width), nn.Linear(width, n_codebooks * width)
        self.out = nn.Parameter(torch.zeros(n_codebooks, width, size))
        self.set_prior(torch.zeros(len(table)))

    def set_prior(self, counts):
        counts = counts.to(self.codes.device).double() + 0.5
        for prior, code in zip(self.prior, self.codes.T):
            mass = torch.zeros_like(prior, dtype=torch.double).index_add(0, code, counts)
            prior.copy_((mass / mass.sum()).clamp(min=1e-9).log())

    def code_log_probs(self, h):
        "(N,M,K) log-probabilities of every code"
        mixed = F.gelu(self.mix(self.norm(h))).unflatten(-1, (len(self.out), -1))
        logits = torch.einsum('nmw,mwk->nmk', mixed, self.out).float()
        return (logits + self.prior).log_softmax(-1)

    def log_probs(self, h):
        return sum(level[:, code] for level, code in zip(self.code_log_probs(h).unbind(1), self.codes.T))

    def nll(self, h, ids):
        return -self.code_log_probs(h).gather(2, self.codes[ids][..., None]).sum((1, 2))
