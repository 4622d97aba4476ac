"The loss with tensors of one shape is the loss: value and gradient, for every head, at any time."

import pytest
import torch
from support.parts import V, features, gen, table

from visual_token_diffusion.core.registry import seam_base
from visual_token_diffusion.diffusion.base import antithetic_times
from visual_token_diffusion.diffusion.block import BlockDiffusion
from visual_token_diffusion.diffusion.fixed_shape import first_masked, most_of_times
from visual_token_diffusion.diffusion.masked import MaskedDiffusion
from visual_token_diffusion.diffusion.next_scale import ScaleMasking, of_scale
from visual_token_diffusion.diffusion.partial_masking import PartialMasking
from visual_token_diffusion.models.sequence import SequenceModel
from visual_token_diffusion.networks.embeddings import CodedEmbedding, FeatureEmbedding, LogBilinear, TokenEmbedding
from visual_token_diffusion.networks.heads import adaptive, hierarchical

HEADS = [name for name in seam_base('head').names() if name not in ('sampled', 'unigram')]
B, L = 6, 7
WIDTH = 8

SIZES = [(1, 1), (1, 64), (3, 7), (16, 64), (256, 64)]


def model_of(name):
    "A model in float64 with random weights everywhere"
    torch.manual_seed(0)
    part = seam_base('head').part(name)
    embed = TokenEmbedding(V, WIDTH) if part.reads == 'tokens' else FeatureEmbedding(table(), features(), WIDTH)
    counts = torch.arange(V).float()
    head = part.build(table=table(), width=WIDTH, features=features(), embedding=embed, counts=counts)
    skip = LogBilinear(features().shape[1]) if part.takes_skip and part.reads == 'features' else None
    model = SequenceModel(embed, head, WIDTH, 1, 2, skip=skip).double()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return model


def losses_and_gradients(model, most):
    ids = torch.randint(V, (B, L), generator=gen())
    noisy = MaskedDiffusion().corrupt(ids, antithetic_times(B, gen(1)), generator=gen(2))
    model.zero_grad()
    loss = model(ids, noisy.mask, noisy.weight, **({} if most is None else dict(most=most)))
    loss.sum().backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return loss.detach(), {n: g.to_dense() if g.is_sparse else g for n, g in gradients.items()}


@pytest.mark.parametrize('name', HEADS)
def test_value_and_gradient_are_those_of_the_mask(name):
    model = model_of(name)
    loss, gradients = losses_and_gradients(model, None)
    fixed, fixed_gradients = losses_and_gradients(model, MaskedDiffusion().most_masked(B, L))
    torch.testing.assert_close(fixed, loss, rtol=1e-12, atol=1e-12)
    assert set(fixed_gradients) == set(gradients)
    for n, g in gradients.items():
        torch.testing.assert_close(fixed_gradients[n], g, rtol=1e-9, atol=1e-11, msg=n)


def test_more_masked_positions_than_were_announced_are_no_number():
    "Not a wrong loss"
    loss, _ = losses_and_gradients(model_of('flat'), 3)
    assert loss.isnan().all()


@pytest.mark.parametrize('n,length', SIZES)
def test_no_draw_masks_more_than_announced(n, length):
    most, ids = most_of_times(n, length), torch.zeros(n, length, dtype=torch.long)
    counts = []
    for seed in range(30):
        noisy = MaskedDiffusion().corrupt(ids, antithetic_times(n, gen(seed)), generator=gen(seed))
        counts.append(noisy.mask.sum().item())
    assert max(counts) <= most <= n * length // 2 + length + n
    assert sum(most_of_times(n, length, slice(i, i + 1)) for i in range(n)) == most


def test_a_process_that_masks_in_another_way_says_nothing():
    class Fewer(MaskedDiffusion):
        def corrupt(self, x0, t, **kwargs):
            return super().corrupt(x0, t / 2, **kwargs)

    class FewerInBlocks(BlockDiffusion):
        corrupt = Fewer.corrupt

    class FewerCodes(PartialMasking):
        corrupt = Fewer.corrupt

    assert Fewer().most_masked(4, 8) is None and FewerInBlocks().most_masked(4, 8) is None
    assert FewerCodes(table().codes).most_masked(4, 8) is None


