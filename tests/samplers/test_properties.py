"Laws of the masked sampler that hold for every strategy, tried by hypothesis."

import torch
from hypothesis import given
from hypothesis import strategies as st

import support.properties  # noqa: F401  (registers the profile)
from visual_token_diffusion.samplers.masked import ORDERS, sample_masked


@st.composite
def tasks(draw):
    "A mask, and the options of a sampler"
    B, L = draw(st.integers(1, 4)), draw(st.integers(1, 24))
    row = st.lists(st.booleans(), min_size=L, max_size=L)
    mask = torch.tensor(draw(st.lists(row, min_size=B, max_size=B)))
    options = dict(
        steps=draw(st.integers(1, 30)),
        order=draw(st.sampled_from(ORDERS)),
        counts=draw(st.sampled_from(['linear', 'even', 'cosine'])),
        remask=draw(st.booleans()),
        block=draw(st.integers(0, 8)),
    )
    if options['block']:
        options['steps'] = max(options['steps'], -(-L // options['block']))
    return mask, options


@given(tasks())
def test_samplers_write_what_is_masked_and_touch_nothing_else(task):
    mask, options = task
    ids = torch.arange(mask.numel()).view(mask.shape)
    g = torch.Generator().manual_seed(0)
    calls = []

    def denoise(x, masked, where):
        calls.append(1)
        assert not (where & ~mask).any(), 'asked for a token that was given'
        n = int(where.sum())
        return torch.full((n,), -7), torch.rand(n, generator=g)

    states = list(sample_masked(denoise, None, ids, mask=mask, generator=g, **options))
    last = states[-1]
    assert torch.equal(last.x[~mask], ids[~mask]) and not last.mask.any()
    assert (last.x[mask] == -7).all() and len(calls) <= options['steps']
    for s in states:
        assert not (s.mask & ~mask).any()
    if not options['remask']:
        for a, b in zip(states, states[1:]):
            assert (b.mask <= a.mask).all(), 'what was written stays'
