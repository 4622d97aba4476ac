"Samplers wait for a device before the first step, at the end, and at most every eight calls; the texts are the CPU's."

from contextlib import nullcontext

import pytest
import torch
from support.shaken_model import shaken_model
from support.standin import DEVICE, NoWaiting, on_device, plain, stand_in_device

from visual_token_diffusion.diffusion.asked import Asked, common_position, states_at
from visual_token_diffusion.diffusion.discrete import Absorbing, Uniform
from visual_token_diffusion.models.kv_cache import KVCache, sample_autoregressive
from visual_token_diffusion.samplers.base import AnswerCheck, Sampler
from visual_token_diffusion.samplers.masked import sample_masked

L = 16


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def model_of(process, head='feature_tree'):
    return shaken_model(head, process, 'heads=1', 'depth=1', length=L)


def start(train):
    "Three rows with other prompts each, one of them in the middle"
    ids, mask = train[: 3 * L].view(3, L).clone(), torch.ones(3, L, dtype=torch.bool)
    mask[0, :3] = mask[2, 5:7] = False
    return ids, mask


def steps_of(model, ids, mask, seed=5, **options):
    "All steps, as the CPU walks"
    return list(model.fill_steps(ids, mask, gen(seed), **options))


def guarded(model, ids, mask, n, may_wait=(), seed=5, **options):
    "The same on the stand-in device: of the first `n` steps none waits but the one that reads the mask and `may_wait`"
    with stand_in_device():
        device_model = on_device(model)
        walk = device_model.fill_steps(ids.to(DEVICE), mask.to(DEVICE), gen(seed), **options)
        steps = [next(walk)]
        for number in range(1, n):
            with nullcontext() if number in may_wait else NoWaiting():
                steps.append(next(walk))
        steps += list(walk)
        return [step._replace(x=plain(step.x), mask=plain(step.mask), pred=plain(step.pred)) for step in steps]


def same(model, ids, mask, **options):
    "Whether both walks are one; the steps"
    here = steps_of(model, ids, mask, **options)
    there = guarded(model, ids, mask, len(here), **options)
    assert len(here) == len(there) > 3
    for a, b in zip(here, there):
        assert torch.equal(a.x, b.x) and torch.equal(a.mask, b.mask)


ORDERS = ('random', 'confidence', 'left_to_right', 'dilated')
WAYS = [dict(order=order, counts=counts) for order in ORDERS for counts in ('linear', 'cosine')]
WAYS += [dict(order='confidence', noise=1.0, remask=True), dict(order='random', block=4)]


@pytest.mark.parametrize('head', ['feature_tree', 'flat'])
@pytest.mark.parametrize('options', WAYS, ids=str)
def test_masked(options, head):
    model, train = model_of('masked', head)
    same(model, *start(train), steps=8, **options)


def test_blocks():
    model, train = model_of('block')
    same(model, *start(train), steps=8)


@pytest.mark.parametrize('bound', [0.1, 20.0])
def test_entropy_bound(bound):
    "It looks before the first call and every eighth; a call after the end changes nothing"
    model, train = model_of('masked')
    options = dict(sampler=f'entropy_bound,bound={bound}', steps=30)
    here = steps_of(model, *start(train), **options)
    there = guarded(model, *start(train), len(here), may_wait=(1, 9, 17, 25), **options)
    assert torch.equal(here[-1].x, there[-1].x) and not there[-1].mask.any()
    assert len(here) <= len(there) < len(here) + 8


EDITS = [dict(), dict(edit_threshold='none'), dict(threshold=0.3, edit_threshold=0.1)]


@pytest.mark.parametrize('options', EDITS, ids=str)
@pytest.mark.parametrize('seed', range(3))
def test_editing(options, seed):
    "What comes after the end, which is looked for every eighth call, changes nothing"
    model, train = model_of('masked')
    text = ','.join(['editing', *(f'{k}={v}' for k, v in options.items())])
    start_of = start(train)
    here = steps_of(model, *start_of, sampler=text, steps=8, seed=seed)
    looks = range(1, 26, 8)
    there = guarded(model, *start_of, len(here), may_wait=looks, sampler=text, steps=8, seed=seed)
    assert torch.equal(here[-1].x, there[-1].x) and len(here) <= len(there) < len(here) + 8
    for a, b in zip(here, there):
        assert torch.equal(a.x, b.x) and torch.equal(a.mask, b.mask)
    assert all(torch.equal(step.x, here[-1].x) for step in there[len(here) :])


@pytest.mark.parametrize('prompts', ['behind', 'between'])
@pytest.mark.parametrize('head', ['feature_tree', 'flat'])
def test_speculative(prompts, head):
    "With what has been read, and, where something given follows what is masked, reading rows whole"
    model, train = model_of('autoregressive', head)
    ids, mask = start(train)
    if prompts == 'behind':
        mask = torch.arange(L) >= torch.tensor([[3], [0], [5]])
    here = steps_of(model, ids, mask, sampler='speculative')
    there = guarded(model, ids, mask, len(here), may_wait=(1, 9), sampler='speculative')
    assert torch.equal(here[-1].x, there[-1].x) and not there[-1].mask.any()
    for a, b in zip(here, there):
        assert torch.equal(a.x, b.x) and torch.equal(a.mask, b.mask)


CODES = [('partial', 'hierarchical'), ('partial', 'flat'), ('next_scale', 'feature_tree')]


@pytest.mark.parametrize('process,head', CODES)
def test_codes(process, head):
    model, train = model_of(process, head)
    same(model, *start(train), steps=8)


