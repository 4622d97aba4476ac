"""One softmax over all tokens, with a learned row for each: the usual head, which all others are compared with."""

from torch import nn

from .base import SoftmaxHead

__all__ = ['FlatHead']


class FlatHead(SoftmaxHead):
    "One softmax over all tokens, with a row of its own for each"

    name = 'flat'
    whole_vocabulary = True

    def __init__(
        self,
        vocab_size: int,  # tokens
        width: int,  # numbers in a hidden state
        most_logits: int = None,  # in one table, of more none is kept; None: `chunk_size`, 0: never a table
    ):
        super().__init__(vocab_size, width)
        self.most_logits = most_logits
        self.out = nn.Linear(width, vocab_size, bias=False)
        nn.init.zeros_(self.out.weight)

    @classmethod
    def options(cls, table, width, **given):
        return dict(vocab_size=len(table), width=width)

    def linear(self, h):
        return self.mixed(h), self.out.weight
