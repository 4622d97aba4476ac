"Drafts that one call checks: the same distribution as a token a call, whatever is drafted."

import pytest
import torch
from support.parts import gen

from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.diffusion.masked import MaskedDiffusion
from visual_token_diffusion.models.visual_token_lm import STORYTELLER, VisualTokenLM
from visual_token_diffusion.samplers.base import Sampler
from visual_token_diffusion.samplers.speculative import keep_or_replace, sample_speculative

LETTERS, LENGTH = 3, 4
TABLE = (2 * torch.randn(LETTERS + 1, LETTERS + 1, LETTERS, generator=gen(5))).softmax(-1)
ROWS = torch.cartesian_prod(*[torch.arange(LETTERS)] * LENGTH)


def predict(x, mask, where=None):
    "Log-probabilities of letters that depend on the two before; the number 3 stands before the start"
    start = torch.full((len(x), 2), LETTERS)
    before = torch.cat([start, x], 1)[:, : x.shape[1] + 1]
    log_probs = TABLE[before[:, :-1], before[:, 1:]].log()
    return log_probs if where is None else log_probs[where]


CHANCES = predict(ROWS, None).gather(2, ROWS[..., None])[..., 0].sum(1).double().exp()


def number(x):
    "Of a row, as `ROWS` lists them"
    return (x * LETTERS ** torch.arange(LENGTH - 1, -1, -1)).sum(1)


def walk(n, seed=0, **options):
    "The steps for `n` rows"
    start = torch.zeros(n, LENGTH, dtype=torch.long)
    return list(sample_speculative(predict, None, start, generator=gen(seed), **options))


@pytest.mark.parametrize('draft,context', [(1, 1), (3, 1), (9, 2)])
def test_rows_follow_the_list(draft, context):
    n = 20_000
    last = walk(n, draft=draft, context=context)[-1]
    counts = torch.bincount(number(last.x), minlength=len(ROWS)).double()
    chi_square = float(((counts - n * CHANCES) ** 2 / (n * CHANCES)).sum())
    freedom = len(ROWS) - 1
    assert abs(chi_square - freedom) < 4 * (2 * freedom) ** 0.5


def test_a_token_that_the_draft_never_says_still_comes():
    p = torch.tensor([[0.5, 0.5]]).expand(4000, 2)
    q = torch.tensor([[1.0, 0.0]]).expand(4000, 2)
    kept, other = keep_or_replace(p, q, torch.zeros(4000, dtype=torch.long), gen())
    assert abs(float(kept.float().mean()) - 0.5) < 0.04 and (other[~kept] == 1).all()


def test_equal_distributions_keep_everything():
    p = torch.rand(500, 7, generator=gen(1), dtype=torch.double)
    kept, _ = keep_or_replace(p, p, torch.randint(7, (500,), generator=gen(2)), gen())
    assert kept.all()


def test_every_call_writes_from_the_left():
    steps = walk(50, draft=2)
    assert steps[0].mask.all() and not steps[0].changed.any(), 'nothing is written at the start'
    assert not steps[-1].mask.any() and 2 <= len(steps) - 1 <= LENGTH
    for before, after in zip(steps, steps[1:]):
        assert (after.changed.any(1) | ~before.mask.any(1)).all()
        assert torch.equal(before.mask & ~after.changed, after.mask)
        assert torch.equal(before.x[~before.mask], after.x[~before.mask])
        assert (after.mask.long().diff(dim=1) >= 0).all()


def test_confidence_is_the_networks():
    last = walk(30, draft=2)[-1]
    expected = predict(last.x, None).gather(2, last.x[..., None])[..., 0]
    torch.testing.assert_close(last.confidence, expected)


def test_what_is_given_stays_and_conditions():
    x, mask = torch.full((9000, LENGTH), 2), torch.ones(9000, LENGTH, dtype=torch.bool)
    mask[:, 0] = mask[:, 2] = False
    *_, last = sample_speculative(predict, None, x, mask=mask, generator=gen(3), context=1)
    assert (last.x[:, [0, 2]] == 2).all() and not last.mask.any()
    second = torch.bincount(last.x[:, 1], minlength=LETTERS) / 9000  # from the left: what follows does not count
    torch.testing.assert_close(second, TABLE[LETTERS, 2], atol=0.02, rtol=0)


def test_temperature_zero_is_the_likeliest_token_after_token():
    last = walk(1, temperature=0)[-1].x
    greedy = torch.zeros(1, LENGTH, dtype=torch.long)
    for i in range(LENGTH):
        greedy[:, i] = predict(greedy, None)[:, i].argmax(-1)
    assert torch.equal(last, greedy)


def test_short_and_finished_rows():
    one = torch.zeros(3, 1, dtype=torch.long)
    assert len(list(sample_speculative(predict, None, one, generator=gen(), draft=5))) == 2
    done = torch.zeros(3, LENGTH, dtype=torch.bool)
    assert len(list(sample_speculative(predict, None, ROWS[:3], mask=done))) == 1


def test_the_packaged_model_takes_half_the_calls_or_fewer():
    model = VisualTokenLM.from_pretrained(STORYTELLER)
    assert model.sampler.name == 'speculative'
    assert len(list(model.generate_steps(n=4, seed=1))) - 1 <= 32
    assert len(list(model.generate_steps(n=4, seed=1, sampler='autoregressive'))) - 1 == 64


@pytest.mark.parametrize('options', [dict(draft=0), dict(context=0), dict(temperature=-1)])
def test_refused(options):
    with pytest.raises(ValueError, match='must'):
        walk(2, **options)


def test_refuses_other_processes_and_nan():
    with pytest.raises(CombinationError, match="undoes autoregressive, not process 'masked'"):
        Sampler.make('speculative')(predict, MaskedDiffusion(), ROWS[:2])
    with pytest.raises(ValueError, match='NaN'):
        list(sample_speculative(lambda x, mask, where: predict(x, mask, where) * float('nan'), None, ROWS[:2]))
