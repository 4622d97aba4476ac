"The sampler of masked tokens: which strategies are exact, and what is refused."

import pytest
import torch
import torch.nn.functional as F
from support.pairs import TABLE, V, chi2, other_position

from visual_token_diffusion.core.sampling import sample_logits
from visual_token_diffusion.samplers.masked import n_masked_after, sample_masked


def listed_denoiser(g):
    def denoise(x, mask, where):
        visible = torch.where(mask[..., None], 1.0, F.one_hot(x, V).double())
        logits = other_position(visible)[where].log()
        ids = sample_logits(logits, generator=g)
        return ids, logits.log_softmax(1).gather(1, ids[:, None])[:, 0]

    return denoise


@pytest.mark.parametrize(
    'options,exact',
    [
        ({}, True),
        (dict(order='left_to_right'), True),
        (dict(order='dilated'), True),
        (dict(block=1), True),
        (dict(counts='cosine'), True),
        (dict(counts='even'), True),
        (dict(remask=True), True),
        (dict(order='confidence'), False),
    ],
    ids=str,
)
def test_masked_strategies(options, exact):
    g, blank = torch.Generator().manual_seed(0), torch.zeros(12000, 2, dtype=torch.long)
    steps = list(sample_masked(listed_denoiser(g), None, blank, steps=2, generator=g, **options))
    assert len(steps) == 3 and not steps[-1].mask.any()
    assert (chi2(steps[-1].x) < 28) == exact
    assert abs(TABLE.sum() - 1) < 1e-12


@pytest.mark.parametrize('steps', [1, 3, 4, 9])
def test_even_counts_are_those_of_llada(steps):
    "ML-GSAI/LLaDA b7e6c35: n // steps in every step, and one more in the first n % steps"
    n = torch.tensor([0, 1, 7, 8, 9])
    base, extra = n // steps, n % steps
    written = torch.stack([base + (extra > i) for i in range(steps)])
    left = torch.stack([n_masked_after(n, i, steps, 'even') for i in range(steps)])
    assert torch.equal(left, n - written.cumsum(0)) and not left[-1].any()
    *states, _ = sample_masked(certain, None, torch.zeros(1, 9, dtype=torch.long), steps=4, counts='even')
    assert [int(state.mask.sum()) for state in states] == [9, 6, 4, 2]


def certain(x, mask, where):
    n = int(where.sum())
    return torch.ones(n, dtype=torch.long), torch.zeros(n)


X, MASK = torch.zeros(2, 4, dtype=torch.long), torch.ones(2, 4, dtype=torch.bool)


@pytest.mark.parametrize(
    'options',
    [
        dict(steps=0),
        dict(order='best'),
        dict(order='left'),
        dict(counts='many'),
        dict(noise=-1),
        dict(block=-1),
        dict(block=2, steps=1),
    ],
    ids=str,
)
def test_bad_options_are_one_line(options):
    with pytest.raises(ValueError) as e:
        list(sample_masked(None, None, X, mask=MASK, **options))
    assert '\n' not in str(e.value)


def test_a_mask_of_another_shape():
    with pytest.raises(ValueError, match='B,L'):
        list(sample_masked(None, None, X, mask=MASK[:, :3]))


@pytest.mark.parametrize('n,mask', [(2, MASK & False), (0, MASK[:0])])
def test_nothing_to_write_is_the_start_and_nothing_else(n, mask):
    assert len(list(sample_masked(None, None, X[:n], mask=mask))) == 1


def test_dilated_tokens_of_a_step_stand_apart():
    def zeros(x, mask, where):
        return x[where], torch.zeros(int(where.sum()))

    mask = torch.ones(2, 14, dtype=torch.bool)
    mask[:, :2] = False  # a prompt
    mask[1, 12:] = False  # ten are left, which four steps do not divide
    steps = list(sample_masked(zeros, None, torch.zeros_like(mask).long(), mask=mask, steps=4, order='dilated'))
    for i, step in enumerate(steps[1:]):
        places = [2 + i, 6 + i, 10 + i]
        assert step.changed[0].nonzero()[:, 0].tolist() == places
        assert step.changed[1].nonzero()[:, 0].tolist() == places[: 3 - (i > 1)]


def test_a_dilated_order_writes_equal_shares_of_long_rows():
    def zeros(x, mask, where):
        return torch.zeros(int(where.sum()), dtype=torch.long), torch.zeros(int(where.sum()))

    steps = list(sample_masked(zeros, None, torch.zeros(2, 400).long(), steps=4, order='dilated'))
    assert [step.changed.sum(1).tolist() for step in steps[1:]] == [[100, 100]] * 4


def scores_of(x, mask):
    "(B,L,V) float64: some network that sees what is written"
    seen = torch.where(mask, V, x)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    table = torch.randn(V + 1, V, generator=generators[0]).double()
    places = torch.randn(x.shape[1], V, generator=generators[1]).double()
    h = table[seen] + places
    return torch.tanh(h + 2 * h.mean(1, keepdim=True) + h.roll(1, 1)) * 3


def most_likely(x, mask, where):
    log_probs, ids = scores_of(x, mask)[where].log_softmax(-1).max(-1)
    return ids, log_probs


def llada(prompt, length, block, steps):
    "One row, token by token: ML-GSAI/LLaDA b7e6c35 at temperature 0, low-confidence remasking"
    x = prompt + [None] * length
    each = steps // (length // block)
    for start in range(len(prompt), len(x), block):
        for i in range(each):
            mask = torch.tensor([[token is None for token in x]])
            ids = torch.tensor([[token or 0 for token in x]])
            confidence, best = scores_of(ids, mask)[0].softmax(-1).max(-1)
            free = [j for j in range(start, start + block) if x[j] is None]
            free.sort(key=lambda j: -float(confidence[j]))
            for j in free[: block // each + (i < block % each)]:
                x[j] = int(best[j])
    return x


BLOCKS = [(8, 1), (8, 3), (8, 16), (4, 6), (2, 4), (4, 8)]  # positions of a block, and steps in all


@pytest.mark.parametrize('prompt', [[], [1], [0, 2, 1]])
@pytest.mark.parametrize('block,steps', BLOCKS)
def test_llada_writes_token_for_token(prompt, block, steps):
    x = torch.tensor([prompt + [0] * 8])
    mask = torch.arange(x.shape[1])[None] >= len(prompt)
    options = dict(order='confidence', counts='even', block=block, block_start=len(prompt))
    *_, last = sample_masked(most_likely, None, x, mask=mask, steps=steps, **options)
    assert last.x[0].tolist() == llada(prompt, 8, block, steps)


def test_blocks_begin_within_the_row():
    with pytest.raises(ValueError, match='block_start must lie between 0 and 4, got 5'):
        list(sample_masked(most_likely, None, X, block=2, block_start=5))
