"""A linear layer and a cross-entropy in one: values and gradients of one table, which is never in memory."""

import pytest
import torch
import torch.nn.functional as F
from support.parts import V as PARTS_V
from support.parts import features, shaken, table
from support.standin import DEVICE, NoWaiting, StandIn, stand_in_device
from torch.profiler import ProfilerActivity, profile

from visual_token_diffusion.core.registry import seam_base
from visual_token_diffusion.networks.heads import base
from visual_token_diffusion.networks.heads.flat import FlatHead
from visual_token_diffusion.networks.heads.linear_nll import linear_nll, table_nll

N, V = 13, 11
D = 5


def parts(dtype=torch.float64, n=N, vocab_size=V, dim=D):
    "`(h, weight, bias, ids)`, two of the tokens ignored"
    g = torch.Generator().manual_seed(0)
    shapes = ((n, dim), (vocab_size, dim), (vocab_size,))
    numbers = [torch.randn(shape, generator=g, dtype=dtype).requires_grad_() for shape in shapes]
    ids = torch.randint(vocab_size, (n,), generator=g)
    ids[3] = ids[n - 1] = -100
    return *numbers, ids


def gradients(cost, numbers, upstream):
    return torch.autograd.grad((cost * upstream).sum(), numbers)


@pytest.mark.parametrize('soft_cap', [None, 2.0])
@pytest.mark.parametrize('chunk', [1, 3 * V, N * V, 10**6])
def test_values_and_gradients_are_those_of_one_table(chunk, soft_cap):
    h, weight, bias, ids = parts()
    upstream = torch.arange(N)
    ours = linear_nll(h, weight, ids, bias, soft_cap=soft_cap, chunk=chunk)
    table = table_nll(h, weight, ids, bias, soft_cap=soft_cap)
    torch.testing.assert_close(ours, table, rtol=1e-12, atol=1e-12)
    assert ours[3] == ours[N - 1] == 0
    for a, b in zip(gradients(ours, [h, weight, bias], upstream), gradients(table, [h, weight, bias], upstream)):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize('soft_cap', [None, 2.0])
def test_first_and_second_derivatives_by_differences(soft_cap):
    h, weight, bias, ids = parts()

    def cost(h, weight, bias):
        return linear_nll(h, weight, ids, bias, soft_cap=soft_cap, chunk=4 * V)

    assert torch.autograd.gradcheck(cost, (h, weight, bias))
    assert torch.autograd.gradgradcheck(cost, (h, weight, bias))


@pytest.mark.parametrize('frozen', [0, 1, 2])
def test_what_does_not_learn_gets_no_gradient(frozen):
    *numbers, ids = parts()
    numbers[frozen].requires_grad_(False)
    ours = linear_nll(*numbers[:2], ids, numbers[2], chunk=3 * V)
    table = table_nll(*numbers[:2], ids, numbers[2])
    learned = [x for x in numbers if x.requires_grad]
    for a, b in zip(gradients(ours, learned, 1.0), gradients(table, learned, 1.0)):
        torch.testing.assert_close(a, b)
    assert linear_nll(*numbers[:2], ids, chunk=3 * V).shape == (N,), 'without a bias'


def test_half_precision_adds_gradients_in_float32():
    "Closer to the exact gradient of the rows than a table in bfloat16, whose sums are rounded to eight bits"
    h, weight, bias, ids = parts(torch.float32, n=512, vocab_size=16, dim=8)
    exact = gradients(table_nll(h.double(), weight.double(), ids, bias.double()), [weight], 1.0)[0]
    with torch.autocast('cpu', torch.bfloat16):
        ours, table = linear_nll(h, weight, ids, bias, chunk=16 * 64), table_nll(h, weight, ids, bias)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, table)
    errors = []
    for cost in (ours, table):
        found = gradients(cost, [weight], 1.0)[0]
        assert found.dtype == torch.float32
        errors.append((found - exact).abs().mean() / exact.abs().mean())
    assert errors[0] < errors[1] and errors[0] < 0.01


