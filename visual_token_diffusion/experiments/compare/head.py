"""Heads: is it a distribution, and what does a language model with it learn in as many steps?"""

import torch

from ...codebooks.random import random_codes
from .base import BrokenPart, Comparison, Measure, Measurement, SkippedPart
from .text_training import LM_SETTINGS, grammatical, setting_name, trained_text, unigram_nats, word_entropy

__all__ = ['HeadComparison', 'check_head']

WORDS, WIDTH = 20, 8


def _small(part, seed=0):
    "A head of 20 tokens whose parameters are no longer zero"
    torch.manual_seed(seed)
    table = random_codes(WORDS, 3, 3, generator=torch.Generator().manual_seed(0))
    embedding, counts = torch.nn.Embedding(WORDS, WIDTH), torch.arange(WORDS).float()
    options = dict(table=table, width=WIDTH, features=torch.randn(WORDS, WIDTH), embedding=embedding, counts=counts)
    head = part.build(**options, skip=False)
    with torch.no_grad():
        for p in head.parameters():
            p.add_(0.3 * torch.randn(p.shape))
    return head.eval()


@torch.no_grad()
def check_head(
    part,  # a class
):
    "Probabilities that sum to one at most, a cost and samples that are theirs. Raises `BrokenPart` in one line"
    head, generator = _small(part), torch.Generator().manual_seed(1)
    h, ids = torch.randn(WORDS, WIDTH, generator=generator), torch.arange(WORDS)
    log_probs, nll = head.log_probs(h), head.nll(h, ids)
    if tuple(log_probs.shape) != (WORDS, WORDS) or not log_probs.isfinite().all():
        raise BrokenPart(f'log_probs should be finite ({WORDS}, {WORDS}), got {tuple(log_probs.shape)}')
    total = log_probs.double().exp().sum(1)
    if total.max() > 1 + 1e-4:
        raise BrokenPart(f'probabilities sum to {total.max():.4g}, more than one')
    if tuple(nll.shape) != (WORDS,):
        raise BrokenPart(f'nll should be ({WORDS},), got {tuple(nll.shape)}')
    gap = (nll + log_probs.diagonal()).abs().max()
    if gap > 1e-3:
        raise BrokenPart(f'nll and log_probs differ by up to {gap:.3g} nats')
    _check_samples(head, h[:1], log_probs[0])


def _check_samples(head, h, log_probs, n=4000):
    "Chi-square of samples from one hidden state"
    p = log_probs.double().softmax(0)
    drawn, said = head.sample(h.expand(n, -1), generator=torch.Generator().manual_seed(2))
    counts, often = torch.bincount(drawn, minlength=WORDS).double(), p * n > 5
    chi = ((counts - p * n)[often].square() / (p * n)[often]).sum()
    degrees = int(often.sum()) - 1
    if chi > degrees + 6 * (2 * degrees) ** 0.5:
        raise BrokenPart(f'samples do not follow log_probs (chi-square {chi:.0f} of {degrees} degrees of freedom)')
    if (said - log_probs[drawn]).abs().max() > 1e-2:
        raise BrokenPart('sample gives other log-probabilities than log_probs')


class HeadComparison(Comparison):
    "Heads of language models"

    seam = 'head'
    about = 'Heads of language models of the same text: is it a distribution, and what is learned in as many steps?'
    worlds = 'stories', 'text'
    baseline = 'flat'
    control = 'the flat head on shuffled words'
    trivial = 'words by their frequency'
    measures = (Measure('nelbo', 'nats of a token'), Measure('grammatical', 'grammatical lines', 'more'))
    settings = LM_SETTINGS

    def measure(self, part, options, world, seed, cfg):
        if options:
            raise SkippedPart('a head is built from the codes of the tokens and takes no options here; derive a class')
        check_head(part)
        text, chosen = world.text(cfg.sentences, seed), dict(unit='words', process='autoregressive')
        return self._measured(trained_text(text, seed, cfg, head=setting_name(part, 'head'), **chosen), world, seed)

    def measure_control(self, world, seed, cfg):
        text, chosen = world.text(cfg.sentences, seed), dict(unit='words', process='autoregressive')
        return self._measured(trained_text(text, seed, cfg, is_shuffled=True, head='flat', **chosen), world, seed)

    def _measured(self, made, world, seed):
        numbers = dict(nelbo=made.numbers['nelbo'])
        if world.grammar:
            numbers['grammatical'] = grammatical(made.model, world.grammar, seed)
        return Measurement(numbers, facts=dict(parameters=f'{made.parameters:,}'))

    def measure_trivial(self, world, seed, cfg):
        return dict(nelbo=unigram_nats(world.text(cfg.sentences, seed), seed, cfg)[0], grammatical=0.0)

    def floors(self, world, cfg):
        return dict(nelbo=word_entropy(world.grammar), grammatical=1.0) if world.grammar else {}
