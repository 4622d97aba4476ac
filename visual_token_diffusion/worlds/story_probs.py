"The exact probability of every word in rows of stories, and the word that a perfect guesser would say."

from typing import NamedTuple

import torch

from .prefix import Walk
from .stories import stories

__all__ = ['GrammarProbs', 'grammar_probs']


class GrammarProbs(NamedTuple):
    "Of every word, given those before it: nats, and the likeliest word"

    log_prob: torch.Tensor
    mode: torch.Tensor


def grammar_probs(
    rows,  # (B,n) long: words of stories, from the beginning of a sentence; V ends one
) -> GrammarProbs:
    "The exact probabilities of the grammar"
    grammar = stories()
    end = len(grammar.words)
    pieces = {}
    for b, row in enumerate(rows.tolist()):
        at = 0
        while at < len(row):
            stop = row.index(end, at) + 1 if end in row[at:] else len(row)
            pieces.setdefault(stop - at, []).append((b, at))
            at = stop
    log_prob = torch.zeros(rows.shape, dtype=torch.float64)
    mode = torch.zeros_like(rows)
    for length, places in pieces.items():
        b, at = torch.tensor(places).T
        walk = Walk(grammar, len(places))
        for k in range(length):
            p, said = torch.from_numpy(walk.next()), rows[b, at + k]
            log_prob[b, at + k] = p.gather(1, said[:, None])[:, 0].log()
            mode[b, at + k] = p.argmax(1)
            if k + 1 < length:
                walk = walk.push(said.numpy())
    return GrammarProbs(log_prob, mode)
