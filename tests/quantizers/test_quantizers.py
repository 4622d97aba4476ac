"Every quantizer against a slow and obvious reference in float64, and against vector-quantize-pytorch where that is installed."

import copy, itertools, math
import pytest, torch
import torch.nn.functional as F
from visual_token_diffusion.quantizers.base import (
    FSQ,
    LFQ,
    FactorizedQuantizer,
    ResidualQuantizer,
    VectorQuantizer,
)

gen = lambda s=0: torch.Generator().manual_seed(s)


def grad(f, z):
    z = z.clone().requires_grad_()
    f(z).backward()
    return z.grad


def make():
    g = gen(1)
    return {
        'vq': VectorQuantizer(6, 7, generator=g),
        'product': VectorQuantizer(6, 5, 3, generator=g),
        'by gradient': VectorQuantizer(6, 7, decay=None, generator=g),
        'fsq': FSQ((8, 5, 4, 3, 2, 7)),
        'lfq': LFQ(3, 2),
        'residual': ResidualQuantizer(
            VectorQuantizer(6, 5, generator=g), VectorQuantizer(6, 4, generator=g)
        ),
        'factorised': FactorizedQuantizer(
            6, [VectorQuantizer(4, 5, generator=g), VectorQuantizer(4, 6, generator=g)]
        ),
    }


@pytest.mark.parametrize('name', make())
def test_codes_and_vectors_agree(name):
    q = make()[name].eval()
    z = torch.randn(4, 9, 6, generator=gen())
    r = q(z)
    assert r.codes.shape == (4, 9, len(q.levels)) and torch.equal(r.codes, q.encode(z))
    assert torch.allclose(r.z, q.decode(r.codes), atol=1e-6)
    if name in ('vq', 'product', 'lfq'):
        assert torch.equal(q.encode(r.z.detach()), r.codes), 'entries code themselves'
    assert torch.equal(q(z).codes, r.codes), 'asking twice changes nothing'
    u = q.usage(r.codes)
    assert u.counts.sum(1).tolist() == [36] * len(q.levels) and (u.perplexity >= 1 - 1e-9).all()
    for l in r.losses.values():
        assert l.ndim == 0 and l.isfinite()


