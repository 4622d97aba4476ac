"""What a unified model learns from, task by task, and what its likelihoods are exactly."""

import math

import torch
import torch.nn.functional as F

from ...core.sampling import ranks
from ...diffusion.base import antithetic_times
from ...diffusion.guidance import condition_dropout
from ...diffusion.masked import MaskedDiffusion, masked_nelbo

__all__ = ['Losses', 'cosine_mask', 'masked_bound', 'nll_of']

_PROCESS = MaskedDiffusion()


def cosine_mask(
    batch: int,  # pictures
    length: int,  # places of each
    generator=None,  # torch generator on the CPU
):
    """(B,L) bool: round(L cos(pi t/2)) places masked, at least one, t uniform (Chang and others, 2022; Show-o, 2024)"""
    t = torch.rand(batch, generator=generator, dtype=torch.float64)
    n_masked = (length * (math.pi / 2 * t).cos()).round().clamp(min=1)
    return ranks(torch.rand(batch, length, generator=generator)) < n_masked[:, None]


def nll_of(
    scores,  # (B,L,K)
    target,  # (B,L) long
):
    "(B,L) nats: negative log-probability of each target (B,L)"
    return F.cross_entropy(scores.flatten(0, 1), target.flatten(), reduction='none').view(target.shape)


def masked_bound(
    nll,  # (B,L)
    mask,  # (B,L) bool
    weight,  # (B,) of `MaskedDiffusion.corrupt`
):
    "(B,) nats: one draw of the bound from the cost (B,L) of every place"
    return masked_nelbo(nll[mask], mask, weight.to(nll.device))