@pytest.mark.parametrize('sampler', ['ancestral', 'psi', 'entropy_bound_uniform'])
@pytest.mark.parametrize('process', [Absorbing(7), Uniform(7)], ids=lambda process: process.name)
def test_chains(process, sampler):
    made = Sampler.make(sampler)
    if process.name not in made.processes:
        pytest.skip('another process')
    x = torch.randint(7, (5, 9), generator=gen(2))
    mask = torch.rand(5, 9, generator=gen(3)) < 0.7
    here = list(made(network, process, x, mask=mask, steps=8, generator=gen(4)))
    with stand_in_device():
        walk = made(network, process, x.to(DEVICE), mask=mask.to(DEVICE), steps=8, generator=gen(4))
        there = [next(walk) for _ in range(2 if sampler == 'entropy_bound_uniform' else 1)]  # which looks after a call
        with NoWaiting():
            there += [next(walk) for _ in range(5)]
        there += list(walk)
    for a, b in zip(here, there):
        assert torch.equal(a.x, plain(b.x)) and a.t == b.t
    assert len(here) == len(there)


def network(x, t):
    "Logits (B,L,7) of any symbols and times"
    symbols = torch.arange(7, device=x.device)
    return torch.sin(symbols * x[..., None].double() + t[:, None, None])


def test_nan_at_the_end_of_a_walk():
    made = Sampler.make('ancestral')
    with stand_in_device():
        x = torch.zeros(2, 3, dtype=torch.long).to(DEVICE)
        with pytest.raises(ValueError, match='NaN at time 0.750'):
            spoiled = lambda x, t: network(x, t) * torch.where(t[0] == 0.75, float('nan'), 1.0)
            list(made(spoiled, Uniform(7), x, steps=4, generator=gen()))


def test_from_the_left_each_position_is_read_once():
    model, train = model_of('autoregressive')
    ids, mask = start(train)
    mask[:] = torch.arange(L) >= 3
    same(model, ids, mask, steps=L)


def test_prompts_of_other_lengths_from_the_left():
    "Rows that do not go together are read whole"
    model, train = model_of('autoregressive')
    same(model, *start(train), steps=L)


def test_a_second_text_of_one_denoiser_starts_anew():
    "The cache has read the first text, whose prompt is as long"
    model, train = model_of('autoregressive')
    mask = (torch.arange(L) >= 3).expand(2, L).clone()
    texts = train[: 2 * L].view(2, L), train[50 : 50 + 2 * L].view(2, L)

    def written(model, texts, mask):
        denoise = model.process.denoiser(model, generator=gen(3))
        options = dict(steps=L, order='left_to_right')
        with torch.no_grad():
            return [list(sample_masked(denoise, None, ids, mask=mask, **options))[-1].x for ids in texts]

    here = written(model, texts, mask)
    with stand_in_device():
        there = written(on_device(model), [ids.to(DEVICE) for ids in texts], mask.to(DEVICE))
    for a, b in zip(here, there):
        assert torch.equal(a, plain(b))


def test_with_cache_no_step_waits():
    model, train = model_of('autoregressive')
    options = dict(n=3, length=L, start=train[:4])
    here = sample_autoregressive(model, generator=gen(2), **options)
    with stand_in_device():
        device_model = on_device(model)
        with NoWaiting():
            there = sample_autoregressive(device_model, generator=gen(2), **options)
    assert torch.equal(here, plain(there))


@pytest.mark.parametrize('head', ['feature_tree', 'flat'])
def test_a_static_cache_is_the_cache_and_compiles_once(head):
    torch._dynamo.reset()
    model, train = model_of('autoregressive', head)
    ids = train[: 3 * L].view(3, L)
    moving, static = KVCache(model, 3, L, is_static=False), KVCache(model, 3, L, is_static=True)
    static.compile(backend='eager', fullgraph=True, dynamic=False)
    with torch._dynamo.config.patch(error_on_recompile=True):
        for i in range(L):
            given = ids[:, i - 1] if i else None
            torch.testing.assert_close(static.step(given), moving.step(given), rtol=1e-4, atol=1e-5)
    torch._dynamo.reset()
    moving = KVCache(model, 3, L, is_static=False).compile(backend='eager', dynamic=False)
    with torch._dynamo.config.patch(error_on_recompile=True), pytest.raises(torch._dynamo.exc.RecompileError):
        for i in range(L):  # the control
            moving.step(ids[:, i - 1] if i else None)
    torch._dynamo.reset()


def test_what_is_not_a_number_is_found_at_once_on_a_cpu_and_at_the_end_on_a_device():
    check, bad = AnswerCheck(), torch.tensor([0.0, torch.nan])
    with pytest.raises(ValueError, match='NaN at step 2'):
        check(bad, 'at step 2')
    check.finish()
    with stand_in_device():
        good, bad = torch.zeros(2).to(DEVICE), bad.to(DEVICE)
        with NoWaiting():
            check(good, 'at step 1')
            check(bad, 'at step 2')
        with pytest.raises(ValueError, match='NaN at step 2'):
            check.finish()


def test_positions_by_counting():
    h, where = torch.randn(2, 3, 4), torch.tensor([[False, True, True], [True, False, False]])
    with stand_in_device():
        found = states_at(h.to(DEVICE), where.to(DEVICE), Asked(3))
    assert torch.equal(plain(found), h[where]) and torch.equal(states_at(h, where), h[where])
    assert common_position(where) is None and common_position(where[:, :0]) is None
    assert common_position(torch.tensor([[False, True], [False, True]])) == 1
    assert common_position(torch.tensor([[False, True], [True, False]])) is None
