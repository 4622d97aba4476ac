"Discrete processes, bounds, samplers, denoiser: against enumeration and slow, obvious references, in float64."

import itertools, math
import pytest, torch
import torch.nn.functional as F
from visual_token_diffusion.networks.attention_masks import (
    block_causal, causal, dense, full, omni, padding, prefix,
)
from visual_token_diffusion.networks.embeddings import CodeEmbedding
from visual_token_diffusion.networks.transformer import Trunk, both
from visual_token_diffusion.diffusion.base import antithetic_times
from visual_token_diffusion.diffusion.masked import MaskedDiffusion, masked_nelbo
from visual_token_diffusion.diffusion.schedules import Cosine, Linear, LogLinear
from visual_token_diffusion.samplers.masked import sample_masked
from visual_token_diffusion.diffusion.discrete import (
    Absorbing, Discrete, Uniform, score_entropy, generalized_kl,
)
from visual_token_diffusion.diffusion.discretized_gaussian import DiscretizedGaussian
from visual_token_diffusion.diffusion.partial_masking import (
    PartialMasking, condition_on_codes, partial_nll,
)
from visual_token_diffusion.core.sampling import sample_logits
from visual_token_diffusion.networks.heads.flat import FlatHead
from visual_token_diffusion.networks.heads.hierarchical import HierarchicalSoftmaxHead
from visual_token_diffusion.networks.heads.independent import IndependentHead
from visual_token_diffusion.metrics.bound_audit import Denoiser, Toy, audit, below_entropy
from visual_token_diffusion.core.sampling import apply_temperature_top_p
from visual_token_diffusion.samplers.ancestral import sample_ancestral
from visual_token_diffusion.samplers.codes import sample_partial

V = 3
table = torch.rand(V, V, generator=torch.Generator().manual_seed(1), dtype=torch.float64) ** 2
table /= table.sum()
pairs = list(itertools.product(range(V), repeat=2))
schedules = [LogLinear(), Cosine(), Linear(), Linear(12.0)]
processes = [
    P for s in schedules for P in (Absorbing(V, s), Uniform(V, s), DiscretizedGaussian(V, 0.7, s))
]
name = lambda p: (
    repr(p) if isinstance(p, (LogLinear, Cosine, Linear)) else f'{type(p).__name__}-{p.schedule!r}'
)
f64 = lambda *v: torch.tensor(v, dtype=torch.float64)
kernel = lambda p, a: p.forward_kernel(torch.eye(p.S, dtype=torch.double), a)


def opinion(p, y, t):
    "The perfect denoiser's logits: each position from the other one, slowly"
    res = torch.zeros(len(y), 2, V, dtype=torch.double)
    k = kernel(p, p.schedule.alpha(t))
    for n, (a, b) in enumerate(y.tolist()):
        for v in range(V):
            res[n, 0, v], res[n, 1, v] = sum(table[v, w] * k[w, b] for w in range(V)), sum(
                table[w, v] * k[w, a] for w in range(V)
            )
    return res.log()


@pytest.mark.parametrize('s', schedules, ids=repr)
def test_schedules(s):
    t = torch.linspace(0.001, 0.999, 999, dtype=torch.double)
    assert torch.allclose((s.noise(t + 1e-6) - s.noise(t - 1e-6)) / 2e-6, -s.dalpha(t), atol=1e-6)
    assert torch.allclose(s.alpha(t) + s.noise(t), torch.ones_like(t)) and (s.dalpha(t) < 0).all()
    assert (
        s.noise(f64(1e-12)).item() > 0
        and abs(s.alpha(f64(0.0)).item() - 1) < 1e-15
        and abs(s.alpha(f64(1.0)).item()) < 1e-15
    )
    assert torch.allclose(s.weight(t), -s.dalpha(t) / s.noise(t))


@pytest.mark.parametrize('p', processes, ids=name)
def test_marginals_are_composed_kernels(p):
    al = p.schedule.alpha(f64(*[i / 8 for i in range(1, 8)]))
    prod = kernel(p, al[0])
    for a, b in zip(al, al[1:]):
        prod = prod @ kernel(p, b / a)
    assert torch.allclose(prod, kernel(p, al[-1]), atol=1e-12)
    assert torch.allclose(kernel(p, al[3]).sum(1), torch.ones(p.S).double(), atol=1e-12)
    assert torch.allclose(p.likelihood(torch.arange(p.S), al[3]).T, kernel(p, al[3]), atol=1e-12)
    e = 1e-7  # the rates are the kernel's derivative
    flow = (kernel(p, math.exp(-e)) - torch.eye(p.S)) / e
    assert torch.allclose(
        p.rates(torch.arange(p.S)).T * (1 - torch.eye(p.S)), flow * (1 - torch.eye(p.S)), atol=1e-5
    )


