"Signs of collapse by hand."

import math
import pytest, torch
from torch import nn
from visual_token_diffusion.metrics.collapse import collapse, gradient_rms


def test_collapse_by_hand():
    logits = torch.tensor([[9.0, 0, 0], [9, 0, 0], [0, 0, 9]])
    grids = torch.tensor([[0.0, 0], [3, 4], [3, 4]])
    c = collapse(logits, torch.arange(3), grids)
    p = torch.tensor([9.0, 0, 0]).double().softmax(0)
    assert c.accuracy == pytest.approx(2 / 3) and c.top_share == pytest.approx(2 / 3)
    assert c.entropy == pytest.approx(-(p * p.log()).sum().item())
    assert (c.unique, c.nearest) == (2, 0.0)
    assert collapse(torch.zeros(2, 4), torch.arange(2), torch.eye(2)).entropy == pytest.approx(
        math.log(4)
    )


def test_gradients_stop_where_the_chain_ends():
    a, b = nn.Linear(3, 3), nn.Linear(3, 1)
    x = torch.randn(5, 3)
    whole = gradient_rms(b(a(x)).sum(), dict(a=a, b=b))
    gradients = torch.autograd.grad(b(a(x)).sum(), a.parameters())
    want = torch.cat([g.flatten() for g in gradients])
    assert whole['a'] == pytest.approx(want.square().mean().sqrt().item())
    assert gradient_rms(b(a(x).detach()).sum(), dict(a=a, b=b))['a'] == 0.0
