"""Losses, posteriors and weights of published discrete diffusion, written anew, beside ours.

Read, not copied: kuleshov-group/mdlm c112c52 (MDLM, SEDD), s-sahoo/duo 7c9b498 (DUO)."""

import math

import pytest
import torch
from support.parts import gen

from visual_token_diffusion.diffusion.discrete import Absorbing, Uniform, score_entropy
from visual_token_diffusion.diffusion.schedules import LogLinear

TIMES = [1e-3, 0.1, 0.5, 0.9, 0.999]


def drawn(process, t, shape=(4, 5), seed=0):
    "Clean symbols, their noisy states at time t, logits and times"
    vocab = process.vocab_size
    x0 = torch.randint(vocab, shape, generator=gen(seed))
    times = torch.full(shape[:1], t, dtype=torch.double)
    logits = torch.randn(*shape, vocab, generator=gen(seed + 1), dtype=torch.double)
    return x0, process.corrupt(x0, times, generator=gen(seed + 2)).x_t, logits, times


# ---- DUO: uniform noise ----


def duo_posterior(p, x_t, alpha_s, alpha_t):
    "(B,L,V): Bayes' rule with the network's softmax p where the clean symbol would stand, state by state"
    vocab, ratio = p.shape[-1], alpha_t / alpha_s
    found = torch.empty_like(p)
    own = p.gather(-1, x_t[..., None])[..., 0]
    for y in range(vocab):
        stays = (x_t == y).to(p)
        step = ratio * stays + (1 - ratio) / vocab  # from y to x_t
        there = alpha_s * p[..., y] + (1 - alpha_s) / vocab
        found[..., y] = step * there / (alpha_t * own + (1 - alpha_t) / vocab)
    return found


def duo_loss(p, x_t, x0, alpha, slope):
    "(B,L): the integrand of the bound as its authors write it, for alpha and its derivative; one place at a time"
    vocab, cost = p.shape[-1], torch.empty(x0.shape, dtype=p.dtype)
    for i, j in ((i, j) for i in range(x0.shape[0]) for j in range(x0.shape[1])):
        clean, now = int(x0[i, j]), int(x_t[i, j])
        truth = torch.full((vocab,), 1 - alpha, dtype=p.dtype)
        truth[clean] += vocab * alpha
        guess = vocab * alpha * p[i, j] + 1 - alpha
        odds, guessed = truth / truth[now], guess / guess[now]
        first = vocab / truth[now] - vocab / guess[now]
        second = (odds * (odds.log() - guessed.log())).sum()
        cost[i, j] = slope / (vocab * alpha) * (first - second)
    return cost


@pytest.mark.parametrize('t', TIMES)
@pytest.mark.parametrize('vocab', [2, 5])
def test_duo(vocab, t):
    "A softmax of the network is read as being about the other places; the step and the bound are theirs"
    process = Uniform(vocab)
    x0, x_t, logits, times = drawn(process, t)
    p, prediction = logits.softmax(-1), process.predict(logits, x_t, times)
    posterior = process.posterior(x_t, prediction, 0.6 * times, times)
    torch.testing.assert_close(posterior, duo_posterior(p, x_t, 1 - 0.6 * t, 1 - t))
    rate = process.nelbo_rate(x0, x_t, prediction, times)
    torch.testing.assert_close(rate, duo_loss(p, x_t, x0, 1 - t, -1.0), rtol=1e-7, atol=1e-9)


# ---- MDLM and SEDD: masks ----


@pytest.mark.parametrize('t', TIMES)
def test_mdlm_leaves_a_thousandth(t):
    "Move chance 1 - exp(-sigma) and weight sigma' / expm1(sigma), with sigma = -log(1 - .999 t)"
    process = Absorbing(5, LogLinear(eps=1e-3))
    times = torch.tensor([t], dtype=torch.double)
    sigma = -torch.log1p(-0.999 * times)
    slope = 0.999 / (1 - 0.999 * times)
    torch.testing.assert_close(process.schedule.noise(times), 1 - (-sigma).exp())
    torch.testing.assert_close(process.weight(times), slope / torch.expm1(sigma))
    torch.testing.assert_close(process.weight(times), Absorbing(5).weight(times))  # 1/t, with or without
    x0, x_t, logits, times = drawn(process, t)
    nll = -logits.log_softmax(-1).gather(-1, x0[..., None])[..., 0]
    theirs = torch.where(x_t == 5, nll / t, 0.0).sum(1)
    torch.testing.assert_close(process.loss(logits, x0, process.corrupt(x0, times, generator=gen(2)), times), theirs)


@pytest.mark.parametrize('t', TIMES)
def test_mdlm_steps(t):
    "A masked token stays masked with s/t, else a symbol is drawn from the prediction; what is written stays"
    process = Absorbing(5)
    _, x_t, logits, times = drawn(process, t)
    posterior = process.posterior(x_t, process.predict(logits, x_t, times), 0.6 * times, times)
    mask = x_t == 5
    stays = torch.full((*x_t.shape, 1), 0.6, dtype=torch.double)
    want = torch.cat([0.4 * logits.softmax(-1), stays], -1)
    torch.testing.assert_close(posterior[mask], want[mask])
    assert torch.equal(posterior[~mask], torch.nn.functional.one_hot(x_t[~mask], 6).double())


@pytest.mark.parametrize('t', TIMES)
def test_sedd(t):
    "On masked places sum_y s_y - r log s_x + r (log r - 1), r = 1 / expm1(sigma), s the scores, times sigma'"
    vocab, r = 5, (1 - t) / t
    scores = torch.randn(7, vocab, generator=gen(3), dtype=torch.double).exp()
    x0 = torch.randint(vocab, (7,), generator=gen(4))
    own = scores.gather(1, x0[:, None])[:, 0]
    log_r = math.log(r)
    theirs = (scores.sum(1) - r * own.log() + r * (log_r - 1)) / (1 - t)
    ours = score_entropy(scores.log() - log_r, x0) / t
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
