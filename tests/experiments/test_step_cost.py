"What a step costs."

import pytest
import torch

from visual_token_diffusion.experiments.speed.softmax_arms import ARMS, arm_model
from visual_token_diffusion.experiments.speed.step_cost import ZipfData, no_output, step_cost

TINY = dict(width=64, length=16, vocab_size=300, batch=2, steps=1, warmup=1, threads=1, depth=1)


@pytest.fixture(autouse=True)
def one_thread():
    "`step_cost` sets the number of threads of its process"
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize('arm', ['limit', *ARMS])
def test_every_arm_has_a_cost(arm):
    cost = step_cost(arm, **TINY)
    assert sorted(cost) == ['built', 'ms', 'peak'] and cost['ms'] > 0
    assert cost['peak'] >= cost['built'] > 0


def test_half_precision():
    assert step_cost('feature_tree', precision='bf16', **TINY)['ms'] > 0


def test_tokens_come_as_often_as_zipf_says():
    data = ZipfData(100, 8)
    torch.manual_seed(0)
    counts = torch.bincount(data.windows(200, 200).flatten(), minlength=100).float()
    share = data.counts / data.counts.sum()
    assert torch.allclose(counts / counts.sum(), share, atol=0.01)
    assert data.features.shape == (100, 8) and torch.equal(data.features, data.features)


def test_no_output_reaches_the_backbone_alone():
    data = ZipfData(100, 64)
    model = arm_model(data, 'hierarchical', codebook='random', width=64, depth=1)
    no_output(model, data.windows(2, 8), torch.Generator().manual_seed(0)).backward()
    assert all(p.grad is None for p in model.head.parameters())
    assert model.backbone.blocks[0].up.weight.grad.abs().sum() > 0
