"Layers and heads compile as one graph each, and once for all steps of a training."

import pytest
import torch
from support.parts import V, features, gen, table

from visual_token_diffusion.core.registry import seam_base
from visual_token_diffusion.diffusion.base import antithetic_times
from visual_token_diffusion.diffusion.masked import MaskedDiffusion
from visual_token_diffusion.models.sequence import SequenceModel
from visual_token_diffusion.networks.embeddings import FeatureEmbedding, LogBilinear, TokenEmbedding
from visual_token_diffusion.training.compiling import compile_parts

HEADS = ['feature_tree', 'hierarchical', 'flat', 'tied', 'frozen', 'independent', 'sampled', 'adaptive']
B, L = 6, 8
WIDTH = 8
counters = torch._dynamo.utils.counters


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def model_of(name, is_causal=False):
    torch.manual_seed(0)
    part = seam_base('head').part(name)
    embed = TokenEmbedding(V, WIDTH) if part.reads == 'tokens' else FeatureEmbedding(table(), features(), WIDTH)
    head = part.build(table=table(), width=WIDTH, features=features(), embedding=embed)
    offsets = (-2, -1) if is_causal else (-2, -1, 1, 2)
    has_skip = part.takes_skip and part.reads == 'features'
    skip = LogBilinear(features().shape[1], offsets) if has_skip else None
    return SequenceModel(embed, head, WIDTH, 2, 2, is_causal, skip)


def step(model, seed):
    "The loss and the gradients of a batch whose noise is drawn anew"
    ids = torch.randint(V, (B, L), generator=gen(seed))
    noisy = model.process.corrupt(ids, antithetic_times(B, gen(seed)), generator=gen(seed))
    most = model.process.most_masked(B, L)
    torch.manual_seed(seed)
    model.zero_grad()
    loss = model(ids, noisy.mask, noisy.weight, **({} if most is None else dict(most=most))).mean()
    loss.backward()
    return loss.detach(), [p.grad for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize('name,is_causal', [*((name, False) for name in HEADS), ('feature_tree', True)])
def test_one_graph_once_for_all_steps(name, is_causal):
    model = model_of(name, is_causal)
    plain = [step(model, seed) for seed in range(4)]
    compile_parts(model, backend='eager', fullgraph=True, dynamic=False)
    with torch._dynamo.config.patch(error_on_recompile=True):
        compiled = [step(model, seed) for seed in range(4)]
    assert not counters['graph_break']
    for (loss, gradients), (other, others) in zip(plain, compiled):
        torch.testing.assert_close(other, loss)
        assert len(others) == len(gradients)
        for a, b in zip(others, gradients):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_the_whole_step_is_one_graph():
    "With its way back, from embedding to loss"
    model = model_of('feature_tree')
    compiled = torch.compile(model, backend='aot_eager', fullgraph=True, dynamic=False)
    with torch._dynamo.config.patch(error_on_recompile=True):
        for seed in range(3):
            ids = torch.randint(V, (B, L), generator=gen(seed))
            noisy = MaskedDiffusion().corrupt(ids, antithetic_times(B, gen(seed)), generator=gen(seed))
            most = MaskedDiffusion().most_masked(B, L)
            loss = compiled(ids, noisy.mask, noisy.weight, most)
            loss.sum().backward()
            torch.testing.assert_close(loss, model(ids, noisy.mask, noisy.weight, most))


def test_indexing_by_the_mask_compiles_again_and_again():
    "The control: what the fixed shape is for"
    model = model_of('flat')
    head = torch.compile(model.head.nll, backend='eager', dynamic=False)
    with torch._dynamo.config.patch(error_on_recompile=True), pytest.raises(torch._dynamo.exc.RecompileError):
        for seed in range(4):
            ids = torch.randint(V, (B, L), generator=gen(seed))
            mask = model.process.corrupt(ids, antithetic_times(B, gen(seed)), generator=gen(seed)).mask
            head(model.hidden_states(ids, mask)[mask], ids[mask])
