"""Frequent tokens first, rare ones in clusters with fewer features: a short list, and two doors behind it."""

import torch
import torch.nn.functional as F
from torch import nn

from ...core.errors import CombinationError
from ...core.transfer import needs_fixed_shapes
from ...semantics.cooccurrence import rms_normalize
from .base import Head, log_prior
from .linear_nll import linear_nll

__all__ = ['AdaptiveHead']


class AdaptiveHead(Head):
    "Adaptive softmax (Grave and others, 2017) that starts from the token frequencies and, if given, from features"

    name = 'adaptive'
    whole_vocabulary = True

    def __init__(
        self,
        vocab_size: int,  # tokens
        width: int,  # numbers in a hidden state
        features=None,  # (V,D) features that the rows start from
        cutoffs=(2000, 10000),  # ranks where clusters begin
        div: float = 4.0,  # each cluster has so many times fewer features
    ):
        super().__init__()
        self.norm, self.mix = nn.RMSNorm(width), nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.key.weight)
        cutoffs = [cutoff for cutoff in cutoffs if cutoff < vocab_size] or [vocab_size // 2]
        self.soft = nn.AdaptiveLogSoftmaxWithLoss(width, vocab_size, cutoffs, div_value=div)
        self.features = features
        self.register_buffer('ids', torch.arange(vocab_size))
        self.register_buffer('rank', torch.arange(vocab_size))
        self.register_buffer('edges', torch.tensor(self.soft.cutoffs), persistent=False)
        sizes = [self.soft.head_size, *(tail[1].out_features for tail in self.soft.tail)]
        for i, size in enumerate(sizes):
            self.register_buffer(f'prior{i}', torch.zeros(size))

    @classmethod
    def options(cls, table, width, features=None, **given):
        return dict(vocab_size=len(table), width=width, features=features)

    def _start_rows(self, features):
        "Copy `features` (V,D), sorted by rank, into the rows, as many columns as each has"
        soft, cutoffs = self.soft, self.soft.cutoffs
        width = soft.head.in_features
        if features.shape[1] < width:
            what = f"features of {features.shape[1]} dimensions cannot start rows of width {width}"
            raise CombinationError(f"{what}; use at least as many")
        soft.head.weight[: cutoffs[0]] = features[: cutoffs[0], :width]
        for tail, first, last in zip(soft.tail, cutoffs, cutoffs[1:]):
            tail[1].weight.copy_(features[first:last, : tail[0].out_features])

    @torch.no_grad()
    def set_prior(self, counts):
        "Sort the tokens by `counts` (V,) and start from their frequencies. Raises `CombinationError`"
        counts, cutoffs = counts.to(self.ids.device), self.soft.cutoffs
        self.ids.copy_(counts.argsort(descending=True, stable=True))
        self.rank[self.ids] = torch.arange(len(self.ids), device=self.ids.device)
        log_freq = log_prior(counts)[self.ids]
        tails = [log_freq[first:last] for first, last in zip(cutoffs, cutoffs[1:])]
        clusters = torch.stack([tail.logsumexp(0) for tail in tails])
        self.prior0.copy_(torch.cat([log_freq[: cutoffs[0]], clusters]))
        for i, tail in enumerate(tails):
            getattr(self, f'prior{i+1}').copy_(tail - tail.logsumexp(0))
        if self.features is not None:
            self._start_rows(rms_normalize(self.features)[self.ids.to(self.features.device)])

    def query(self, h):
        "What all lists are asked (N,width)"
        return self.key(F.gelu(self.mix(self.norm(h))))

    def short_list(self, query):
        "(N,cutoff+clusters) log-probabilities of the frequent tokens and of the clusters"
        return (self.soft.head(query).float() + self.prior0).log_softmax(1)

    def cluster(self, i, query):
        "(N,size) log-probabilities of the tokens of cluster `i`, given that it is this one"
        return (self.soft.tail[i](query).float() + getattr(self, f'prior{i+1}')).log_softmax(1)

    def log_probs(self, h):
        query, cutoff = self.query(h), self.soft.cutoffs[0]
        top = self.short_list(query)
        clusters = top[:, cutoff:].split(1, 1)
        tails = [column + self.cluster(i, query) for i, column in enumerate(clusters)]
        return torch.cat([top[:, :cutoff], *tails], 1)[:, self.rank]

    def nll(self, h, ids):
        query, rank = self.query(h), self.rank[ids]
        cutoffs = self.soft.cutoffs
        cluster = torch.bucketize(rank, self.edges, right=True)
        entry = torch.where(cluster == 0, rank, cutoffs[0] + cluster - 1)
        log_probs = self.short_list(query).gather(1, entry[:, None])[:, 0]
        if needs_fixed_shapes(h):
            return self._tails_nll(query, rank, cluster) - log_probs
        for i in range(len(self.soft.tail)):
            rows = (cluster == i + 1).nonzero()[:, 0]
            if not len(rows):
                continue
            within = (rank[rows] - cutoffs[i])[:, None]
            log_probs = log_probs.index_add(0, rows, self.cluster(i, query[rows]).gather(1, within)[:, 0])
        return -log_probs

    def _tails_nll(self, query, rank, cluster):
        "(N,) nats within the clusters: all are asked for all tokens, in chunks; a token of another one costs nothing"
        total = 0.0
        for i, (down, rows) in enumerate(self.soft.tail):
            within = torch.where(cluster == i + 1, rank - self.soft.cutoffs[i], -100)
            total = total + linear_nll(down(query), rows.weight, within, getattr(self, f'prior{i+1}'))
        return total