@pytest.mark.parametrize('name', make())
def test_gradient_goes_straight_through(name):
    q = make()[name].double().eval()
    z = torch.randn(5, 6, generator=gen(), dtype=torch.double)
    w = torch.randn(6, generator=gen(2), dtype=torch.double)
    if name == 'factorised':
        return
    got = grad(lambda z: (q(z).z * w).sum(), z)
    if name == 'fsq':  # the squashing has a gradient of its own
        want = grad(lambda z: (q.bound(z) / (q.L // 2) * w).sum(), z)
    else:
        want = w.expand(5, 6)
    assert torch.allclose(got, want)


def test_vq_by_loops():
    q = make()['product'].double().eval()
    z = torch.randn(20, 6, generator=gen(), dtype=torch.double)
    r = q(z)
    for i, x in enumerate(z):
        for m in range(3):
            d = [
                sum((x[2 * m + j] - q.books[m, k, j]) ** 2 for j in range(2)).item()
                for k in range(5)
            ]
            assert r.codes[i, m] == min(range(5), key=d.__getitem__)
    want = 0.25 * sum((x - y) ** 2 for x, y in zip(z.flatten(), r.z.detach().flatten())) / 120
    assert r.losses['commit'].item() == pytest.approx(want.item())
    got = grad(lambda z: q(z).losses['commit'], z)
    assert torch.allclose(got, 0.25 * 2 * (z - r.z.detach()) / 120)


def test_gradient_book_by_loops():
    q = make()['by gradient'].double().eval()
    z = torch.randn(20, 6, generator=gen(), dtype=torch.double)
    r = q(z)
    r.losses['book'].backward()
    want = torch.zeros_like(q.books)
    for x, (c,) in zip(z, r.codes.tolist()):
        want[0, c] += 2 * (q.books[0, c].detach() - x) / 120
    assert torch.allclose(q.books.grad, want)


def test_moving_averages_by_loops():
    q = VectorQuantizer(4, 6, 2, decay=0.8, revive=0, generator=gen()).double()
    z = torch.randn(50, 4, generator=gen(3), dtype=torch.double)
    q(z)
    count, total, books = (
        q.count.clone(),
        q.total.clone(),
        q.books.clone(),
    )  # the first batch also sets the entries
    z = torch.randn(50, 4, generator=gen(4), dtype=torch.double)
    codes = q.train()(z).codes
    for m in range(2):
        for k in range(6):
            mine = [x[2 * m : 2 * m + 2] for x, c in zip(z, codes) if c[m] == k]
            n, s = 0.8 * count[m, k] + 0.2 * len(mine), 0.8 * total[m, k] + 0.2 * sum(
                mine, torch.zeros(2, dtype=torch.double)
            )
            assert q.count[m, k].item() == pytest.approx(n.item()) and torch.allclose(
                q.total[m, k], s
            )
            assert torch.allclose(q.books[m, k], s / n if n > 1e-9 else books[m, k])


def test_dead_entries_are_reborn_on_data():
    q = VectorQuantizer(2, 8, generator=gen())
    z = torch.randn(64, 2, generator=gen())
    q(z)
    q.books[0, 3] = 1e3
    q.count[0, 3] = 1e-6
    q.total[0, 3] = q.books[0, 3] * 1e-6
    q(z)
    assert (z - q.books[0, 3]).norm(dim=1).min() == 0 and q.usage(q.encode(z)).counts.min() >= 0
    still = VectorQuantizer(2, 8, revive=0, generator=gen())
    still(z)
    still.books[0, 3] = 1e3
    still.count[0, 3] = 1.0
    still.total[0, 3] = 1e3
    for _ in range(20):
        still(z)
    assert still.books[0, 3].norm() > 500, 'without revival it stays dead'


@pytest.mark.parametrize('levels', [(8, 5, 4, 3, 2, 7), (2, 2), (9,)])
def test_fsq_by_scalars(levels):
    q = FSQ(levels)
    z = torch.randn(200, len(levels), generator=gen(), dtype=torch.double) * 3
    codes, out = q.encode(z), q(z).z
    for x, c, o in zip(z.tolist(), codes.tolist(), out.tolist()):
        for v, k, y, L in zip(x, c, o, levels):
            half, off = (L - 1) * 1.001 / 2, 0.5 if L % 2 == 0 else 0.0
            want = round(math.tanh(v + math.atanh(off / half)) * half - off)
            assert k == want + L // 2 and y == pytest.approx(want / (L // 2)) and 0 <= k < L
    for j, L in enumerate(levels):
        assert len(codes[:, j].unique()) == L, 'every level can be reached'


@pytest.mark.parametrize('bits,M,tau', [(3, 2, 1.0), (6, 1, 0.1), (1, 4, 2.0)])
def test_lfq_by_all_corners(bits, M, tau):
    q = LFQ(bits, M, tau).double()
    z = torch.randn(30, bits * M, generator=gen(), dtype=torch.double, requires_grad=True)
    corners = torch.tensor(
        list(itertools.product((-1.0, 1.0), repeat=bits)), dtype=torch.double
    ).flip(1)
    p = (2 * z.view(30, M, bits) @ corners.T / tau).softmax(-1)
    H = lambda p: -torch.special.xlogy(p, p).sum(-1)
    want = 0.1 * (H(p).mean() - H(p.mean(0)).mean())
    got = q(z).losses['entropy']
    assert got.item() == pytest.approx(want.item(), abs=1e-9)
    a, b = (torch.autograd.grad(l, z, retain_graph=True)[0] for l in (got, want))
    assert torch.allclose(a, b, atol=1e-9)
    assert torch.equal(corners[q.encode(z)].flatten(1), q.decode(q.encode(z)).double())


def test_residual_by_hand():
    q = make()['residual'].double().eval()
    z = torch.randn(12, 6, generator=gen(), dtype=torch.double)
    a, b = q.stages
    first = a.decode(a.encode(z))
    second = b.decode(b.encode(z - first))
    assert torch.allclose(q(z).z, first + second) and torch.equal(
        q.encode(z), torch.cat([a.encode(z), b.encode(z - first)], -1)
    )


def test_factorised_by_hand():
    q = make()['factorised'].double().eval()
    z = torch.randn(12, 6, generator=gen(), dtype=torch.double)
    r = q(z)
    a, b = (f.decode(f.encode(v(z))) for f, v in zip(q.factors, q.views))
    assert torch.allclose(r.z, torch.cat([a, b], -1))
    assert r.losses['disentangle'].item() == pytest.approx(
        0.1 * (F.cosine_similarity(a, b, -1) ** 2).mean().item()
    )


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision(dtype):
    for name, q in make().items():
        q = q.eval()
        if name == 'factorised':
            q = q.to(dtype)
        z = torch.randn(64, 6, generator=gen()).to(dtype)
        r = q(z)
        assert (
            r.z.dtype == dtype and r.z.isfinite().all() and torch.equal(r.codes, q.encode(z))
        ), name


def test_against_vector_quantize_pytorch():
    lib = pytest.importorskip('vector_quantize_pytorch')
    z = torch.randn(256, 8, generator=gen())
    ours = VectorQuantizer(8, 32, decay=0.8, revive=0, generator=gen())
    ours(z)
    theirs = lib.VectorQuantize(
        8, codebook_size=32, decay=0.8, commitment_weight=0.25, threshold_ema_dead_code=0, eps=1e-9
    )
    book = theirs._codebook
    book.embed.data.copy_(ours.books)
    book.embed_avg.data.copy_(ours.total)
    book.cluster_size.data.copy_(ours.count)
    book.initted.data.fill_(True)
    for s in range(5):
        z = torch.randn(256, 8, generator=gen(10 + s))
        r = ours.train()(z)
        q, i, l = theirs.train()(z[None])
        assert (
            torch.equal(r.codes[:, 0], i[0])
            and torch.allclose(r.z, q[0], atol=1e-5)
            and l.item() == pytest.approx(r.losses['commit'].item(), rel=1e-4)
        )
    assert torch.allclose(ours.books, book.embed, atol=1e-4)
    levels = (8, 5, 5, 3)
    a, b = FSQ(levels), lib.FSQ(list(levels))
    z = torch.randn(500, 4, generator=gen()) * 2
    assert torch.allclose(a(z).z, b(z[None])[0][0], atol=1e-6)


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: VectorQuantizer(5, 8, 2), 'cannot share'),
        (lambda: VectorQuantizer(4, 1), '2 entries'),
        (lambda: FSQ((5, 1)), '2 entries'),
        (lambda: LFQ(15), 'between 1 and 14'),
        (lambda: VectorQuantizer(4, 8)(torch.zeros(3, 5)), 'expected vectors'),
        (lambda: VectorQuantizer(4, 8)(torch.zeros(3, 4).long()), 'expected floats'),
        (lambda: VectorQuantizer(4, 8).decode(torch.tensor([[8]])), 'from 0 to below'),
        (lambda: FSQ((5, 5)).decode(torch.tensor([[1, -1]])), 'from 0'),
        (lambda: ResidualQuantizer(FSQ((5, 5)), FSQ((5,))), 'same dim'),
        (lambda: LFQ(3).decode(torch.zeros(2, 2).long()), 'expected codes'),
    ],
)
def test_bad_input_is_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)
