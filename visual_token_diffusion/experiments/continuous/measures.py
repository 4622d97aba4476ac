"""Where in the noise a network loses bits: its prediction beside the exact one, at every time, and what it writes."""

import math

import torch
import torch.nn.functional as F

from ...diffusion.base import antithetic_times
from ...diffusion.gaussian import GaussianDiffusion
from ...diffusion.gaussian_schedules import PiecewiseLogSNR

__all__ = ['block_excess', 'excess_at', 'judge', 'masked_excess', 'total_excess']

LN2 = math.log(2)


def _gap(ideal, own, ids):
    "(B,) nats: cross-entropy of the tokens, own less ideal"
    chosen = ids[..., None]
    return (ideal.double().gather(2, chosen) - own.double().gather(2, chosen)).sum((1, 2))


@torch.no_grad()
def excess_at(
    model,  # a `GridDenoiser`
    lang,  # a language of `languages`
    ids,  # (B,L) long
    u,  # (B,) places in `band`, or times of the process
    band=None,  # a `PiecewiseLogSNR`
    generator=None,  # torch generator on the CPU
):
    """Three (B,) in nats: how much the squared error of the model's prediction adds to the bound there, per unit of u;
    how much more reading the tokens there would cost than with the ideal denoiser; and what reading them independently
    costs even then. The first has no spread but that of the difference: E|x-f|^2 = E|x-ideal|^2 + E|ideal-f|^2"""
    x, t = model.space(ids), u
    process = model.process
    if band is not None:
        process = GaussianDiffusion(band)
        t = model.process.schedule.time_of(band.log_snr(u.double()))
    z = model.process.corrupt(x, t, generator=generator).x_t
    right, exact = lang.ideal(model.process, model.space).predict(z, t)
    own, said = model.predict(z, t)
    likelihood = model.space.log_likelihood(z, *model.process.alpha_sigma(t, z))
    together = lang.together(ids, likelihood, exact)
    return process.nelbo_terms(right, own, u), _gap(exact, said, ids), together


@torch.no_grad()
def block_excess(
    model,  # a `BlockGridDenoiser`
    lang,  # a language of `languages`
    ids,  # (B,L) long
    u,  # (B,) places in the model's schedule, the same for all blocks of a row
    generator=None,  # torch generator on the CPU
):
    "The same for blocks, summed over them: what comes before a block is known, what comes after is not"
    x, n = model.space(ids), model.length // model.block
    t = u[:, None].expand(len(u), n)
    z = model.process.corrupt(x, t.repeat_interleave(model.block, 1), generator=generator).x_t
    said = model.log_probs(ids, z, t)
    known = F.one_hot(ids, lang.vocab_size).double().log().clamp(min=-1e3)
    likelihood = model.space.log_likelihood(z, *model.process.alpha_sigma(u, z))
    exact = torch.zeros_like(likelihood, dtype=torch.double)
    place = torch.arange(model.length) // model.block
    for k in range(n):
        seen = torch.where((place == k)[:, None], likelihood.double(), 0.0)
        seen = torch.where((place < k)[:, None], known, seen)
        exact[:, place == k] = lang.posterior(seen)[:, place == k].clamp(min=1e-300).log()
    spaces = model.space.expected(exact.exp().float()), model.space.expected(said.exp())
    return model.process.nelbo_terms(*spaces, u), _gap(exact, said, ids)


@torch.no_grad()
def masked_excess(
    predict,  # function of tokens (B,L) and a mask (B,L) to log-probabilities (B,L,V)
    lang,  # a language of `languages` with `windows`
    ids,  # (B,L) long
    u,  # (B,) shares to mask
    generator=None,  # torch generator on the CPU
):
    "The same for masks: KL of the model from the exact marginals at masked places, over the share, nats per unit of u"
    mask = torch.rand(ids.shape, generator=generator) < u[:, None]
    known = F.one_hot(ids, lang.vocab_size).double().log().clamp(min=-1e3)
    exact = lang.posterior(torch.where(mask[..., None], 0.0, known))
    said = predict(ids, mask).double()
    kl = (torch.xlogy(exact, exact) - exact * said).sum(2)
    return (kl * mask).sum(1) / u, torch.zeros(len(ids), dtype=torch.double)


def total_excess(
    at,  # function (ids (B,L), u (B,), generator) to what `excess_at` gives, or to the first two
    rows,  # (N,L) long
    draws: int = 4,  # of a time for every row
    bins: int = 24,  # of times
    seed: int = 0,
    batch: int = 64,  # rows at a time
) -> dict:
    """Excess of the bound in bits a row with its standard error over rows; `density` by bins of u, which runs from
    little noise, 0, to much, 1; `reading`, the gap, and `together`, by the same bins. `best` reads the tokens at the
    noise, `cut`, where the sum of all three is least, chosen on half of the rows, measured on the other half"""
    generator = torch.Generator().manual_seed(seed)
    where, values = [], []
    for _ in range(draws):
        u = antithetic_times(len(rows), generator)[torch.randperm(len(rows), generator=generator)]
        u = u.clamp(1e-4, 1 - 1e-4)
        parts = [torch.stack(at(ids, v, generator)) for ids, v in zip(rows.split(batch), u.split(batch))]
        where.append(u)
        values.append(torch.cat(parts, 1) / LN2)
    index = (torch.stack(where) * bins).long().clamp(max=bins - 1)
    return _summary(index, torch.stack(values, 1), bins)


def _by_bin(values, index, bins):
    "(...,bins) means of values (...,draws,rows); zero where nothing fell"
    count = torch.bincount(index.flatten(), minlength=bins).clamp(min=1)
    return torch.stack([torch.bincount(index.flatten(), v.flatten(), minlength=bins) for v in values]) / count


def _summary(index, values, bins):
    "The dict of `total_excess`, from values (2 or 3,draws,rows) in bits"
    excess, gap = values[:2]
    by_bin = _by_bin(values, index, bins)
    found = dict(
        excess=float(excess.mean() + by_bin[1, 0]),
        se=float(excess.mean(0).std() / index.shape[1] ** 0.5),
        density=by_bin[0],
        reading=by_bin[1],
    )
    if len(values) < 3:
        return found
    half = torch.arange(index.shape[1]) % 2 == 0
    chosen, held = (_read_at(_by_bin(values[..., part], index[:, part], bins)) for part in (half, ~half))
    cut = int(chosen.argmin())
    return found | dict(together=by_bin[2], best=float(held[cut]), cut=cut / bins)


def _read_at(by_bin):
    "(bins,) total where the tokens are read in each bin, and noise is removed down to its middle"
    density, *reading = by_bin
    later = density.flip(0).cumsum(0).flip(0) - density / 2
    return later / len(density) + sum(reading)


def judge(
    lang,  # a language of `languages`
    ids,  # (n,L) long
) -> dict:
    "The share of rows that the language has, their information in bits, and how many differ"
    bits = lang.bits(ids)
    fine = bits.isfinite()
    return dict(
        grammatical=float(fine.double().mean()),
        bits=float(bits[fine].mean()) if fine.any() else None,
        distinct=len(ids.unique(dim=0)) / len(ids),
    )


def falling(schedule, steps, band=None):
    "(steps+1,) falling times of a schedule, even, or even along `band`"
    u = torch.linspace(1, 0, steps + 1, dtype=torch.double)
    return u if band is None else schedule.time_of(PiecewiseLogSNR(band.knots).log_snr(u))
