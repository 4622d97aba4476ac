"""Exact likelihoods of a unified model, or bounds on them, in nats."""

import torch

from ...diffusion.masked import MaskedDiffusion
from .objectives import masked_bound, nll_of

__all__ = ['Likelihoods']

_PROCESS = MaskedDiffusion()


class Likelihoods:
    "The likelihoods of a `UnifiedModel`"

    @torch.no_grad()
    def caption_nll(
        self,
        pictures,  # (B,3,S,S), or as the tokenizer gives them
        captions,  # B strings, or pairs (question, answer)
        generator=None,  # of the masks; None takes a fixed one
    ):
        """(B,) nats: the NLL of each caption given its picture, or of the answer given the question, too; for masked
        text a bound, one draw for each number masked"""
        x, images = self.encode_pictures(pictures)
        ids = self.encode_captions(captions)
        given = self.given_words(captions)

        def cost(mask):
            return nll_of(self.read_scores(x, images, ids, mask), self.text_target(ids)).masked_fill(given, 0.0)

        return self._likelihood(ids, cost, self.switches.text_objective == 'masked', generator, given)

    @torch.no_grad()
    def picture_nll(
        self,
        captions,  # B strings; None for a picture without
        pictures,  # (B,N,M) codes, or images
        generator=None,  # of the masks; None takes a fixed one
    ):
        "(B,) nats: the NLL of codes given the caption, or a bound as in `caption_nll`; None for continuous pictures"
        if self.switches.picture_form == 'continuous':
            return None
        x, _ = self.encode_pictures(pictures)
        ids = self.encode_captions(captions)

        def cost(mask):
            return nll_of(self.write_out(x, ids, mask), x + self.starts)

        return self._likelihood(x, cost, not self.switches.is_sequential, generator)

    @torch.no_grad()
    def joint_nll(
        self,
        pictures,  # (B,N,M) codes, or images
        captions,  # B strings
        generator=None,  # of the masks; None takes a fixed one
    ):
        "(B,) nats: a bound on the NLL of caption and codes together; None for continuous pictures. Raises `ValueError`"
        if not self.switches.joint_weight:
            raise ValueError('a model of both together needs joint_weight in its switches')
        if self.switches.picture_form == 'continuous':
            return None
        x, _ = self.encode_pictures(pictures)
        ids = self.encode_captions(captions)
        both = torch.cat([ids, x], 1)
        return self._likelihood(both, lambda mask: self._joint_cost(x, ids, mask), True, generator)

    def _likelihood(self, x, cost, is_masked, generator, given=None):
        "(B,) nats from the costs (B,L) of every place; what is given is never masked"
        if not is_masked:
            return cost(None).sum(1)
        generator = generator or torch.Generator().manual_seed(0)
        maskable = torch.ones_like(x, dtype=torch.bool) if given is None else ~given
        length, total = maskable.sum(1).cpu(), 0.0
        for n in range(1, int(length.max()) + 1):  # every number of masks once: no variance from the time
            t = ((n - 0.5) / length).clamp(max=1)
            corrupted = _PROCESS.corrupt(x, t, maskable=maskable, generator=generator)
            bound = masked_bound(cost(corrupted.mask), corrupted.mask, corrupted.weight)
            total = total + bound * (n <= length).to(bound.device)
        return total / length.to(total.device)
