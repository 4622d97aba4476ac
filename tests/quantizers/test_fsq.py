"Finite scalar quantization, number by number."

import math
import pytest, torch
from visual_token_diffusion.quantizers.fsq import FSQ

gen = lambda s=0: torch.Generator().manual_seed(s)


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
