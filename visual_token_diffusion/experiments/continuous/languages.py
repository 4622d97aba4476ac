"""The stories and the captions as rows of tokens with their grids, exact probabilities, and the ideal denoiser."""

import math
from functools import cached_property

import torch

from ...codebooks.balanced_kmeans import balanced_codes
from ...diffusion.gaussian import GaussianDiffusion
from ...diffusion.gaussian_schedules import PiecewiseLogSNR, equal_shares
from ...encoders.semantic import SemanticVisualEncoder
from ...models.exact_grid_denoiser import (
    ExactGridDenoiser,
    rows_log_probs,
    rows_posterior,
    windows_log_probs,
    windows_posterior,
)
from ...models.grid_denoiser import GridDenoiser
from ...models.grid_space import GridSpace
from ...models.one_hot_grids import OneHotGrids
from ...semantics.cooccurrence import cooccurrence
from ...worlds.captions import World
from ...worlds.stories import stories, story_stream
from ...worlds.windows import TextWindows

__all__ = ['CaptionRows', 'StoryRows']

LAST = -14.0  # log SNR where all is noise


class _Rows:
    "What both languages share: grids, one-hots, counts, and a schedule of equal shares"

    @cached_property
    def counts(self):
        "(V,) how often each token occurs in 2,000 rows"
        return torch.bincount(self.rows(2000, 7).flatten(), minlength=self.vocab_size).float()

    @cached_property
    def grids(self):
        "The `GridSpace` of codes from co-occurrence"
        dim = min(64, self.vocab_size - 1)
        features = cooccurrence(self.rows(2000, 7).flatten(), self.vocab_size, dim=dim, window=4)
        return GridSpace(SemanticVisualEncoder(balanced_codes(features, 3)))

    @cached_property
    def one_hots(self):
        return GridSpace(OneHotGrids(self.vocab_size))

    @cached_property
    def walk(self):
        "A `PiecewiseLogSNR` along which equal times decide equal amounts, for word frequencies"
        space, log_snr = self.grids, torch.linspace(-10, 0.33, 32)
        plain = GridDenoiser(space, GaussianDiffusion(PiecewiseLogSNR([6.0, LAST])), self.counts, 32, 1, 2)
        generator = torch.Generator().manual_seed(1)
        density = plain.eval().decided(self.rows(64, 1), log_snr, generator)[1]
        return equal_shares(log_snr, density)

    @cached_property
    def band(self):
        "The same down to pure noise"
        return PiecewiseLogSNR(torch.cat([self.walk.knots, torch.tensor([LAST])]))

    def ideal(self, process, space=None):
        "The exact denoiser of a process"
        return ExactGridDenoiser(space or self.grids, process, self.posterior)

    def together(
        self,
        ids,  # (B,L) long
        log_likelihood,  # (B,L,V) of what was seen
        exact,  # (B,L,V) exact log-probabilities
    ):
        "(B,) nats: what it costs to read the tokens of a row there independently, by their exact marginals"
        own = log_likelihood.double().gather(2, ids[..., None]).sum((1, 2))
        joint = self.log_probs(ids) + own - self.seen_log_probs(log_likelihood)
        return joint - exact.gather(2, ids[..., None]).sum((1, 2))

    def bits(self, ids):
        "(n,) float64: exact information of rows"
        return -self.log_probs(ids) / math.log(2)


class StoryRows(_Rows):
    "Rows of the stories; V-1 ends a sentence, the last of a row may be cut off"

    name = 'stories'

    def __init__(self, length: int = 16):
        self.windows, self.length = TextWindows(stories()), length
        self.vocab_size = self.windows.end + 1
        self.words = [*self.windows.grammar.words, '·']
        self.posterior = windows_posterior(self.windows)
        self.seen_log_probs = windows_log_probs(self.windows)
        self.log_probs = self.windows.log_probs

    def rows(self, n, seed):
        "(n,L) long"
        return next(iter(story_stream(n, self.length, seed=seed)))


class CaptionRows(_Rows):
    "The 480 captions of the tiny world, filled up with an end sign"

    name, length = 'captions', 8

    def __init__(self):
        grammar = World(1).grammar()
        texts, end = grammar.all_sentences(), len(grammar.words)
        self.vocab_size, self.words = end + 1, [*grammar.words, '·']
        ids = [[grammar.word_id[word] for word in text.split()] for text in texts]
        self.all_rows = torch.tensor([row + [end] * (self.length - len(row)) for row in ids])
        p = torch.tensor(list(texts.values()), dtype=torch.double)
        self.p = p / p.sum()
        self.posterior = rows_posterior(self.all_rows, self.p)
        self.seen_log_probs = rows_log_probs(self.all_rows, self.p)

    def rows(self, n, seed):
        "(n,L) long"
        generator = torch.Generator().manual_seed(seed)
        return self.all_rows[torch.multinomial(self.p, n, True, generator=generator)]

    def log_probs(self, ids):
        "(n,) float64, nats; -inf for what is no caption"
        same = (ids[:, None] == self.all_rows).all(2)
        return torch.where(same.any(1), self.p.log()[same.long().argmax(1)], -torch.inf)
