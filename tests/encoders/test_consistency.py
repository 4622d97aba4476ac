"Similarity losses against slow and obvious references in float64."

import math
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from visual_token_diffusion.encoders.consistency import (
    cka_loss,
    contrastive_loss,
    correlation_loss,
    pairwise_cosines,
    margin_loss,
    off_diagonal,
    raw_cosine_loss,
)

g = torch.Generator().manual_seed(0)
x, f = torch.randn(12, 3, 4, 4, generator=g, dtype=torch.double), torch.randn(
    12, 7, generator=g, dtype=torch.double
)


def pairs(a):
    a = a.flatten(1).numpy()
    return np.array(
        [
            a[i] @ a[j] / np.linalg.norm(a[i]) / np.linalg.norm(a[j])
            for i in range(len(a))
            for j in range(len(a))
            if i != j
        ]
    )


def test_cosines_and_pairs():
    assert np.allclose(off_diagonal(pairwise_cosines(x)), pairs(x))


def test_raw_by_loops():
    assert raw_cosine_loss(x, f).item() == pytest.approx(((pairs(x) - pairs(f)) ** 2).mean())


def test_correlation_by_numpy():
    a, b = (pairs(o - o.mean(0)) for o in (x, f))
    assert correlation_loss(x, f).item() == pytest.approx(1 - np.corrcoef(a, b)[0, 1])


def test_cka_by_kernels():
    H = np.eye(12) - 1 / 12
    rows = x.flatten(1).numpy(), f.numpy()
    K, L = (H @ (o @ o.T) @ H for o in rows)
    assert cka_loss(x, f).item() == pytest.approx(
        1 - np.trace(K @ L) / math.sqrt(np.trace(K @ K) * np.trace(L @ L))
    )


def test_margin_by_loops():
    want = [
        max(9 - np.linalg.norm((x[i] - x[j]).flatten()), 0) ** 2
        for i in range(12)
        for j in range(12)
        if i != j
    ]
    assert (
        margin_loss(x, 9.0).item() == pytest.approx(np.mean(want), rel=1e-6)
        and margin_loss(x, 1e-3) == 0
    )


def test_contrastive_by_loops():
    a, b = x.flatten(1)[:, :7], f
    s = [[F.cosine_similarity(p, q, 0).item() / 0.2 for q in b] for p in a]
    lse = lambda v: math.log(sum(map(math.exp, v)))
    rows, cols = [lse(r) - r[i] for i, r in enumerate(s)], [
        lse([r[i] for r in s]) - s[i][i] for i in range(12)
    ]
    assert contrastive_loss(a, b, 0.2).item() == pytest.approx((np.mean(rows) + np.mean(cols)) / 2)


@pytest.mark.parametrize('loss', [raw_cosine_loss, correlation_loss, cka_loss])
def test_gradients_and_invariances(loss):
    assert torch.autograd.gradcheck(
        lambda z: loss(z, f), x.flatten(1)[:, :5].clone().requires_grad_()
    )
    rotation = torch.linalg.qr(torch.randn(48, 48, generator=g, dtype=torch.double))[0]
    moved = x.flatten(1) @ rotation * 3 + 1
    same = loss(moved, f).item() == pytest.approx(loss(x, f).item(), abs=1e-9)
    assert same == (loss is not raw_cosine_loss)


def test_equal_rows_are_no_nan():
    same = torch.ones(5, 8, requires_grad=True)
    for l in (
        correlation_loss(same, f[:5].float()),
        cka_loss(same, f[:5].float()),
        margin_loss(same, 1.0),
    ):
        assert l.isfinite()
        assert torch.autograd.grad(l, same, allow_unused=True)[0].isfinite().all()
