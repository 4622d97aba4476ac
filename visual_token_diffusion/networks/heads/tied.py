"""The rows that read a token also write it: one table for both ends, or frozen features in its place."""

import torch
from torch import nn

from ...semantics.cooccurrence import rms_normalize
from .base import SoftmaxHead

__all__ = ['FrozenHead', 'TiedHead']


class TiedHead(SoftmaxHead):
    "One softmax over all tokens whose rows are the input's rows (Press and Wolf, 2017)"

    name = 'tied'
    reads = 'tokens'
    needs = ('embedding',)
    takes_skip = whole_vocabulary = True

    def __init__(
        self,
        embedding: nn.Embedding,  # the input's rows (V,D)
        width: int,  # numbers in a hidden state
        skip: int = 0,  # so many more arrive behind them: a query from a skip connection
    ):
        super().__init__(embedding.num_embeddings, width)
        self.emb, self.skip = embedding, skip
        self.key = nn.Linear(width, embedding.embedding_dim, bias=False)
        nn.init.zeros_(self.key.weight)

    @classmethod
    def options(cls, table, width, embedding=None, skip=False, **given):
        return dict(embedding=embedding, width=width, skip=skip * embedding.embedding_dim)

    def linear(self, h):
        return self.query(h), self.emb.weight

    def query(self, h):
        "What is asked of the rows (N,D)"
        if not self.skip:
            return self.key(self.mixed(h))
        return self.key(self.mixed(h[:, : -self.skip])) + h[:, -self.skip :]


class FrozenHead(SoftmaxHead):
    "One softmax over frozen features, and a learned number per token"

    name = 'frozen'
    reads = 'features'
    needs = ('features',)
    takes_skip = whole_vocabulary = True
    query = TiedHead.query

    def __init__(
        self,
        features,  # (V,D)
        width: int,  # numbers in a hidden state
        skip: int = 0,  # so many more arrive behind them: a query from a skip connection
    ):
        super().__init__(len(features), width)
        self.skip = skip
        self.register_buffer('features', rms_normalize(features))
        self.key = nn.Linear(width, features.shape[1], bias=False)
        self.bias = nn.Parameter(torch.zeros(len(features)))
        nn.init.zeros_(self.key.weight)

    @classmethod
    def options(cls, table, width, features=None, skip=False, **given):
        return dict(features=features, width=width, skip=skip * features.shape[1])

    def set_features(self, features):
        self.features.copy_(features)

    def linear(self, h):
        return self.query(h), self.features

    def offset(self):
        return self.prior + self.bias

    def logits(self, h):
        return super().logits(h) + self.bias