class Losses:
    "The losses of a `UnifiedModel`"

    def losses(
        self,
        pictures,  # (B,3,S,S) images, or codes or latents as the tokenizer gives them
        captions=None,  # B strings; None leaves one out; (question, answer) is asked about the picture
        generator=None,  # torch generator on the CPU
    ):
        """`{'picture', 'text', 'joint', 'alignment': loss}`, weights included; a term without a row is left out.
        Rows without a caption, and questions, count in writing without a caption"""
        switches = self.switches
        x, images = self.encode_pictures(pictures)
        if isinstance(captions, str):
            raise ValueError('captions are a list of strings, got one string')
        captions = [None] * len(x) if captions is None else list(captions)
        if len(captions) != len(x):
            raise ValueError(f'{len(x)} pictures need as many captions (None for a missing one), got {len(captions)}')
        ids = self.encode_captions(captions)
        known = torch.tensor([caption is not None for caption in captions])
        told = torch.tensor([isinstance(caption, str) for caption in captions])
        terms = {}
        if self.align_proj is not None and switches.text_weight and known.all():
            images = self.encoder(images)  # once for both tasks
        if switches.picture_weight:
            keep = condition_dropout(len(x), switches.drop_text, generator) & told
            terms |= self._write_losses(x, images, self._dropped(ids, keep), generator)
        if switches.text_weight and known.any():
            rows = slice(None) if known.all() else known.nonzero()[:, 0].to(x.device)
            given = self.given_words(captions)[rows] if (known & ~told).any() else None
            terms |= self._read_losses(x[rows], images[rows], ids[rows], given, generator, terms)
        if switches.joint_weight and told.any():
            rows = told.nonzero()[:, 0].to(x.device)
            terms['joint'] = switches.joint_weight * self._joint_loss(x[rows], ids[rows], generator)
        return terms

    def _dropped(self, ids, keep):
        "Captions with those left out that are not kept (B,)"
        return torch.where(keep.to(ids.device)[:, None], ids, self.encode_captions([None]))

    # ---- text to picture ----

    def _write_losses(self, x, images, ids, generator):
        s, modes = self.switches, self.modes('write')
        mask = weight = t = noisy = None
        seen = x
        if s.picture_objective == 'masked':
            mask, weight = self._picture_mask(x, generator)
        if s.is_noised:
            t = antithetic_times(len(x), generator)
            noisy = self.process.corrupt(x, t, generator=generator)
            seen = noisy.x_t
        text = self.text_part(ids, modes[0])
        _, h = self.in_order('write', text, self.picture_part(seen, modes[1], mask, t), both=False)
        out = self.picture_out(h)
        if s.picture_objective == 'next_flow':
            loss = self.flow_head.loss(out, x, generator)
        elif s.picture_objective == 'regression':
            loss = F.mse_loss(out, x)
        elif s.is_noised:
            loss = self.process.loss(out, x, noisy, t).mean()
        else:
            nll = nll_of(out, x + self.starts)
            loss = self._reduced(nll, mask, weight)
        terms = dict(picture=s.picture_weight * loss)
        if self.align_proj is not None:
            terms['alignment'] = s.alignment_weight * self._alignment(h, images)
        return terms

    def _picture_mask(self, x, generator):
        "The mask (B,P) and the weight (B,) of the bound"
        if self.switches.picture_reduction == 'mean':
            return cosine_mask(len(x), self.n_places, generator).to(x.device), None
        corrupted = _PROCESS.corrupt(x, antithetic_times(len(x), generator), generator=generator)
        return corrupted.mask, corrupted.weight

    def _reduced(self, nll, mask, weight, given=None):
        "The mean over all places that are not given, over those masked, or the bound for each place"
        if mask is None:
            return nll.mean() if given is None else nll[~given].mean()
        return nll[mask].mean() if weight is None else self._per_place(nll, mask, weight)

    def _per_place(self, nll, mask, weight):
        return masked_bound(nll, mask, weight).mean() / mask.shape[1]

    def _alignment(self, h, images):
        "One less the mean cosine of hidden states and what the reading encoder, held still, sees in the clean picture"
        seen = self.seen_in(images).detach()
        if self.switches.alignment == 'shuffled':
            seen = seen.roll(1, 0)
        said = self.align_proj(h[:, 1:-1])
        return 1 - F.cosine_similarity(said.float(), seen.float(), dim=-1).mean()

    # ---- picture to text ----

    def _read_losses(self, x, images, ids, given, generator, terms):
        s = self.switches
        parts, noisy, t = self._given(x, images, generator)
        mask = weight = None
        if s.text_objective == 'masked':
            times = antithetic_times(len(ids), generator)
            maskable = None if given is None else ~given
            corrupted = _PROCESS.corrupt(ids, times, maskable=maskable, generator=generator)
            mask, weight = corrupted.mask, corrupted.weight
        text = self.text_part(ids, self.modes('read')[0], mask)
        h, seen = self._read_hidden(parts, text)
        nll = nll_of(self.text_out(h), self.text_target(ids))
        loss = self._reduced(nll, mask, weight, given)
        found = dict(text=s.text_weight * loss)
        if noisy is not None and s.picture_weight:
            again = s.picture_weight * self.process.loss(self.picture_out(seen), x, noisy, t).mean()
            found['picture'] = (terms['picture'] + again) / 2
        return found

    # ---- both from nothing ----

    def joint_out(self, x, ids, text_mask, mask=None, t=None):
        "What is predicted of words (B,T,words+1) and of pictures (B,P,...), each seeing what is left of the other"
        text, picture = self.text_part(ids, 'whole', text_mask), self.picture_part(x, 'whole', mask, t)
        text, picture = self.hidden_states([text, picture])
        return self.text_out(text), self.picture_out(picture)

    def _joint_loss(self, x, ids, generator):
        "Words masked, and the picture masked or noised, at one time"
        t = antithetic_times(len(x), generator)
        if self.switches.is_noised:
            words = _PROCESS.corrupt(ids, t, generator=generator)
            noisy = self.process.corrupt(x, t, generator=generator)
            scores, out = self.joint_out(noisy.x_t, ids, words.mask, None, t)
            nll = nll_of(scores, self.text_target(ids))
            text = self._per_place(nll, words.mask, words.weight)
            return text + self.process.loss(out, x, noisy, t).mean()
        masked = _PROCESS.corrupt(torch.cat([ids, x], 1), t, generator=generator)
        return self._per_place(self._joint_cost(x, ids, masked.mask), masked.mask, masked.weight)

    def _joint_cost(self, x, ids, mask):
        "(B,T+P) nats of every word and code, where `mask` (B,T+P) hides some"
        scores, out = self.joint_out(x, ids, mask[:, : self.text_length], mask[:, self.text_length :])
        return torch.cat([nll_of(scores, self.text_target(ids)), nll_of(out, x + self.starts)], 1)

    def _given(self, x, images, generator):
        "The picture before a caption: `(parts, noise, times)`; with noise where switches say so"
        s, kind = self.switches, self.modes('read')[1]
        if not s.noise_before_text:
            return [self.read_part(x, images, kind)], None, None
        t = s.noise_before_text * antithetic_times(len(x), generator)
        noisy = self.process.corrupt(x, t, generator=generator)
        if s.attention != 'hidden_noise':
            return [self.picture_part(noisy.x_t, kind, None, t)], noisy, t
        noised = self.picture_part(noisy.x_t, 'noise', None, t)
        return [noised, self.read_part(x, images, kind)], noisy, t

    def _read_hidden(self, parts, text):
        "Hidden states of the text, and of the first picture"
        if len(parts) == 1:
            return self.in_order('read', text, parts[0], both=bool(self.switches.noise_before_text))
        *pictures, h = self.hidden_states([*parts, text])
        return h, pictures[0]

    def text_target(self, ids):
        "(B,T) long: what the text head should say; the end mark is its last class"
        return ids.clamp(max=len(self.vocab))

    def read_scores(self, x, images, ids, mask=None):
        "Scores (B,T,words+1) of a caption for clean pictures"
        modes = self.modes('read')
        h, _ = self.in_order('read', self.text_part(ids, modes[0], mask), self.read_part(x, images, modes[1]))
        return self.text_out(h)

    def write_out(self, x, ids, mask=None, t=None):
        "What is predicted of pictures (B,P,...) for captions (B,T)"
        modes = self.modes('write')
        picture = self.picture_part(x, modes[1], mask, t)
        return self.picture_out(self.in_order('write', self.text_part(ids, modes[0]), picture)[1])
