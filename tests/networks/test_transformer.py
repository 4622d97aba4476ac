"The backbone: nothing leaks through attention, local mixing or registers, and what it refuses."

import pytest, torch
import torch.nn.functional as F
from visual_token_diffusion.networks.attention_masks import (
    block_causal,
    causal,
    dense,
    full,
    intersect,
    neighbor_mask,
    omni,
    padding,
    prefix,
)
from visual_token_diffusion.networks.fused_attention import fused_attention
from visual_token_diffusion.networks.time import AdaLN, TimeEmbedding
from visual_token_diffusion.networks.transformer import Backbone

L = 7
patterns = dict(
    full=full,
    causal=causal,
    blocks=block_causal(3),
    prefix=prefix(3),
    omni=omni([0, 1, 1, 1, 0, 2, 2]),
    padded=intersect(causal, padding(torch.arange(L)[None] > 0)),
)


def shake_time(backbone):
    "Adaptive norms start without effect; give them one"
    for module in backbone.modules():
        if isinstance(module, AdaLN):
            torch.nn.init.normal_(module.net.weight)


def moved_by(backbone, x, pattern, k, kw):
    "(L,) bool: whose output changes with the input at `k`"
    other = x + 9 * F.one_hot(torch.tensor(k), L)[None, :, None]
    change = backbone(other, pattern, **kw) - backbone(x, pattern, **kw)
    return change[0].abs().amax(1) > 0


@pytest.mark.parametrize('name', patterns)
@pytest.mark.parametrize('registers,time,flex', [(0, 0, False), (3, 16, False), (2, 0, True)])
def test_nothing_leaks(name, registers, time, flex):
    torch.manual_seed(0)
    pattern = patterns[name]
    backbone = Backbone(16, 2, 2, registers=registers, time=time, flex=flex).double().eval()
    shake_time(backbone)
    x = torch.randn(1, L, 16, dtype=torch.double)
    kw = dict(t=torch.tensor([0.4], dtype=torch.double)) if time else {}
    with torch.no_grad():
        moved = torch.stack([moved_by(backbone, x, pattern, k, kw) for k in range(L)], 1)
    allowed = (dense(pattern, L)[0, 0] | torch.eye(L, dtype=torch.bool)).double()
    assert not (moved & ~(allowed @ allowed > 0)).any()
    assert (moved | ~(allowed > 0)).all()


def test_gradient_of_a_causal_backbone():
    x = torch.randn(2, 9, 32, requires_grad=True)
    Backbone(32, 3, 2, registers=2)(x, causal)[:, 4].sum().backward()
    assert (x.grad[:, 5:] == 0).all()
    assert (x.grad[:, :5] != 0).any(-1).all()


def test_times_differ_between_sequences_and_positions():
    torch.manual_seed(0)
    backbone = Backbone(16, 2, 2, time=8).eval()
    shake_time(backbone)
    x, t = torch.randn(2, L, 16), torch.tensor([0.2, 0.7])
    both = backbone(x, t=t)
    for i in range(2):
        alone = backbone(x[[i]], t=t[[i]])[0]
        assert torch.allclose(both[i], alone, atol=1e-5)
    assert torch.allclose(both, backbone(x, t=t[:, None].expand(-1, L)), atol=1e-5)
    vector = backbone.time_embedding(t)
    assert torch.allclose(both, backbone(x, cond=vector), atol=1e-5)


def test_time_embeddings_of_close_times_are_close():
    torch.manual_seed(0)
    embed = TimeEmbedding(32)
    start, near, far = embed(torch.tensor([0.5, 0.5 + 1e-5, 0.8]))
    assert (near - start).norm() < (far - start).norm() / 10


@pytest.mark.parametrize('more', [(), (1,), (1, 1)], ids=len)
def test_masks_may_be_tables(more):
    torch.manual_seed(0)
    backbone, x = Backbone(16, 2, 2).eval(), torch.randn(1, L, 16)
    table = dense(causal, L).view(*more, L, L)
    assert torch.equal(backbone(x, table), backbone(x, causal))


def test_backbone_refuses():
    with pytest.raises(ValueError, match='evenly'):
        Backbone(30, 1, 4)
    with pytest.raises(ValueError, match='True where looking'):
        Backbone(16, 1, 2)(torch.randn(1, 3, 16), torch.zeros(3, 3))
    with pytest.raises(ValueError, match='at least 1'):
        block_causal(0)
    with pytest.raises(ValueError, match='time embedding'):
        Backbone(16, 1, 2)(torch.randn(1, 3, 16), t=torch.rand(1))
    with pytest.raises(ValueError, match='pass t'):
        Backbone(16, 1, 2, time=8)(torch.randn(1, 3, 16))


def test_names_of_the_parameters():
    "Checkpoints depend on them"
    assert set(Backbone(16, 1, 2).state_dict()) == {
        'blocks.0.local_mixing.weight',
        'blocks.0.attn_norm.weight',
        'blocks.0.mlp_norm.weight',
        'blocks.0.qkv.weight',
        'blocks.0.proj.weight',
        'blocks.0.up.weight',
        'blocks.0.down.weight',
        'norm.weight',
    }


def test_neighbors_beyond_the_ends():
    table = dense(full, 4)
    assert neighbor_mask(table, 1).flatten().tolist() == [True, True, True, False]
    assert neighbor_mask(table, -2).flatten().tolist() == [False, False, True, True]
    assert not neighbor_mask(table, 4).any()


def test_the_name_causal_is_what_its_table_says():
    torch.manual_seed(0)
    backbone, x = Backbone(16, 2, 2).double(), torch.randn(2, L, 16, dtype=torch.double)
    named, table = backbone(x, 'causal'), backbone(x, dense(causal, L))
    torch.testing.assert_close(named, table)


@pytest.mark.parametrize('is_causal', [False, True])
@pytest.mark.parametrize('length', [5, 600])
def test_attention_in_half_precision_is_near_that_in_full(length, is_causal):
    torch.manual_seed(0)
    full = [torch.randn(1, 2, length, 8).requires_grad_() for _ in range(3)]
    half = [part.detach().bfloat16().requires_grad_() for part in full]
    F.scaled_dot_product_attention(*full, is_causal=is_causal).square().sum().backward()
    with torch.autocast('cpu', torch.bfloat16):
        out = fused_attention(*half, is_causal=is_causal)
    assert out.dtype == torch.bfloat16
    out.float().square().sum().backward()
    for exact, rounded in zip(full, half):
        error = (rounded.grad.float() - exact.grad).norm() / exact.grad.norm()
        assert error < 0.02
