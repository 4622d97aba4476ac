"""Prompts that end inside a token: the end is written anew, among the tokens that spell it and perhaps go on, known as
token healing. Without it, a text learned as tokens ' was' and ' the' cannot go on from 'It wa' or 'It was '."""

from functools import lru_cache, partial

import torch

from ..core.sampling import sample_logits

__all__ = ['heal_ends', 'open_end']


def _starts(vocab):
    "What tokens begin with and go on from, as a set of bytes, and the length of the longest token; kept with it"
    if 'starts' not in vars(vocab):
        vocab.starts = {token[:n] for token in vocab.bytes for n in range(1, len(token))}
    return vocab.starts, max(map(len, vocab.bytes))


def open_end(
    vocab,  # a `Vocab`
    ids: list,  # tokens of a prompt
) -> tuple:
    """`(kept, rest)`: the tokens that stand, and the bytes of the others, of which some token is a longer spelling;
    nothing is left open where tokens have no bytes"""
    spelled = getattr(vocab, 'bytes', None)
    if spelled is None:
        return ids, b''
    starts, longest = _starts(vocab)
    rest, best = b'', 0
    for n in range(1, len(ids) + 1):
        rest = spelled[ids[-n]] + rest
        if len(rest) >= longest:
            break
        if rest in starts:
            best = n
    kept = ids[: len(ids) - best]
    return kept, b''.join(spelled[i] for i in ids[len(kept) :])


def _fitting(vocab, rest):
    "Tokens that spell a beginning of `rest`, or all of it and more, as (n,) long"
    fits = [i for i, token in enumerate(vocab.bytes) if token.startswith(rest) or rest.startswith(token)]
    return torch.tensor(fits)


def _next_tokens(model, ids, mask, rows, choices, temperature, top_p, generator):
    "One token for each of some rows, each at its own position and among its own choices"
    at = torch.tensor([position for _, position in rows], device=ids.device)
    which = torch.tensor([row for row, _ in rows], device=ids.device)
    hidden_states = model.hidden_states(ids[which], mask[which])[torch.arange(len(rows), device=ids.device), at]
    log_probs = model.head.log_probs(hidden_states).cpu()
    return [
        int(few[sample_logits(row[few], temperature, generator, top_p)]) for row, few in zip(log_probs, choices)
    ]


@torch.no_grad()
def heal_ends(
    model,  # with `vocab`, `hidden_states` and `head`
    ids,  # (B,L) long, from `prompt_ids`; changed in place, as the next
    mask,  # (B,L) bool
    temperature: float = 1.0,
    top_p: float = 1.0,
    generator=None,  # torch generator on the CPU
):
    "Write the open ends of prompts anew, by the model's chances of the tokens that fit. Every text begins as before"
    ends = {}
    for i, n in enumerate((~mask).sum(1).tolist()):
        kept, rest = open_end(model.vocab, ids[i, :n].tolist())
        if rest and len(kept) + len(rest) < ids.shape[1]:
            ends[i] = [len(kept), rest]
            mask[i, len(kept) :] = True
            ids[i, len(kept) :] = 0
    fitting = lru_cache(partial(_fitting, model.vocab))
    while ends:
        rows = [(i, position) for i, (position, _) in ends.items()]
        choices = [fitting(rest) for _, rest in ends.values()]
        tokens = _next_tokens(model, ids, mask, rows, choices, temperature, top_p, generator)
        for (i, position), token in zip(rows, tokens):
            ids[i, position], mask[i, position] = token, False
            rest = ends[i][1][len(model.vocab.bytes[token]) :]
            ends[i] = [position + 1, rest]
        ends = {i: end for i, end in ends.items() if end[1]}
