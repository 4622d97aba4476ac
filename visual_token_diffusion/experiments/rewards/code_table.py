"""A world of two modes and small code models with exact probabilities; what training by a reward should end in."""

import itertools

import torch

__all__ = ['CodeTable', 'TwoModes', 'examples_optimum', 'kl_optimum', 'table_kl', 'table_summary']

LENGTH, ENTRIES = 4, 4  # codes of a row, entries of the codebook


class TwoModes:
    "Rows of four codes near 0000 or near 3333: every code is that of its mode, or else another; all 256 are listed"

    def __init__(
        self,
        share: float = 0.5,  # of the second mode
        noise: float = 0.1,  # chance of a code to be another
        length: int = LENGTH,
        entries: int = ENTRIES,  # of the codebook
    ):
        if not 0 < share < 1 or not 0 < noise < 1:
            raise ValueError(f'share and noise must lie between 0 and 1, got {share} and {noise}')
        self.length, self.entries = length, entries
        self.rows = torch.tensor(list(itertools.product(range(entries), repeat=length)))
        self.parts = torch.stack([self._near(0, noise), self._near(entries - 1, noise)])
        self.p = (1 - share) * self.parts[0] + share * self.parts[1]

    def _near(self, code, noise):
        "(n,) float64: probabilities of all rows in a mode"
        right = (self.rows == code).sum(1).double()
        each = torch.tensor(noise / (self.entries - 1), dtype=torch.float64)
        return (1 - noise) ** right * each ** (self.length - right)

    def second(self, q):
        "Share of a table (n,) that belongs to the second mode, by the posterior at equal shares"
        return float((q * self.parts[1] / self.parts.sum(0)).sum())

    def draw(self, n, generator, part=None):
        "(n,length,1) long: codes of the world, or of one of its modes"
        p = self.p if part is None else self.parts[part]
        return self.rows[torch.multinomial(p, n, replacement=True, generator=generator)][..., None]


class CodeTable:
    """Probabilities of all rows that a `CodeModel` with one small codebook can write, one code a call in random order.
    Exact and with gradients: the mean over all orders is taken set by set"""

    def __init__(
        self,
        length: int = LENGTH,
        entries: int = ENTRIES,  # of the codebook
    ):
        if (entries + 1) ** length > 5000:
            raise ValueError(f'{entries} entries at {length} places are too many to list')
        self.length, self.entries = length, entries
        seen = torch.tensor(list(itertools.product(range(entries + 1), repeat=length)))  # the last entry says: masked
        self.mask = seen == entries
        self.seen = seen.masked_fill(self.mask, 0)
        self.rows = torch.tensor(list(itertools.product(range(entries), repeat=length)))
        self._power = (entries + 1) ** torch.arange(length - 1, -1, -1)
        sets = sorted(itertools.product((False, True), repeat=length), key=sum)
        self._where = {known: i for i, known in enumerate(sets)}
        self._numbers = torch.stack([self._number(torch.tensor(known)) for known in sets])

    def _number(self, known):
        "(n,) long: numbers of the rows of which only `known` (length,) is seen, among all that are seen in part"
        return (torch.where(known, self.rows, self.entries) * self._power).sum(1)

    def __call__(self, model):
        "(n,) float64: probabilities of all rows"
        p = model.log_probs(self.seen, self.mask).double().exp()[self._numbers]  # (sets,n,length,entries)
        chosen = self.rows[None, ..., None].expand(len(p), -1, -1, 1)
        right = [column.unbind(0) for column in p.gather(-1, chosen)[..., 0].unbind(-1)]
        total = {(False,) * self.length: torch.ones(len(self.rows), dtype=torch.float64)}
        for known, i in self._where.items():
            for place in (place for place, is_known in enumerate(known) if not is_known):
                after = known[:place] + (True,) + known[place + 1 :]
                part = total[known] * right[place][i] / known.count(False)
                total[after] = total[after] + part if after in total else part
        return total[(True,) * self.length]


def table_kl(q, p):
    "Nats: KL(q||p) of two tables, gradients through both"
    return (torch.xlogy(q, q) - torch.special.xlogy(q, p)).sum()


def table_summary(
    q,  # (n,) float64: a table
    world,  # `TwoModes`
    optimum,  # (n,) float64: what should have been reached
) -> dict:
    "What a table is like: share of the second mode, both divergences from the optimum, effective number of rows"
    q = q.detach()
    return dict(
        second=world.second(q),
        reverse=float(table_kl(q, optimum)),
        forward=float(table_kl(optimum, q)),
        rows=float((-torch.xlogy(q, q).sum()).exp()),
    )


# ---- exact optima ----


def kl_optimum(
    ref,  # (n,) positive: the reference
    reward,  # (n,)
    beta: float,  # weight of KL(q||ref)
):
    "(n,): where E[reward] - beta KL(q||ref) is largest, ref exp(reward/beta), made to sum to one. Raises `ValueError`"
    if beta <= 0:
        raise ValueError(f'beta must be positive, got {beta}')
    return (ref.log() + reward / beta).softmax(0)


def examples_optimum(
    ref,  # (n,) positive: the reference
    reward,  # (n,)
    beta: float,  # weight of KL(ref||q)
):
    "(n,): where E[reward] - beta KL(ref||q) is largest, beta ref / (c - reward) with the c that makes the sum one"
    if beta <= 0:
        raise ValueError(f'beta must be positive, got {beta}')
    low, high = reward.max(), reward.max() + beta
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if (beta * ref / (middle - reward)).sum() > 1 else (low, middle)
    q = beta * ref / (high - reward)
    return q / q.sum()