@pytest.mark.parametrize('p', processes[:3], ids=name)
def test_corrupt_follows_the_marginal(p):
    g, N = torch.Generator().manual_seed(0), 40000
    x = torch.randint(V, (N, 2), generator=g)
    t = torch.full((N,), 0.6, dtype=torch.double)
    y = p.corrupt(x, t, g)
    for v in range(V):
        q, c = kernel(p, p.schedule.alpha(f64(0.6)))[0, v], torch.bincount(y[x == v], minlength=p.S)
        q = kernel(p, p.schedule.alpha(f64(0.6)))[v]
        n = c.sum()
        ok = q * n > 5
        assert ((c - n * q)[ok] ** 2 / (n * q)[ok]).sum() < 30
    free = torch.rand(x.shape, generator=g) < 0.5
    assert torch.equal(p.corrupt(x, t, g, free)[~free], x[~free])


@pytest.mark.parametrize('p', processes, ids=name)
def test_posterior_is_bayes(p):
    s, t = f64(0.3), f64(0.65)
    ks, kt = kernel(p, p.schedule.alpha(s))[:V], kernel(
        p, (p.schedule.alpha(t) / p.schedule.alpha(s)).squeeze()
    )
    for y in itertools.product(range(p.S), repeat=2):
        both = torch.zeros(V, V, p.S, p.S, dtype=torch.double)
        for a, b in pairs:
            for u, w in itertools.product(range(p.S), repeat=2):
                both[a, b, u, w] = table[a, b] * ks[a, u] * ks[b, w] * kt[u, y[0]] * kt[w, y[1]]
        z = torch.tensor([y])
        mine = p.posterior(z, p.predict(opinion(p, z, t), z, t), s, t)[0]
        assert torch.allclose(
            mine[0], both.sum((0, 1, 3)) / both.sum(), atol=1e-12
        ) and torch.allclose(mine[1], both.sum((0, 1, 2)) / both.sum(), atol=1e-12)
        for a, b in pairs:
            if (j := both[a, b]).sum() > 0:
                assert torch.allclose(
                    p.posterior(z, torch.tensor([[a, b]]), s, t)[0, 0],
                    j.sum(1) / j.sum(),
                    atol=1e-12,
                )


def integrate(p, rate):
    "The bound of all pairs: tanh-sinh over time, all states listed"
    u = torch.linspace(-2.5, 2.5, 40, dtype=torch.float64)
    w = math.pi / 2 * u.sinh()
    total = torch.zeros(V, V, dtype=torch.double)
    ys = torch.tensor(list(itertools.product(range(p.S), repeat=2)))
    for t, dt in zip(
        0.5 * (1 + w.tanh()), 0.5 * math.pi / 2 * u.cosh() / w.cosh() ** 2 * (u[1] - u[0])
    ):
        like, op = p.likelihood(ys, p.schedule.alpha(t)), opinion(p, ys, t)
        pred = p.predict(op, ys, t.expand(len(ys)))
        for a, b in pairs:
            ch = like[:, 0, a] * like[:, 1, b]
            ok = ch > 0
            total[a, b] += (
                dt
                * (
                    ch[ok, None]
                    * rate(
                        torch.tensor([[a, b]]).expand(int(ok.sum()), -1),
                        ys[ok],
                        pred[ok],
                        t.expand(int(ok.sum())),
                    )
                ).sum()
            )
    return total


@pytest.mark.parametrize('p', processes[:6], ids=name)
def test_bound_is_exact_for_the_perfect_denoiser(p):
    assert torch.allclose(integrate(p, p.bound_rate), -table.log(), atol=2e-6)


def test_general_bound_is_the_masked_one():
    p = Absorbing(V, Cosine())
    assert torch.allclose(
        integrate(p, lambda *a: Discrete.bound_rate(p, *a)), -table.log(), atol=2e-6
    )


