"Vector quantization against loops in float64, and against vector-quantize-pytorch."

import pytest, torch
from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.vq import VectorQuantizer

gen = lambda s=0: torch.Generator().manual_seed(s)


def grad(f, z):
    z = z.clone().requires_grad_()
    f(z).backward()
    return z.grad


def test_vq_by_loops():
    q = VectorQuantizer(6, 5, 3, generator=gen(1)).double().eval()
    z = torch.randn(20, 6, generator=gen(), dtype=torch.double)
    r = q(z)
    for i, x in enumerate(z):
        for m, part in enumerate(x.split(2)):
            distances = [(part - entry).square().sum().item() for entry in q.codebooks[m]]
            assert r.codes[i, m] == min(range(5), key=distances.__getitem__)
    pairs = zip(z.flatten(), r.z.detach().flatten())
    want = 0.25 * sum((x - y) ** 2 for x, y in pairs) / 120
    assert r.losses['commitment'].item() == pytest.approx(want.item())
    got = grad(lambda z: q(z).losses['commitment'], z)
    assert torch.allclose(got, 0.25 * 2 * (z - r.z.detach()) / 120)


def test_gradient_book_by_loops():
    q = VectorQuantizer(6, 7, decay=None, generator=gen(1)).double().eval()
    z = torch.randn(20, 6, generator=gen(), dtype=torch.double)
    r = q(z)
    r.losses['codebook'].backward()
    want = torch.zeros_like(q.codebooks)
    for x, (c,) in zip(z, r.codes.tolist()):
        want[0, c] += 2 * (q.codebooks[0, c].detach() - x) / 120
    assert torch.allclose(q.codebooks.grad, want)


def test_moving_averages_by_loops():
    q = VectorQuantizer(4, 6, 2, decay=0.8, reset_below=0, generator=gen()).double()
    z = torch.randn(50, 4, generator=gen(3), dtype=torch.double)
    q(z)
    # the first batch also sets the entries
    count, total, books = (t.clone() for t in (q.cluster_size, q.cluster_sum, q.codebooks))
    z = torch.randn(50, 4, generator=gen(4), dtype=torch.double)
    codes = q.train()(z).codes
    for m in range(2):
        for k in range(6):
            mine = [x[2 * m : 2 * m + 2] for x, c in zip(z, codes) if c[m] == k]
            n = 0.8 * count[m, k] + 0.2 * len(mine)
            s = 0.8 * total[m, k] + 0.2 * sum(mine, torch.zeros(2, dtype=torch.double))
            assert q.cluster_size[m, k].item() == pytest.approx(n.item())
            assert torch.allclose(q.cluster_sum[m, k], s)
            assert torch.allclose(q.codebooks[m, k], s / n if n > 1e-9 else books[m, k])


def test_dead_entries_are_reset_to_data():
    q = VectorQuantizer(2, 8, generator=gen())
    z = torch.randn(64, 2, generator=gen())
    q(z)
    q.codebooks[0, 3] = 1e3
    q.cluster_size[0, 3] = 1e-6
    q.cluster_sum[0, 3] = q.codebooks[0, 3] * 1e-6
    q(z)
    assert (z - q.codebooks[0, 3]).norm(dim=1).min() == 0
    assert q.usage(q.encode(z)).counts.min() >= 0
    still = VectorQuantizer(2, 8, reset_below=0, generator=gen())
    still(z)
    still.codebooks[0, 3] = 1e3
    still.cluster_size[0, 3] = 1.0
    still.cluster_sum[0, 3] = 1e3
    for _ in range(20):
        still(z)
    assert still.codebooks[0, 3].norm() > 500, 'without reset it stays dead'


def test_against_vector_quantize_pytorch():
    lib = pytest.importorskip('vector_quantize_pytorch')
    z = torch.randn(256, 8, generator=gen())
    ours = VectorQuantizer(8, 32, decay=0.8, reset_below=0, generator=gen())
    ours(z)
    theirs = lib.VectorQuantize(
        8, codebook_size=32, decay=0.8, commitment_weight=0.25, threshold_ema_dead_code=0, eps=1e-9
    )
    book = theirs._codebook
    book.embed.data.copy_(ours.codebooks)
    book.embed_avg.data.copy_(ours.cluster_sum)
    book.cluster_size.data.copy_(ours.cluster_size)
    book.initted.data.fill_(True)
    for s in range(5):
        z = torch.randn(256, 8, generator=gen(10 + s))
        r = ours.train()(z)
        q, i, l = theirs.train()(z[None])
        assert (
            torch.equal(r.codes[:, 0], i[0])
            and torch.allclose(r.z, q[0], atol=1e-5)
            and l.item() == pytest.approx(r.losses['commitment'].item(), rel=1e-4)
        )
    assert torch.allclose(ours.codebooks, book.embed, atol=1e-4)
    levels = (8, 5, 5, 3)
    a, b = FSQ(levels), lib.FSQ(list(levels))
    z = torch.randn(500, 4, generator=gen()) * 2
    assert torch.allclose(a(z).z, b(z[None])[0][0], atol=1e-6)
