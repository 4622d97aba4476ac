"""A probabilistic context-free grammar induced from sequences alone, and what it says of others."""

# Inside probabilities (Baker, 1979, https://doi.org/10.1121/1.2017061) with a scale for every span; expected counts are
# the gradient of the log likelihood (Eisner, 2016, https://doi.org/10.18653/v1/W16-5901); EM by mini-batches (Liang and
# Klein, 2009, https://aclanthology.org/N09-1069).

import math

import numpy as np
import torch

from .ngram import _rows

__all__ = ['InducedGrammar']

TINY = 1e-30


def _by_length(ids, vocab_size):
    "{length: (rows (n,length) long, weights (n,) float, index of the row of each sequence)}"
    rows = _rows(ids, vocab_size)
    lengths = np.array([len(row) for row in rows])
    groups = {}
    for length in np.unique(lengths):
        where = np.flatnonzero(lengths == length)
        table = np.stack([rows[i] for i in where]).astype(np.int64)
        unique, back, counts = np.unique(table, axis=0, return_inverse=True, return_counts=True)
        groups[int(length)] = torch.from_numpy(unique), torch.from_numpy(counts).float(), where, back.reshape(-1)
    return groups


def _split(words, weights, batch):
    return zip(words.split(batch), weights.split(batch))


