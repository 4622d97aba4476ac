"""A causal transformer over bytes, or over other tokens: the plain baseline, and a source of entropies for patchers."""

import torch
import torch.nn.functional as F
from torch import nn

from ..core.configured import Configured
from ..networks.attention_masks import causal
from ..networks.byte_hash import HashedNGrams
from ..networks.transformer import Backbone
from ..text.patches import OFFSET

__all__ = ['ByteModel', 'check_tokens', 'token_nll']


def check_tokens(
    tokens,  # (B,1+N) long
    size: int = 256,  # different tokens without the first four
):
    "Raises `ValueError` unless rows hold a start and then tokens, perhaps with padding (-1) behind"
    if tokens.dim() != 2 or tokens.shape[1] < 2:
        raise ValueError(f'expected rows of at least one token behind the start, got {tuple(tokens.shape)}')
    rest = tokens[:, 1:]
    wrong = ((rest < OFFSET) & (rest != -1)) | (rest >= size + OFFSET)
    if wrong.any():
        token = int(rest[wrong][0])
        raise ValueError(f'token {token} is none of the {size} from {OFFSET} on; `byte_tokens` makes them from text')


def token_nll(
    logits,  # (B,N,V)
    tokens,  # (B,1+N) long: the start, and what is predicted
) -> torch.Tensor:
    "(B,) nats of each row; padding costs nothing"
    targets = (tokens[:, 1:] - OFFSET).clamp(min=-1)
    nats = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=-1, reduction='none')
    return nats.sum(1)


class ByteModel(Configured, nn.Module):
    "Tokens from the left: exact negative log-likelihoods, and the entropy of every next token"

    def __init__(
        self,
        vocab_size: int = 256,  # tokens without the start
        width: int = 64,  # features of a position
        depth: int = 2,  # layers
        heads: int = 2,  # attention heads
        functions: int = 0,  # hash functions of n-gram embeddings; 0 for none
        rows: int = 30_000,  # of the table of each
    ):
        super().__init__()
        self.vocab_size = vocab_size
        self.embed = nn.Embedding(vocab_size + OFFSET, width)
        self.ngrams = HashedNGrams(width, functions=functions, rows=rows) if functions else None
        self.backbone = Backbone(width, depth, heads, offsets=(-2, -1))
        self.out = nn.Linear(width, vocab_size, bias=False)
        nn.init.zeros_(self.out.weight)

    def logits(
        self,
        tokens,  # (B,N) long, with the start
    ):
        "(B,N,V): of the token after each"
        seen = tokens.clamp(min=0)
        x = self.embed(seen)
        if self.ngrams is not None:
            x = x + self.ngrams(seen)
        return self.out(self.backbone(x, causal))

    def forward(self, tokens, starts=None):
        "(B,) nats of rows (B,1+N); `starts` is not asked. Raises `ValueError`"
        check_tokens(tokens, self.vocab_size)
        return token_nll(self.logits(tokens[:, :-1]), tokens)

    @torch.no_grad()
    def entropies(
        self,
        tokens,  # (B,N) long, with the start
        chunk: int = 256,  # rows computed together
    ):
        "(B,N) float nats: entropy of the token after each"
        found = []
        for some in tokens.split(chunk):
            log_probs = self.logits(some).float().log_softmax(-1)
            found.append(-(log_probs.exp() * log_probs).sum(-1))
        return torch.cat(found)
