"Masking scale by scale: counts, weights, the bound by listing everything, and honest samples."

import itertools, math
import pytest, torch
from visual_token_diffusion.diffusion.base import antithetic_times
from visual_token_diffusion.diffusion.next_scale import ScaleMasking, scale_nelbo, scale_nll
from visual_token_diffusion.samplers.codes import sample_scales
from visual_token_diffusion.metrics.bound_audit import Denoiser, Toy, audit

gen = lambda s=0: torch.Generator().manual_seed(s)
codes = torch.cartesian_prod(*[torch.arange(2)] * 3)


@pytest.mark.parametrize('order', [None, (2, 1, 0), (1, 2, 0)])
def test_counts_order_and_weights(order):
    p = ScaleMasking(codes, order)
    B, L = 600, 7
    free = torch.rand(B, L, generator=gen(1)) < 0.7
    free[:, 0] = True
    t = antithetic_times(B, gen(2))
    hidden, asked, w = p.corrupt(free, t, gen(3))
    n = free.sum(1)
    total = (t * n * 3).ceil().long().clamp(min=1)
    assert torch.equal(hidden.flatten(1).sum(1), total) and not (hidden & ~free[..., None]).any()
    for b in range(B):
        per = [int(hidden[b, :, m].sum()) for m in p.order]  # first to last: 0, ..., some, all, ...
        j = p.order.index(int(asked[b]))
        assert per[:j] == [0] * j and 1 <= per[j] <= n[b] and per[j + 1 :] == [int(n[b])] * (2 - j)
        assert w[b].item() == pytest.approx(3 * int(n[b]) / per[j])
    where = torch.zeros(L)
    h, a, _ = p.corrupt(torch.ones(20_000, L, dtype=torch.bool), torch.full((20_000,), 0.5), gen(4))
    m = int(a[0])
    where = h[:, :, m].float().mean(0)
    assert (where - where.mean()).abs().max() < 0.02  # every position as often as any other
    assert (
        not ScaleMasking(codes)
        .corrupt(torch.zeros(2, 3, dtype=torch.bool), torch.ones(2), gen())[0]
        .any()
    )


def test_nll_by_loops():
    lp = torch.randn(200, 8, generator=gen(), dtype=torch.double).log_softmax(1)
    ids = torch.randint(8, (200,), generator=gen(1))
    hidden = torch.rand(200, 3, generator=gen(2)) < 0.5
    asked = torch.randint(3, (200,), generator=gen(3))
    hidden[torch.arange(200), asked] = True
    got = scale_nll(lp, codes, ids, hidden, asked)
    for i in range(200):
        ok = [
            v
            for v in range(8)
            if all(hidden[i, m] or codes[v, m] == codes[ids[i], m] for m in range(3))
        ]
        z = sum(lp[i, v].exp() for v in ok)
        y = sum(lp[i, v].exp() for v in ok if codes[v, asked[i]] == codes[ids[i], asked[i]])
        assert got[i].item() == pytest.approx(-math.log(y / z), abs=1e-9)


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 0, 1)])
def test_bound_is_tight_by_listing_everything(order):
    "The mean over every time, every set of hidden codes and every sequence is the entropy, scale by scale"
    toy = Toy(K=2, M=3, L=2, seed=2)
    net, total = Denoiser(toy).eval(), 0.0
    for j, m in enumerate(order):
        for r in (1, 2):
            for s in itertools.combinations(range(2), r):
                hidden = torch.zeros(len(toy.seqs), 2, 3, dtype=torch.bool)
                hidden[:, list(s), m] = True
                for later in order[j + 1 :]:
                    hidden[:, :, later] = True
                nll = scale_nll(
                    net(toy.seqs, hidden)[:, list(s)].flatten(0, 1),
                    toy.codes,
                    toy.seqs[:, list(s)].flatten(),
                    hidden[:, list(s)].flatten(0, 1),
                    torch.full((len(toy.seqs) * r,), m),
                )
                total += (
                    (toy.p * nll.view(-1, r).sum(1)).sum().item() * 2 / r / math.comb(2, r) / 2
                )  # n/k, mean over sets, mean over k
    assert total == pytest.approx(toy.entropy, abs=1e-9)


