"Masking scale by scale: counts, weights, and the bound by listing everything."

import itertools
import math

import pytest
import torch
from support.parts import gen

from visual_token_diffusion.diffusion.base import antithetic_times
from visual_token_diffusion.diffusion.next_scale import ScaleMasking, scale_nelbo, scale_nll
from visual_token_diffusion.metrics.bound_audit import audit
from visual_token_diffusion.metrics.toy import Denoiser, Toy

CODES = torch.cartesian_prod(*[torch.arange(2)] * 3)


def masked(process, maskable, t, seed):
    return process.corrupt(maskable.long(), t, maskable=maskable, generator=gen(seed))


@pytest.mark.parametrize('order', [None, (2, 1, 0), (1, 2, 0)])
def test_counts_order_and_weights(order):
    p = ScaleMasking(CODES, order)
    B, L = 600, 7
    maskable = torch.rand(B, L, generator=gen(1)) < 0.7
    maskable[:, 0] = True
    t = antithetic_times(B, gen(2))
    corrupted = masked(p, maskable, t, 3)
    mask, asked = corrupted.mask, p.asked_scale(corrupted.mask)
    n = maskable.sum(1)
    total = (t * n * 3).ceil().long().clamp(min=1)
    assert torch.equal(mask.flatten(1).sum(1), total)
    assert not (mask & ~maskable[..., None]).any()
    for b in range(B):
        per = [int(mask[b, :, m].sum()) for m in p.order]  # first to last: 0, ..., some, all, ...
        j = p.order.index(int(asked[b]))
        assert per[:j] == [0] * j and per[j + 1 :] == [int(n[b])] * (2 - j)
        assert 1 <= per[j] <= n[b]
        assert corrupted.weight[b].item() == pytest.approx(3 * int(n[b]) / per[j])


@pytest.mark.parametrize('order', [None, (2, 1, 0), (1, 2, 0)])
def test_every_position_as_often_as_any_other(order):
    p = ScaleMasking(CODES, order)
    everything = torch.ones(20_000, 7, dtype=torch.bool)
    mask = masked(p, everything, torch.full((20_000,), 0.5), 4).mask
    share = mask[:, :, int(p.asked_scale(mask)[0])].float().mean(0)
    assert (share - share.mean()).abs().max() < 0.02
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    assert not masked(p, nothing, torch.ones(2), 0).mask.any()


def test_nll_by_loops():
    lp = torch.randn(200, 8, generator=gen(), dtype=torch.double).log_softmax(1)
    ids = torch.randint(8, (200,), generator=gen(1))
    mask = torch.rand(200, 3, generator=gen(2)) < 0.5
    asked = torch.randint(3, (200,), generator=gen(3))
    mask[torch.arange(200), asked] = True
    got = scale_nll(lp, CODES, ids, mask, asked)
    for i in range(200):
        own, a = CODES[ids[i]], asked[i]
        ok = [v for v in range(8) if (mask[i] | (CODES[v] == own)).all()]
        z = sum(lp[i, v].exp() for v in ok)
        y = sum(lp[i, v].exp() for v in ok if CODES[v, a] == own[a])
        assert got[i].item() == pytest.approx(-math.log(y / z), abs=1e-9)


def mean_cost(toy, net, order, j, positions):
    "The mean over all sequences of n/k times the cost of the scale order[j], masked at `positions`"
    r, m = len(positions), order[j]
    mask = torch.zeros(len(toy.seqs), 2, 3, dtype=torch.bool)
    mask[:, positions, m] = True
    for later in order[j + 1 :]:
        mask[:, :, later] = True
    nll = scale_nll(
        net(toy.seqs, mask)[:, positions].flatten(0, 1),
        toy.codes,
        toy.seqs[:, positions].flatten(),
        mask[:, positions].flatten(0, 1),
        torch.full((len(toy.seqs) * r,), m),
    )
    return (toy.p * nll.view(-1, r).sum(1)).sum().item() * 2 / r


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 0, 1)])
def test_bound_is_tight_by_listing_everything(order):
    "The mean over every time, every set of masked codes and every sequence is the entropy, scale by scale"
    toy = Toy(2, 3, 2, seed=2)
    net, total = Denoiser(toy).eval(), 0.0
    for j in range(3):
        for r in (1, 2):
            sets = list(itertools.combinations(range(2), r))
            total += sum(mean_cost(toy, net, order, j, list(s)) for s in sets) / len(sets) / 2
    assert total == pytest.approx(toy.entropy, abs=1e-9)


@pytest.mark.parametrize('order', [(0, 1), (1, 0)])
def test_the_audit_passes(order):
    def estimate(d, x, g, share=1.0):
        t = antithetic_times(len(x), g)[torch.randperm(len(x), generator=g)]
        process = ScaleMasking(d.toy.codes, order)
        return share * scale_nelbo(d.eval(), process, x, t, generator=g)[0]

    assert audit(estimate, reps=10, rows=512).ok
    assert not audit(lambda d, x, g: estimate(d, x, g, 0.5), reps=10, rows=512).ok


@pytest.mark.parametrize('order', [(0, 1), (0, 0, 1)])
def test_bad_orders_are_one_line(order):
    with pytest.raises(ValueError, match='each of 0..2') as e:
        ScaleMasking(CODES, order)
    assert '\n' not in str(e.value)