def test_score_gap_and_score_entropy():
    g = torch.Generator().manual_seed(0)
    s, r = torch.rand(1000, generator=g).double() * 5, torch.rand(1000, generator=g).double() * 5
    assert (
        (generalized_kl(s, r) >= -1e-12).all()
        and generalized_kl(r, r).abs().max() < 1e-12
        and generalized_kl(s, r * 0).equal(s)
    )
    l, x = torch.randn(50, 7, generator=g).double(), torch.randint(7, (50,), generator=g)
    Z = l.exp().sum(1)
    assert torch.allclose(
        score_entropy(l, x), F.cross_entropy(l, x, reduction='none') + Z - 1 - Z.log()
    )


def slow_masked_bound(costs, hidden, free):
    "For every row: n/k times the sum over hidden positions, one number at a time"
    res = []
    for c, h, f in zip(costs.tolist(), hidden.tolist(), free.tolist()):
        n, k = sum(f), sum(h)
        res.append(n / k * sum(v for v, z in zip(c, h) if z) if k else 0.0)
    return f64(*res)


def test_masked_bound_equals_a_slow_reference():
    g = torch.Generator().manual_seed(0)
    for _ in range(20):
        free = torch.rand(16, 11, generator=g) < 0.8
        hidden, w = MaskedDiffusion().corrupt(free, antithetic_times(16, g), g)
        costs = torch.rand(16, 11, generator=g).double()
        assert not (hidden & ~free).any()
        assert torch.allclose(
            masked_nelbo(costs[hidden], hidden, w),
            slow_masked_bound(costs, hidden, free),
            rtol=1e-7,
        )
    none = torch.zeros(2, 5, dtype=torch.bool)  # nothing may be hidden: no cost, no NaN
    hidden, w = MaskedDiffusion().corrupt(none, antithetic_times(2, g), g)
    assert not hidden.any() and masked_nelbo(torch.zeros(0), hidden, w).tolist() == [0, 0]


def test_single_codes_against_enumeration():
    codes = torch.tensor([[0, 0], [0, 1], [1, 0]])
    M, L = 2, 2

    def perfect(x, h):
        ok = ((codes[None] == codes[x][:, None]) | h[:, None]).all(-1).double()
        j = table * ok[0][:, None] * ok[1]
        return (torch.stack([j.sum(1), j.sum(0)]) / j.sum()).log()

    for x in map(torch.tensor, pairs):
        by_k = {k: [] for k in range(1, 5)}
        for h in itertools.product((False, True), repeat=4):
            if k := sum(h):
                h = torch.tensor(h).view(2, 2)
                by_k[k].append(partial_nll(perfect(x, h), codes, x, h).sum() * 4 / k)
        assert abs(sum(sum(v) / len(v) for v in by_k.values()) / 4 + table[tuple(x)].log()) < 1e-12
    h = torch.tensor([[False, True], [True, True]])
    lp = torch.randn(2, 3).double().log_softmax(1)
    a = condition_on_codes(lp, codes, codes[torch.tensor([0, 2])], h).exp()
    assert (
        a[0, 2] == 0
        and torch.allclose(a.sum(1), torch.ones(2).double())
        and torch.allclose(a[1], lp[1].exp())
    )


def chi2(ids):
    q = table.flatten()
    c = torch.bincount(ids @ torch.tensor([V, 1]), minlength=V * V)
    return ((c - len(ids) * q) ** 2 / (len(ids) * q)).sum().item()


def fast_opinion(p):
    def net(x, t):
        q = p.likelihood(x, p.schedule.alpha(t))[..., :V]
        return torch.stack(
            [(table * q[:, 1, None]).sum(2), (table * q[:, 0, :, None]).sum(1)], 1
        ).log()

    return net


@pytest.mark.parametrize('p', processes[:6], ids=name)
def test_ancestral_sampler(p):
    blank = torch.zeros(12000, 2, dtype=torch.long)
    run = lambda n, s: list(
        sample_ancestral(p, fast_opinion(p), blank, blank == 0, n, torch.Generator().manual_seed(s))
    )[-1].ids
    assert chi2(run(96, 0)) < 8 + 5 * 4 < chi2(run(1, 0))
    assert torch.equal(run(3, 5), run(3, 5))


@pytest.mark.parametrize(
    'way,exact',
    [
        ({}, True),
        (dict(order='left'), True),
        (dict(block=1), True),
        (dict(counts='cosine'), True),
        (dict(remask=True), True),
        (dict(order='confidence'), False),
    ],
    ids=str,
)
def test_masked_strategies(way, exact):
    g, blank = torch.Generator().manual_seed(0), torch.zeros(12000, 2, dtype=torch.long)

    def draw(ids, hidden, where):
        like = torch.where(hidden[..., None], 1.0, F.one_hot(ids, V).double())
        q = torch.stack(
            [(table * like[:, 1, None]).sum(2), (table * like[:, 0, :, None]).sum(1)], 1
        )[where]
        y = sample_logits(q.log(), generator=g)
        return y, q.log().log_softmax(1).gather(1, y[:, None])[:, 0]

    steps = list(sample_masked(draw, blank, blank == 0, 2, generator=g, **way))
    assert len(steps) == 3 and not steps[-1].hidden.any() and (chi2(steps[-1].ids) < 28) == exact