PROCESSES = {
    'partial': lambda: PartialMasking(table().codes),
    'next_scale': lambda: ScaleMasking(table().codes),
    'next_scale, another order': lambda: ScaleMasking(table().codes, (2, 0, 1)),
    'block': lambda: BlockDiffusion(2),
    'block, some shares': lambda: BlockDiffusion(4, (0.3, 0.8)),
}


def counted(process, noisy):
    "(B,L) bool: the positions that the loss asks for"
    if noisy.mask.dim() == 2:
        return noisy.mask
    if isinstance(process, ScaleMasking):
        return of_scale(noisy.mask, process.asked_scale(noisy.mask))
    return noisy.mask.any(-1)


@pytest.mark.parametrize('name', PROCESSES)
@pytest.mark.parametrize('n,length', [(1, 8), (3, 8), (5, 12), (16, 64)])
def test_no_draw_of_any_process_masks_more_than_announced(name, n, length):
    process, ids = PROCESSES[name](), torch.zeros(n, length, dtype=torch.long)
    most, counts = process.most_masked(n, length), []
    for seed in range(30):
        noisy = process.corrupt(ids, antithetic_times(n, gen(seed)), generator=gen(seed))
        counts.append(int(counted(process, noisy).sum()))
    assert max(counts) <= most <= n * length and (n < 16 or most < n * length)
    assert sum(process.most_masked(n, length, slice(i, i + 1)) for i in range(n)) == most


@pytest.mark.parametrize('head', ['feature_tree', 'hierarchical', 'flat', 'adaptive'])
@pytest.mark.parametrize('name', PROCESSES)
def test_the_loss_of_every_process_is_that_of_the_mask(name, head):
    process, model = PROCESSES[name](), model_of(head)
    if name.startswith(('partial', 'next')):
        if head != 'hierarchical':
            return
        model = SequenceModel(CodedEmbedding(table(), WIDTH, partial=True), model.head, WIDTH, 1, 2).double()
    model.process = process
    ids = torch.randint(V, (B, 8), generator=gen())
    noisy = process.corrupt(ids, antithetic_times(B, gen(1)), generator=gen(2))
    found = []
    for most in (None, process.most_masked(B, 8)):
        model.zero_grad()
        loss = process.loss(model, ids, noisy, **({} if most is None else dict(most=most)))
        loss.sum().backward()
        found.append([loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)])
    assert len(found[0]) == len(found[1]) > 5
    for a, b in zip(*found):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-11)
    few = process.loss(model, ids, noisy, most=3)
    assert few.isnan().all()


@pytest.mark.parametrize('name', ['feature_tree', 'hierarchical', 'adaptive'])
def test_heads_say_the_same_where_shapes_are_fixed(monkeypatch, name):
    "Probabilities and costs, with gradients, as on a device; the table has fewer tokens than leaves"
    head = model_of(name).head.double()
    h = torch.randn(7, WIDTH + (features().shape[1] if name == 'feature_tree' else 0), generator=gen()).double()
    ids, found = torch.arange(7), []
    for fixed in (False, True):
        for module in (hierarchical, adaptive):
            monkeypatch.setattr(module, 'needs_fixed_shapes', lambda x: fixed)
        head.zero_grad()
        log_probs, nll = head.log_probs(h), head.nll(h, ids)
        (nll.sum() + log_probs[:, :5].sum()).backward()
        found.append([log_probs.detach(), nll.detach(), *(p.grad for p in head.parameters())])
    for a, b in zip(*found):
        assert a is b is None or b.isfinite().all()
        if a is not None:
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_positions_in_order_and_what_is_left_over():
    mask = torch.tensor([[False, True, True], [False, False, True]])
    index, is_masked = first_masked(mask, 5)
    assert index.tolist() == [1, 2, 5, 0, 0] and is_masked.tolist() == [True] * 3 + [False] * 2
