"""What a causal model reads before a position, from what it has read before where that is possible."""

import torch

from .asked import common_position, states_at

__all__ = ['LeftPredictor', 'LeftToRight']


class LeftToRight:
    "Hidden states of the positions that a sampler asks for: one new position is read, where the rows go together"

    def __init__(
        self,
        model,  # causal, with `hidden_states(x, mask)`, and `cache(n, length)` where it can keep what it has read
    ):
        self.model = model
        self.cache, self.read = None, None  # what is kept, and the tokens (n,p) that it was read from

    def _goes_on(self, x, position, asked):
        "Whether the cache has read the beginning of these rows and nothing behind it"
        if self.cache is None or len(self.read) != len(x) or self.cache.position > position:
            return False
        if asked is not None:
            return not asked.is_first
        return (self.read == x[:, : self.read.shape[1]]).all()

    def states(
        self,
        x,  # (B,L) long
        mask,  # (B,L) bool: what is to be written
        where,  # (B,L) bool: the positions asked for
        asked=None,  # `Asked`; None reads `where` and compares what has been read, which waits for a device
    ):
        "(N,width) for the True positions of `where`, none of which reads what stands at or after it"
        position = self._position(where, asked)
        if position is None:
            return states_at(self.model.hidden_states(x, mask), where, asked)
        if not self._goes_on(x, position, asked):
            most_left = mask.sum(1).max() if asked is None else asked.most_left
            if position > most_left:  # a long prompt, read token by token, costs more than it saves
                return states_at(self.model.hidden_states(x, mask), where, asked)
            self.cache = self.model.cache(len(x), x.shape[1])
        while self.cache.position <= position:
            before = self.cache.position - 1
            h = self.cache.step(None if before < 0 else x[:, before])
        self.read = x[:, :position].clone()
        return h

    def _position(self, where, asked):
        if not hasattr(self.model, 'cache'):
            return None
        return common_position(where) if asked is None else asked.position


class LeftPredictor:
    "Log-probabilities of a causal model's tokens, at positions that are marked or counted"

    def __init__(
        self,
        model,  # causal, with `hidden_states(x, mask)` and a `head`; `window_cache(n, length)` where it can keep
    ):
        self.model = model

    def __call__(self, x, mask, where=None):
        "(N,V) at the True positions of `where`, in order, or (B,L,V) without it"
        h = self.model.hidden_states(x, mask)
        if where is not None:
            return self.model.head.log_probs(h[where])
        return self._log_probs(h)

    def _log_probs(self, h):
        "(B,m,V)"
        return self.model.head.log_probs(h.flatten(0, 1)).view(*h.shape[:2], -1)

    def at(
        self,
        x,  # (B,L) long
        places,  # (B,m) long
    ):
        "(B,m,V), of one shape whatever the places are"
        h = self.model.hidden_states(x, None)
        return self._log_probs(h.gather(1, places[..., None].expand(-1, -1, h.shape[-1])))

    def window(
        self,
        x,  # (B,L) long
        given: int,  # tokens at the start of a row, at most
        ahead: int,  # positions of a call
    ):
        "The function `(x, first (B,)) -> (B,ahead,V)` that reads no token twice, or None where a model keeps nothing"
        if not hasattr(self.model, 'window_cache'):
            return None
        cache = self.model.window_cache(len(x), x.shape[1] + ahead)
        if given:
            cache.states(x, torch.zeros_like(x[:, 0]), given)
        return lambda x, first: self._log_probs(cache.states(x, first, ahead))
