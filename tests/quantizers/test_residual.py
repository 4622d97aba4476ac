"Residual quantization by hand."

import torch
from visual_token_diffusion.quantizers.residual import ResidualQuantizer
from visual_token_diffusion.quantizers.vq import VectorQuantizer

gen = lambda s=0: torch.Generator().manual_seed(s)


def test_residual_by_hand():
    g = gen(1)
    stages = [VectorQuantizer(6, k, generator=g) for k in (5, 4)]
    q = ResidualQuantizer(*stages).double().eval()
    z = torch.randn(12, 6, generator=gen(), dtype=torch.double)
    a, b = q.stages
    first = a.decode(a.encode(z))
    second = b.decode(b.encode(z - first))
    assert torch.allclose(q(z).z, first + second)
    codes = [a.encode(z), b.encode(z - first)]
    assert torch.equal(q.encode(z), torch.cat(codes, -1))