def test_gradients_accumulate_over_batches():
    h, weight, bias, ids = parts(torch.float32)
    for part in (slice(0, 6), slice(6, N)):
        linear_nll(h[part], weight, ids[part], bias, chunk=2 * V).sum().backward()
    whole = gradients(table_nll(h, weight, ids, bias), [h, weight, bias], 1.0)
    for x, g in zip((h, weight, bias), whole):
        torch.testing.assert_close(x.grad, g)


@pytest.mark.parametrize('backend', ['eager', 'aot_eager'])
def test_it_compiles_as_one_graph(backend):
    torch._dynamo.reset()
    h, weight, bias, ids = parts(torch.float32)
    compiled = torch.compile(lambda *x: linear_nll(*x, ids, bias, chunk=3 * V), backend=backend, fullgraph=True)
    ours, table = compiled(h, weight), table_nll(h, weight, ids, bias)
    torch.testing.assert_close(ours, table)
    for a, b in zip(gradients(ours, [h, weight], 1.0), gradients(table, [h, weight], 1.0)):
        torch.testing.assert_close(a, b)
    torch._dynamo.reset()


def test_no_step_waits_for_a_device():
    with stand_in_device():
        h, weight, bias, ids = [x.detach().to(DEVICE) for x in parts(torch.float32)]
        h.requires_grad_()
        with NoWaiting():
            cost = linear_nll(h, weight, ids, bias, chunk=3 * V)
            cost.sum().backward()
        assert isinstance(cost, StandIn) and h.grad.shape == h.shape


@pytest.mark.skipif(not hasattr(F, 'linear_cross_entropy'), reason='torch has it from 2.14 on')
def test_torch_says_the_same():
    h, weight, bias, ids = parts(torch.float32)
    options = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=4)
    theirs = F.linear_cross_entropy(h, weight, ids, linear_bias=bias, reduction='none', options=options)
    ours = linear_nll(h, weight, ids, bias, chunk=4 * V)
    torch.testing.assert_close(ours, theirs)
    for a, b in zip(gradients(ours, [h, weight, bias], 1.0), gradients(theirs, [h, weight, bias], 1.0)):
        torch.testing.assert_close(a, b)


def largest_allocation(call):
    "Numbers of float32 that the largest tensor of a call holds"
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        call()
    events = found.profiler.kineto_results.events()
    return max(event.nbytes() for event in events if event.name() == '[memory]') // 4


@pytest.mark.parametrize('most_logits,kept', [(0, False), (10**6, True)])
def test_a_head_keeps_a_table_or_none(monkeypatch, most_logits, kept):
    torch.manual_seed(0)
    head = FlatHead(4000, 8, most_logits)
    torch.nn.init.normal_(head.out.weight)
    h, ids = torch.randn(100, 8), torch.randint(4000, (100,))
    monkeypatch.setattr(base, 'linear_nll', lambda *x: linear_nll(*x, chunk=4000 * 10))
    largest = largest_allocation(lambda: head.nll(h, ids).sum().backward())
    assert (largest >= 100 * 4000) == kept and (kept or largest <= 10 * 4000 + 4000 * 8)


@pytest.mark.parametrize('name', ['flat', 'tied', 'frozen'])
def test_heads_cost_the_same_with_and_without_a_table(name):
    embedding = torch.nn.Embedding(PARTS_V, 8)
    given = dict(features=features(), embedding=embedding, skip=False)
    head = shaken(seam_base('head').part(name).build(table=table(), width=8, **given))
    h, ids = torch.randn(9, 8), torch.randint(PARTS_V, (9,))
    whole = head.nll(h, ids)
    head.most_logits = 0
    torch.testing.assert_close(head.nll(h, ids), whole)


def test_an_unknown_token_is_refused():
    h, weight, bias, ids = parts(torch.float32)
    ids[0] = V
    with pytest.raises((RuntimeError, IndexError)):
        linear_nll(h, weight, ids, bias)
