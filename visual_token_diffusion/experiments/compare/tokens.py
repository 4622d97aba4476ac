"""What comparisons of codebooks, encoders and decoders share: the tokens of a text, their features and categories."""

from typing import NamedTuple

import torch

from ...semantics.cooccurrence import directed_cooccurrence
from ...text.vocab import make_vocab
from ...worlds.stories import category_of

__all__ = ['Tokens', 'tokens_of']


class Tokens(NamedTuple):
    "The words of a text"

    names: list  # V strings
    ids: torch.Tensor  # (N,) long: the text
    features: torch.Tensor  # (V,D): what stands beside them
    categories: torch.Tensor  # (V,) long, or None where nobody knows them


def tokens_of(world, seed, cfg) -> Tokens:
    "The most frequent `cfg.tokens` words of a text world, and where a text of `cfg.sentences` has them"
    text = world.text(cfg.sentences, seed)
    vocab = make_vocab('words', text, max_size=cfg.tokens)
    ids = torch.tensor(vocab.encode(text))
    dim = min(32, max(2, len(vocab) // 4))
    features = directed_cooccurrence(ids, len(vocab), dim)
    categories = None
    if world.grammar:
        known, names = category_of(), {}
        groups = [names.setdefault(known.get(word, word), len(names)) for word in vocab.tokens]
        categories = torch.tensor(groups)
    return Tokens(list(vocab.tokens), ids, features, categories)