def test_partial_sampler_and_prompts():
    codes = torch.tensor([[0, 0], [0, 1], [1, 0]])

    def knows(x, h):
        ok = ((codes == x[:, :, None]) | h[:, :, None]).all(-1).double()
        j = table * ok[:, 0, :, None] * ok[:, 1, None]
        return (torch.stack([j.sum(2), j.sum(1)], 1) / j.sum((1, 2))[:, None, None]).log()

    ids = torch.tensor([[0, 2]] * 12000)
    free = torch.ones_like(ids, dtype=torch.bool)
    last = lambda f, n: list(
        sample_partial(knows, codes, ids, f, n, torch.Generator().manual_seed(0))
    )[-1].guess
    assert chi2(last(free, 4)) < 28 < chi2(last(free, 1))
    free[:, 1] = False
    got = last(free, 2)
    assert (got[:, 1] == 2).all() and (
        (torch.bincount(got[:, 0], minlength=3) / 12000 - table[:, 2] / table[:, 2].sum()).abs()
        < 0.02
    ).all()


@pytest.mark.parametrize(
    'pattern',
    [
        full,
        causal,
        block_causal(3),
        prefix(3),
        omni([0, 1, 1, 1, 0, 2, 2]),
        both(causal, padding(torch.arange(7)[None] > 0)),
    ],
    ids=range(6),
)
@pytest.mark.parametrize('registers,time,flex', [(0, 0, False), (3, 16, False), (2, 0, True)])
def test_nothing_leaks(pattern, registers, time, flex):
    torch.manual_seed(0)
    trunk = Trunk(16, 2, 2, registers=registers, time=time, flex=flex).double().eval()
    if time:
        [
            torch.nn.init.normal_(m.net.weight)
            for m in trunk.modules()
            if type(m).__name__ == 'Modulation'
        ]
    x = torch.randn(1, 7, 16, dtype=torch.double)
    kw = dict(t=f64(0.4)) if time else {}
    with torch.no_grad():
        base = trunk(x, pattern, **kw)
        moved = torch.stack(
            [
                (trunk(x + 9 * F.one_hot(torch.tensor(k), 7)[None, :, None], pattern, **kw) - base)[
                    0
                ]
                .abs()
                .amax(1)
                > 0
                for k in range(7)
            ],
            1,
        )
    allowed = (dense(pattern, 7)[0, 0] | torch.eye(7, dtype=torch.bool)).double()
    assert not (moved & ~(allowed @ allowed > 0)).any()
    assert (moved | ~(allowed > 0)).all()


def test_gradient_of_a_causal_trunk():
    x = torch.randn(2, 9, 32, requires_grad=True)
    Trunk(32, 3, 2, registers=2)(x, causal)[:, 4].sum().backward()
    assert (x.grad[:, 5:] == 0).all() and (x.grad[:, :5] != 0).any(-1).all()


def test_trunk_refuses():
    with pytest.raises(ValueError, match='evenly'):
        Trunk(30, 1, 4)
    with pytest.raises(ValueError, match='True where looking'):
        Trunk(16, 1, 2)(torch.randn(1, 3, 16), torch.zeros(3, 3))
    with pytest.raises(ValueError, match='at least 1'):
        block_causal(0)
    with pytest.raises(ValueError, match='clock'):
        Trunk(16, 1, 2)(torch.randn(1, 3, 16), t=torch.rand(1))


def test_old_checkpoints_load():
    keys = set(Trunk(16, 1, 2).state_dict())
    assert keys == {
        'blocks.0.near.weight',
        'blocks.0.n1.weight',
        'blocks.0.n2.weight',
        'blocks.0.qkv.weight',
        'blocks.0.proj.weight',
        'blocks.0.up.weight',
        'blocks.0.down.weight',
        'norm.weight',
    }
    assert set(CodeEmbedding(3, 4, 16).state_dict()) == {'emb.weight', 'hole'} and CodeEmbedding(
        3, 4, 16
    ).mask_embed.shape == (16,)


