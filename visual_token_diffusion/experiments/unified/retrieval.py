"""Which name belongs to a picture, which picture to a name: scores of all pairs by a unified model's likelihoods."""

import torch

from ...diffusion.base import Corrupted

__all__ = ['LEVELS', 'name_scores', 'picture_scores', 'recall']

LEVELS = 4  # masks, or noises, for a score


def _common_masks(length, levels, seed=0):
    "`levels` pairs (mask (1,L) bool, weight): numbers of masks evenly spaced; the same masks for all pairs"
    generator = torch.Generator().manual_seed(seed)
    counts = [max(1, round(length * (k + 0.5) / levels)) for k in range(levels)]
    ranks = [torch.randperm(length, generator=generator) for _ in counts]
    return [((rank < n)[None], length / n / levels) for rank, n in zip(ranks, counts)]


def _log_prob(scores, target):
    "(B,L) nats"
    return scores.log_softmax(-1).gather(-1, target[..., None])[..., 0]


def _all_pairs(score, n_rows, n_cols, size=128):
    "(rows,cols): a function of row and column numbers (B,), for all pairs"
    rows, cols = torch.cartesian_prod(torch.arange(n_rows), torch.arange(n_cols)).unbind(1)
    parts = [score(*pair) for pair in zip(rows.split(size), cols.split(size))]
    return torch.cat(parts).view(n_rows, n_cols)


@torch.no_grad()
def name_scores(
    model,  # a `UnifiedModel`
    images,  # (n,3,S,S)
    captions,  # m strings, or pairs (language, name)
    levels: int = LEVELS,  # masks, for masked text
):
    "(n,m) nats: log-probability of every name for every picture; of masked text a bound, with masks in common"
    x, images = model.encode_pictures(images)
    ids, given = model.encode_captions(captions), model.given_words(captions)
    masks = [(None, 1.0)]
    if model.switches.text_objective == 'masked':
        masks = _common_masks(ids.shape[1], levels)

    def score(rows, cols):
        total = 0.0
        for mask, weight in masks:
            hidden = None if mask is None else mask & ~given[cols]
            found = _log_prob(model.read_scores(x[rows], images[rows], ids[cols], hidden), model.text_target(ids[cols]))
            counted = ~given[cols] if hidden is None else hidden
            total = total + weight * (found * counted).sum(1)
        return total

    return _all_pairs(score, len(x), len(ids))


@torch.no_grad()
def picture_scores(
    model,  # a `UnifiedModel`
    captions,  # m strings
    images,  # (n,3,S,S)
    levels: int = LEVELS,  # masks, or noises
):
    """(m,n): log-probability of every picture for every name, in nats; of masked codes a bound with masks in common;
    of a flow the loss, negative, at noises and times in common"""
    x, _ = model.encode_pictures(images)
    ids = model.encode_captions(captions)
    if model.switches.is_noised:
        score = _flow_score(model, x, ids, levels)
    else:
        score = _code_score(model, x, ids, levels)
    return _all_pairs(score, len(ids), len(x))


def _code_score(model, x, ids, levels):
    masks = [(None, 1.0)]
    if model.switches.picture_objective == 'masked':
        masks = _common_masks(x.shape[1], levels)

    def score(rows, cols):
        total = 0.0
        for mask, weight in masks:
            hidden = None if mask is None else mask.expand(len(cols), -1)
            found = _log_prob(model.write_out(x[cols], ids[rows], hidden), x[cols] + model.starts)
            total = total + weight * (found if mask is None else found * mask).sum(1)
        return total

    return score


def _flow_score(model, x, ids, levels):
    process, generator = model.process, torch.Generator().manual_seed(0)
    noises = [torch.randn(x.shape[1:], generator=generator) for _ in range(levels)]

    def score(rows, cols):
        total, clean = 0.0, x[cols]
        for k, noise in enumerate(noises):
            t = torch.full((len(cols),), (k + 0.5) / levels)
            alpha, sigma = process.alpha_sigma(t, clean)
            noisy = Corrupted(alpha * clean + sigma * noise, noise=noise.expand_as(clean))
            out = model.write_out(noisy.x_t, ids[rows], None, t)
            total = total - process.loss(out, clean, noisy, t)
        return total

    return score


def recall(
    scores,  # (n,n): row i belongs to column i
):
    "`{'at1', 'at5': shares}` of the rows whose own column is among the best; `centred`: above the mean of its column"
    found = {}
    for name, s in (('', scores), ('centred_', scores - scores.mean(0))):
        own = s.diagonal()[:, None]
        rank = (s > own).sum(1) + ((s == own).sum(1) - 1) / 2  # ties count half
        for k in (1, 5):
            found[f'{name}at{k}'] = float((rank < k).double().mean())
    return found
