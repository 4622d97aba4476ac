"Lookup-free quantization by its definition, over all corners."

import itertools
import pytest, torch
from visual_token_diffusion.quantizers.lfq import LFQ

gen = lambda s=0: torch.Generator().manual_seed(s)


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
