"""What a view asks of a model again and again, made once: pictures, neighbors, probabilities."""

from functools import cached_property

import torch

from ..decoders.nearest import NearestDecoder
from ..text.vocab import UnknownToken, encode_strict
from .data_uris import grid_uris

__all__ = [
    'Album', 'code_names', 'leave_one_out', 'nearest', 'one_token', 'probabilities', 'read_typed',
]


@torch.no_grad()
def nearest(
    decoder,  # a `NearestDecoder`
    grids,  # (n,3,size,size)
    k: int,  # how many
):
    "Ids (n,k) of the tokens with the nearest pictures, and their Euclidean distances (n,k)"
    log_probs = decoder.log_probs(grids)
    ids = log_probs.topk(min(k, log_probs.shape[-1])).indices
    difference = decoder.encoder(ids) - grids[:, None]
    return ids, difference.flatten(2).norm(dim=2)


class Album:
    "Pictures and neighbors of a model's tokens, each made when it is first asked for"

    def __init__(
        self,
        model,  # a `VisualTokenLM`, or anything with `encoder` and `vocab`
        decoder=None,  # a `Decoder`; None takes the model's, else the nearest picture
        keep: int = 20000,  # at most so many tokens are kept
    ):
        self.model, self.keep = model, keep
        self.vocab, self.encoder = model.vocab, model.encoder
        self.nearest = NearestDecoder(model.encoder)
        self.decoder = decoder or getattr(model, 'decoder', self.nearest)
        self._uris, self._neighbors = {}, {}

    @cached_property
    def table(self):
        return self.encoder.table

    @property
    def device(self):
        return next(iter(self.encoder.state_dict().values())).device

    def label(self, i):
        return self.vocab.label(i)

    def _get(self, cache, ids, make):
        "What `cache` holds for `ids`; the rest is made, 64 at a time"
        new = [i for i in dict.fromkeys(ids) if i not in cache]
        if len(cache) + len(new) > self.keep:
            cache.clear()
            new = list(dict.fromkeys(ids))
        for k in range(0, len(new), 64):
            part = new[k : k + 64]
            cache.update(zip(part, make(torch.tensor(part, device=self.device))))
        return [cache[i] for i in ids]

    @torch.no_grad()
    def uris(self, ids):
        "A picture's address for each of `ids`"
        return self._get(self._uris, ids, lambda part: grid_uris(self.encoder(part)))

    def _find_neighbors(self, ids, k=8):
        "Pairs of token and distance, `k` for each of `ids`"
        near, distance = nearest(self.nearest, self.encoder(ids), k + 1)
        rows = zip(ids.tolist(), near.tolist(), distance.tolist())
        return [_without(own, zip(*pairs))[:k] for own, *pairs in rows]

    @torch.no_grad()
    def near(self, ids, k: int = 5):
        "The `k` (at most 8) tokens with the nearest pictures and their distances, for each of `ids`"
        return [row[:k] for row in self._get(self._neighbors, ids, self._find_neighbors)]


def _without(own, pairs):
    return [(i, distance) for i, distance in pairs if i != own]


def code_names(encoder) -> tuple:
    "What the codes of an encoder's tokens are called; empty if it has none"
    if not hasattr(encoder, 'codes'):
        return ()
    semantic = ('structure', 'colour', 'texture')
    if all(hasattr(encoder, name) for name in semantic):
        return semantic
    return tuple(f'code {k+1}' for k in range(encoder.codes.shape[1]))


@torch.no_grad()
def leave_one_out(
    model,  # a `VisualTokenLM`
    ids: list,  # a sentence
    batch: int = 16,  # masked tokens at a time
):
    "Yields the probability of each of `ids` given all the others, in lists of `batch`"
    x = torch.tensor(ids, device=model.device)
    for mask in torch.eye(len(ids), dtype=torch.bool, device=model.device).split(batch):
        was_training, weight = model.training, torch.ones(len(mask), device=x.device)
        model.eval()
        try:
            nll = model(x.expand(mask.shape), mask, weight)
        finally:
            model.train(was_training)
        yield (-nll).exp().tolist()


def probabilities(model, ids, batch=16):
    "The same as one list"
    return [p for part in leave_one_out(model, ids, batch) for p in part]


def read_typed(
    vocab,  # a `Vocab`
    text: str,  # what somebody typed
    limit: int = 400,  # tokens that are shown
):
    "At most `limit` ids of `text`, and a line about what is not as typed. Raises `ValueError`"
    if not text.strip():
        raise ValueError("there is no text yet; type a few words")
    notes = []
    text = text if vocab.lossless else text.strip()  # a blank at the end is typed on the way to the next word
    try:
        ids = encode_strict(vocab, text)
    except UnknownToken as e:
        ids = vocab.encode(text)
        notes.append(str(e))
    if not ids:
        raise ValueError("the vocabulary can write nothing of this text; type other words")
    if len(ids) > limit:
        notes.append(f"the first {limit} of {len(ids):,} tokens are shown")
    return ids[:limit], '; '.join(notes)


def one_token(vocab, word):
    "The id of a word that is one token. Raises `ValueError` for all others"
    word = word.strip()
    if not word:
        raise ValueError("a word is missing; type one")
    ids = encode_strict(vocab, word)
    if len(ids) == 1:
        return ids[0]
    raise ValueError(f"'{word[:40]}' is {len(ids)} tokens here; give a word that is one")
