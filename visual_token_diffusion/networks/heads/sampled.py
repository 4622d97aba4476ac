"""A softmax that is trained against two thousand random tokens instead of all, and measured against all."""

import torch

from .tied import TiedHead

__all__ = ['SampledHead']


class SampledHead(TiedHead):
    "Tied softmax, trained against a shared sample of tokens (Jean and others, 2015); measured against all"

    name = 'sampled'

    def __init__(
        self,
        embedding,
        width,
        skip=0,
        n: int = 2048,  # tokens in the sample
    ):
        super().__init__(embedding, width, skip)
        self.n = n
        uniform = torch.full_like(self.prior, 1 / len(self.prior))
        self.register_buffer('proposal', uniform, persistent=False)

    def set_prior(self, counts):
        super().set_prior(counts)
        flatter = self.prior.exp() ** 0.75  # so that rare tokens come up, too (the exponent of word2vec)
        self.proposal.copy_(flatter / flatter.sum())

    def _sampled_nll(self, h, ids):
        "(N,) estimates: the token itself against a sample, each sampled token counted as 1/(n q) tokens"
        others = torch.multinomial(self.proposal, self.n, replacement=True)
        query, log_often = self.query(h), (self.proposal * self.n).log()
        own = (query * self.emb(ids)).sum(1) + self.prior[ids]
        rest = query @ self.emb(others).T + (self.prior - log_often)[others]
        rest = rest.masked_fill(others == ids[:, None], -torch.inf)
        return torch.logsumexp(torch.cat([own[:, None], rest], 1).float(), 1) - own.float()

    def nll(self, h, ids):
        return self._sampled_nll(h, ids) if self.training else super().nll(h, ids)