@pytest.mark.parametrize(
    'make',
    [
        lambda c: FlatHead(len(c), 8),
        lambda c: IndependentHead(c, 4, 8),
        lambda c: HierarchicalSoftmaxHead(c, 4, 8),
    ],
    ids=['flat', 'independent', 'tree'],
)
def test_heads(make):
    g = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    codes = torch.cartesian_prod(torch.arange(4), torch.arange(4))[
        torch.randperm(16, generator=g)[:11]
    ]
    head = make(codes)
    counts = torch.arange(11.0)
    head.set_prior(counts)
    with torch.no_grad():
        [p.add_(torch.randn(p.shape, generator=g) * 0.3) for p in head.parameters()]
    h = torch.randn(5, 8, generator=g)
    lp = head.log_probs(h)
    slow = torch.stack([-head.nll(h, torch.full((5,), v)) for v in range(11)], 1)
    assert torch.allclose(lp, slow, atol=1e-5) and (lp.exp().sum(1) < 1 + 1e-5).all()
    if not isinstance(head, IndependentHead):
        assert torch.allclose(lp.exp().sum(1), torch.ones(5), atol=1e-5)
    ids, l = head.sample(h, generator=g)
    assert torch.allclose(l, lp.gather(1, ids[:, None])[:, 0], atol=1e-5)


def test_pick_and_sharpen():
    p = f64(0.5, 0.3, 0.15, 0.05)
    assert (
        apply_temperature_top_p(p, 0.0).tolist() == [1, 0, 0, 0]
        and torch.allclose(apply_temperature_top_p(p, 1.0, 0.6), f64(0.625, 0.375, 0, 0))
        and torch.allclose(apply_temperature_top_p(p), p)
    )
    assert torch.allclose(apply_temperature_top_p(p, 0.5), p**2 / (p**2).sum())
    for kw in (dict(temperature=-1), dict(top_p=0), dict(top_p=1.1), dict(temperature=math.nan)):
        with pytest.raises(ValueError):
            apply_temperature_top_p(p, **kw)
        with pytest.raises(ValueError):
            sample_logits(p[None].log(), **kw)


def test_bad_input():
    ids, hid = torch.zeros(2, 4, dtype=torch.long), torch.ones(2, 4, dtype=torch.bool)
    for kw in (
        dict(steps=0),
        dict(order='best'),
        dict(counts='many'),
        dict(noise=-1),
        dict(block=-1),
        dict(block=2, steps=1),
    ):
        with pytest.raises(ValueError):
            list(sample_masked(None, ids, hid, **kw))
    with pytest.raises(ValueError, match='B,L'):
        list(sample_masked(None, ids, hid[:, :3]))
    with pytest.raises(ValueError, match='at least 2'):
        Uniform(1)
    with pytest.raises(ValueError, match='4096'):
        DiscretizedGaussian(5000)
    with pytest.raises(ValueError, match='positive'):
        DiscretizedGaussian(5, 0.0)
    with pytest.raises(ValueError, match='at least 1'):
        list(sample_partial(None, ids[:3, :2], ids, hid, 0))
    for none in (hid & False, hid[:0]):  # wholly given, or no rows: the start and nothing else
        assert len(list(sample_masked(None, ids[: len(none)], none))) == 1


def exact(d, x, g):
    h, w = MaskedDiffusion().corrupt(
        torch.ones_like(x, dtype=torch.bool),
        antithetic_times(len(x), g)[torch.randperm(len(x), generator=g)],
        g,
    )
    return masked_nelbo(-d.eval()(x, h).gather(-1, x[..., None])[..., 0][h], h, w)


def test_referee():
    assert audit(exact, reps=8).ok
    for f, why in (
        (lambda d, x, g: exact(d, x, g) / 3, 'per token'),
        (lambda d, x, g: exact(d, x, g) / 2, 'per sub-token'),
        (lambda d, x, g: exact(d, x, torch.Generator().manual_seed(0)), 'every seed'),
        (lambda d, x, g: 1.3 * exact(d, x, g), 'weight'),
        (lambda d, x, g: torch.zeros(len(x)), 'never asked'),
    ):
        v = audit(f, reps=8)
        assert not v.ok and why in repr(v), v
    lp = -torch.rand(500).double() * 10
    assert (
        below_entropy(-lp + 0.2 * torch.randn(500), lp)[2] == False
        and below_entropy(-lp - 0.2 + 0.2 * torch.randn(500), lp)[2] == True
    )
