"Masking schedules: derivatives, ends, weights."

import pytest
import torch
from support.pairs import SCHEDULES, f64


@pytest.mark.parametrize('s', SCHEDULES, ids=repr)
def test_schedules(s):
    t = torch.linspace(0.001, 0.999, 999, dtype=torch.double)
    slope = (s.noise(t + 1e-6) - s.noise(t - 1e-6)) / 2e-6
    assert torch.allclose(slope, -s.dalpha(t), atol=1e-6)
    assert torch.allclose(s.alpha(t) + s.noise(t), torch.ones_like(t))
    assert (s.dalpha(t) < 0).all()
    assert s.noise(f64(1e-12)).item() > 0
    assert abs(s.alpha(f64(0.0)).item() - 1) < 1e-15
    assert abs(s.alpha(f64(1.0)).item()) < 1e-15
    assert torch.allclose(s.weight(t), -s.dalpha(t) / s.noise(t))
