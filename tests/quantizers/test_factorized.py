"Factorized quantization by hand."

import pytest, torch
import torch.nn.functional as F
from visual_token_diffusion.quantizers.factorized import FactorizedQuantizer
from visual_token_diffusion.quantizers.vq import VectorQuantizer

gen = lambda s=0: torch.Generator().manual_seed(s)


def test_factorized_by_hand():
    g = gen(1)
    factors = [VectorQuantizer(4, k, generator=g) for k in (5, 6)]
    q = FactorizedQuantizer(6, factors).double().eval()
    z = torch.randn(12, 6, generator=gen(), dtype=torch.double)
    r = q(z)
    a, b = (f.decode(f.encode(v(z))) for f, v in zip(q.factors, q.projections))
    assert torch.allclose(r.z, torch.cat([a, b], -1))
    cosine = F.cosine_similarity(a, b, -1)
    assert r.losses['disentangle'].item() == pytest.approx(0.1 * (cosine**2).mean().item())