@pytest.mark.parametrize('order', [(0, 1), (1, 0)])
def test_the_referee_acquits(order):
    def estimate(d, x, g, share=1.0):
        t = antithetic_times(len(x), g)[torch.randperm(len(x), generator=g)]
        return (
            share
            * scale_nelbo(
                d.eval(),
                ScaleMasking(d.toy.codes, order),
                x,
                torch.ones_like(x, dtype=torch.bool),
                t,
                g,
            )[0]
        )

    assert (
        audit(estimate, reps=10, rows=512).ok
        and not audit(lambda d, x, g: estimate(d, x, g, 0.5), reps=10, rows=512).ok
    )


def test_sampling():
    toy = Toy(K=2, M=3, L=2, seed=1)
    d, n = Denoiser(toy).eval(), 8000
    network = lambda c, h: d(c.matmul(torch.tensor([4, 2, 1])), h)
    steps = list(
        sample_scales(
            network,
            ScaleMasking(toy.codes, (1, 0, 2)),
            torch.zeros(n, 2, dtype=torch.long),
            torch.ones(n, 2, dtype=torch.bool),
            2,
            gen(5),
        )
    )
    assert len(steps) == 7 and [int(s.hidden[0].sum()) for s in steps] == [6, 5, 4, 3, 2, 1, 0]
    for a, b in zip(steps, steps[1:]):
        assert torch.equal(b.hidden, a.hidden & ~b.changed) and torch.equal(
            torch.where(b.changed, 0, a.ids), torch.where(b.changed, 0, b.ids)
        )
        assert ((toy.codes[b.guess] == b.ids) | b.hidden).all()
    seen = torch.bincount(toy.index(steps[-1].guess), minlength=64).double()
    chi = ((seen - n * toy.p) ** 2 / (n * toy.p).clamp(min=1e-9)).sum().item()
    assert chi < 63 + 6 * 126**0.5
    uneven = list(
        sample_scales(
            network,
            ScaleMasking(toy.codes),
            torch.zeros(3, 2, dtype=torch.long),
            torch.ones(3, 2, dtype=torch.bool),
            (9, 1, 2),
            gen(5),
        )
    )
    assert [int(s.hidden[0].sum()) for s in uneven] == [6, 5, 4, 2, 1, 0]
    free = torch.tensor([[True, False]]).expand(50, 2)
    ids = torch.full((50, 2), 6)
    *_, last = sample_scales(network, ScaleMasking(toy.codes), ids, free, 5, gen(6))
    assert (last.guess[:, 1] == 6).all() and not last.hidden.any()
    *_, last = sample_scales(network, ScaleMasking(toy.codes), ids, free & False, 5, gen(6))
    assert torch.equal(last.ids, toy.codes[ids])


@pytest.mark.parametrize(
    'make,text',
    [
        (lambda: ScaleMasking(codes, (0, 1)), 'each of 0..2'),
        (lambda: ScaleMasking(codes, (0, 0, 1)), 'each of 0..2'),
        (
            lambda: next(
                sample_scales(
                    None, ScaleMasking(codes), torch.zeros(1, 2).long(), torch.ones(1, 2).bool(), 0
                )
            ),
            'at least 1',
        ),
        (
            lambda: next(
                sample_scales(
                    None,
                    ScaleMasking(codes),
                    torch.zeros(1, 2).long(),
                    torch.ones(1, 2).bool(),
                    (1, 2),
                )
            ),
            'one number or 3',
        ),
        (
            lambda: next(
                sample_scales(
                    None, ScaleMasking(codes), torch.zeros(2).long(), torch.ones(2).bool()
                )
            ),
            '(B,L)',
        ),
        (
            lambda: list(
                sample_scales(
                    lambda c, h: torch.full((1, 2, 8), math.nan),
                    ScaleMasking(codes),
                    torch.zeros(1, 2).long(),
                    torch.ones(1, 2).bool(),
                )
            ),
            'NaN',
        ),
    ],
)
def test_bad_input_is_one_line(make, text):
    with pytest.raises(ValueError) as err:
        make()
    assert text in str(err.value) and '\n' not in str(err.value)