class InducedGrammar:
    "Rules A -> B C over `symbols` and `word_classes`, and word classes -> words; a sequence is at least one word"

    def __init__(
        self,
        vocab_size: int,
        symbols: int = 12,  # that become two
        word_classes: int = 32,  # that become a word
        seed: int = 0,  # of the random start
    ):
        if min(vocab_size, symbols, word_classes) < 1:
            sizes = f'{vocab_size}, {symbols} and {word_classes}'
            raise ValueError(f'vocab_size, symbols and word_classes must be at least 1, got {sizes}')
        self.vocab_size = vocab_size
        self.symbols, self.word_classes = symbols, word_classes
        generator = torch.Generator().manual_seed(seed)
        parts = symbols + word_classes

        def random(*shape):
            p = torch.empty(shape).exponential_(generator=generator).square()  # uneven, else EM starts slowly
            return p.flatten(1) / p.flatten(1).sum(1, keepdim=True)

        self.start = random(1, parts)[0]
        self.rules = random(symbols, parts, parts).view(symbols, parts, parts)
        self.emission = random(word_classes, vocab_size)
        self.curve = []  # nats per token in training, one number an epoch

    def __repr__(self):
        return f'InducedGrammar({self.symbols} symbols, {self.word_classes} word classes, {self.vocab_size} words)'

    def parameters(self):
        "Probabilities: start (parts,), rules (symbols,parts,parts), emission (word_classes,words)"
        return self.start, self.rules, self.emission

    def inside(
        self,
        words,  # (B,L) long
        parameters=None,  # None takes those of the grammar
    ) -> torch.Tensor:
        "(B,) log probabilities, all parses summed"
        start, rules, emission = parameters or self.parameters()
        n, length = self.symbols, words.shape[1]
        leaves = emission.t()[words]
        scales, cells = {}, {}
        total = leaves.sum(-1).clamp(min=TINY)
        leaves, scales[1] = leaves / total[..., None], total.log()
        if length == 1:
            return (leaves[:, 0] @ start[n:]).clamp(min=TINY).log() + scales[1][:, 0]
        both = rules[:, :n, :n].flatten(1).t()
        first = torch.einsum('blp,apq->blaq', leaves, rules[:, n:, :n])  # a leaf on the left
        last = torch.einsum('blp,aqp->blaq', leaves, rules[:, :n, n:])  # a leaf on the right
        pairs = torch.einsum('blp,apq->blaq', leaves, rules[:, n:, n:])
        for width in range(2, length + 1):
            k = length - width + 1
            if width == 2:
                values = torch.einsum('blaq,blq->bla', pairs[:, :-1], leaves[:, 1:])
                top = scales[1][:, :-1] + scales[1][:, 1:]
            else:
                values, top = self._join(width, k, cells, scales, first, last, both)
            total = values.sum(-1).clamp(min=TINY)
            cells[width], scales[width] = values / total[..., None], top + total.log()
        return (cells[length][:, 0] @ start[:n]).clamp(min=TINY).log() + scales[length][:, 0]

    def _join(self, width, k, cells, scales, first, last, both):
        "(B,k,symbols) and their scale (B,k): spans of one width from all their cuts"
        cuts = range(1, width)
        left = torch.stack([scales[c][:, :k] for c in cuts], -1)
        sums = left + torch.stack([scales[width - c][:, c : c + k] for c in cuts], -1)
        top = sums.detach().amax(-1)
        shares = (sums - top[..., None]).exp()
        values = torch.einsum('blaq,blq->bla', first[:, :k], cells[width - 1][:, 1 : 1 + k]) * shares[..., :1]
        right = torch.einsum('blaq,blq->bla', last[:, width - 1 : width - 1 + k], cells[width - 1][:, :k])
        values = values + right * shares[..., -1:]
        if width > 3:
            inner = range(2, width - 1)
            left = torch.stack([cells[c][:, :k] for c in inner], -1)
            left = left * shares[..., None, 1:-1]
            rest = torch.stack([cells[width - c][:, c : c + k] for c in inner], -2)
            values = values + (left @ rest).flatten(2) @ both
        return values, top

    def _counts(self, words, weights):
        "Expected uses of every rule, and the log likelihood"
        parameters = [p.detach().requires_grad_() for p in self.parameters()]
        total = (self.inside(words, parameters) * weights).sum()
        total.backward()
        used = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        return [p.detach() * u for p, u in zip(parameters, used)], total.item()

    def _set(self, counts, prior):
        start, rules, emission = (c + prior for c in counts)
        self.start = start / start.sum()
        self.rules = rules / rules.sum((1, 2), keepdim=True)
        self.emission = emission / emission.sum(1, keepdim=True)

    def fit(
        self,
        ids,  # sequences (B,L) or a ragged list of them
        epochs: int = 16,
        batch: int = 32,  # different sequences of one length
        prior: float = 0.001,  # added to every expected count
        power: float = 0.6,  # the weight of a new batch falls as (steps+2)**-power
        seed: int = 0,  # of the order of batches
    ):
        "Learn from sequences; the last two epochs count over all of them. Raises `ValueError`"
        groups = _by_length(ids, self.vocab_size)
        parts = [part for words, weights, *_ in groups.values() for part in _split(words, weights, batch)]
        tokens = sum(float(w.sum()) * words.shape[1] for words, w in parts)
        rng = np.random.default_rng(seed)
        running, step = None, 0
        everything = sum(float(w.sum()) for _, w in parts)
        for epoch in range(epochs):
            whole, log_prob = None, 0.0
            for i in rng.permutation(len(parts)):
                counts, found = self._counts(*parts[i])
                log_prob += found
                if epoch >= epochs - 2:
                    whole = counts if whole is None else [a + b for a, b in zip(whole, counts)]
                    continue
                scale, rate = everything / float(parts[i][1].sum()), (step + 2) ** -power
                rate = rate if running else 1.0
                old = running or [torch.zeros_like(c) for c in counts]
                running = [(1 - rate) * a + rate * scale * c for a, c in zip(old, counts)]
                self._set(running, prior)
                step += 1
            if whole:
                self._set(whole, prior)
            self.curve.append(-log_prob / tokens)
        return self

    @torch.no_grad()
    def log_length(
        self,
        length: int,  # words
    ) -> float:
        "Nats: log probability that a sequence has so many words"
        start, rules, emission = self.parameters()
        anything = start, rules, torch.ones_like(emission[:, :1])
        return float(self.inside(torch.zeros(1, length, dtype=torch.long), anything))

    @torch.no_grad()
    def log_probs(
        self,
        ids,  # sequences (B,L) or a ragged list of them
        batch: int = 256,
    ) -> np.ndarray:
        "(B,) float64, nats: log probability of every sequence, all parses summed. Raises `ValueError`"
        groups = _by_length(ids, self.vocab_size)
        found = np.zeros(sum(len(where) for *_, where, _ in groups.values()))
        for words, _, where, back in groups.values():
            values = torch.cat([self.inside(part) for part in words.split(batch)]).double().cpu().numpy()
            found[where] = values[back]
        return found

    def bits_per_token(
        self,
        ids,  # sequences (B,L) or a ragged list of them
        given_length: bool = False,  # leave out what the length costs: that of pictures is known
    ) -> float:
        "Bits of sequences over their tokens. Raises `ValueError`"
        lengths, counts = np.unique([len(row) for row in _rows(ids, self.vocab_size)], return_counts=True)
        nats = -self.log_probs(ids).sum()
        if given_length:
            nats += sum(n * self.log_length(int(length)) for length, n in zip(lengths, counts))
        return float(nats / (lengths @ counts) / math.log(2))

    def perplexity(
        self,
        ids,  # sequences (B,L) or a ragged list of them
        given_length: bool = False,
    ) -> float:
        "Two to the power of the bits per token. Raises `ValueError`"
        return 2 ** self.bits_per_token(ids, given_length)
