"""What a causal model reads before a position, from what it has read before where that is possible."""

__all__ = ['LeftToRight']


def _common_position(where):
    "The one position that every row asks for, or None"
    if not len(where) or (where.sum(1) != 1).any():
        return None
    positions = where.int().argmax(1)
    return None if (positions != positions[0]).any() else int(positions[0])


class LeftToRight:
    "Hidden states of the positions that a sampler asks for: one new position is read, where the rows go together"

    def __init__(
        self,
        model,  # causal, with `hidden_states(x, mask)`, and `cache(n, length)` where it can keep what it has read
    ):
        self.model = model
        self.cache, self.read = None, None  # what is kept, and the tokens (n,p) that it was read from

    def _goes_on(self, x, position):
        "Whether the cache has read the beginning of these rows and nothing behind it"
        if self.cache is None or len(self.read) != len(x) or self.cache.position > position:
            return False
        return (self.read == x[:, : self.read.shape[1]]).all()

    def states(
        self,
        x,  # (B,L) long
        mask,  # (B,L) bool: what is to be written
        where,  # (B,L) bool: the positions asked for
    ):
        "(N,width) for the True positions of `where`, none of which reads what stands at or after it"
        position = _common_position(where) if hasattr(self.model, 'cache') else None
        if position is None:
            return self.model.hidden_states(x, mask)[where]
        if not self._goes_on(x, position):
            if position > mask.sum(1).max():  # a long prompt, read token by token, costs more than it saves
                return self.model.hidden_states(x, mask)[where]
            self.cache = self.model.cache(len(x), x.shape[1])
        while self.cache.position <= position:
            before = self.cache.position - 1
            h = self.cache.step(None if before < 0 else x[:, before])
        self.read = x[:, :position].clone()
        return h
