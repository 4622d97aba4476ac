"Committing and editing beside the scheduler of `diffusers`."

import pytest
import torch
from support.parts import gen

from visual_token_diffusion.metrics.toy import Denoiser, Toy
from visual_token_diffusion.samplers.editing import positions_to_commit, positions_to_edit, sample_editing

TOY = Toy()
START = torch.zeros(30, TOY.length, dtype=torch.long)
MASK_ID = 9


def state(seed):
    "Logits (B,L,V), tokens with masks (B,L)"
    logits = 4 * torch.randn(20, 8, 9, generator=gen(seed))
    x = torch.randint(9, (20, 8), generator=gen(seed + 1))
    return logits, x.masked_fill(torch.rand(20, 8, generator=gen(seed + 2)) < 0.5, MASK_ID)


@pytest.mark.parametrize('threshold, edit', [(0.95, 0.5), (0.6, 0.9), (0.99, None)])
def test_a_step_of_diffusers(threshold, edit):
    module = pytest.importorskip('diffusers.schedulers.scheduling_block_refinement')
    scheduler = module.BlockRefinementScheduler(block_length=8, num_inference_steps=4)
    scheduler.set_timesteps(4, block_length=8)
    logits, x = state(0)
    prompt = torch.zeros(8, dtype=torch.bool)
    prompt[:2] = True
    options = dict(mask_token_id=MASK_ID, threshold=threshold, editing_threshold=edit, prompt_mask=prompt)
    theirs = scheduler.step(logits, 1, x, **options)
    mask = x == MASK_ID
    confidence, drawn = logits.softmax(-1).max(-1)
    share = torch.full((20,), 2).minimum(mask.sum(1))
    commit = positions_to_commit(confidence, mask, share, threshold)
    assert torch.equal(commit, theirs.transfer_index)
    edits = torch.zeros_like(mask)
    if edit is not None:
        edits = positions_to_edit(confidence, drawn, x, ~mask & ~prompt, edit)
    assert torch.equal(edits, theirs.editing_transfer_index)
    assert torch.equal(torch.where(commit | edits, drawn, x), theirs.prev_sample)


def network(x, mask):
    "(B,L,9) log-probabilities that depend on everything that is written"
    table = torch.randn(10, 9, generator=gen(7), dtype=torch.double)
    h = table[torch.where(mask, MASK_ID, x)] + torch.randn(*x.shape, 9, generator=gen(8), dtype=torch.double)
    return (2 * torch.tanh(h + h.mean(1, keepdim=True) + h.roll(1, 1))).log_softmax(-1)


@pytest.mark.parametrize('steps', [1, 3, 4, 11])
@pytest.mark.parametrize('threshold, edit', [(0.95, 0.5), (0.3, 0.25), (0.3, None)])
def test_a_walk_of_diffusers(threshold, edit, steps):
    "With the plan of the start; at temperature 0 nothing is drawn"
    module = pytest.importorskip('diffusers.schedulers.scheduling_block_refinement')
    scheduler = module.BlockRefinementScheduler()
    scheduler.set_timesteps(steps, block_length=8)
    x = torch.full((6, 8), MASK_ID)
    options = dict(threshold=threshold, edit_threshold=edit, edit_steps=4, temperature=0, published=True)
    ours = list(sample_editing(network, None, torch.zeros(6, 8, dtype=torch.long), steps=steps, **options))
    for i, step in enumerate(ours[1:]):
        mask = x == MASK_ID
        logits = network(x.masked_fill(mask, 0), mask)
        thresholds = dict(threshold=threshold, editing_threshold=edit)
        x = scheduler.step(logits, i, x, mask_token_id=MASK_ID, **thresholds).prev_sample
        assert torch.equal(step.x.masked_fill(step.mask, MASK_ID), x)
    assert not step.mask.any()


def test_published_confidence_is_cooled():
    "At temperature 1/2 the squares of the probabilities, normalized, say what is sure"
    options = dict(steps=1, edit_threshold=None, temperature=0.5)
    x = torch.zeros(6, 8, dtype=torch.long)
    mask = torch.ones_like(x, dtype=torch.bool)
    for published in (True, False):
        *_, last = sample_editing(network, None, x, published=published, generator=gen(1), **options)
        log_probs = network(x, mask)
        by = (2 * log_probs).log_softmax(-1) if published else log_probs
        want = by.gather(-1, last.x[..., None])[..., 0]
        torch.testing.assert_close(last.confidence, want.float())


def right_at_last(x, mask):
    "A model that is sure of token 1, except of a first token while others are masked"
    logits = torch.full((*x.shape, 4), -20.0)
    logits[..., 1] = 0.0
    early = mask[:, 1:].any(1)
    logits[early, 0, 1], logits[early, 0, 2] = -20.0, 0.0
    return logits.log_softmax(-1)


def test_what_turns_out_wrong_is_edited():
    *_, kept = sample_editing(right_at_last, None, START, edit_threshold=None, generator=gen())
    assert (kept.x[:, 0] == 2).all()
    *_, edited = sample_editing(right_at_last, None, START, generator=gen())
    assert (edited.x == 1).all()


def test_a_prompt_is_never_edited():
    mask = torch.ones_like(START, dtype=torch.bool)
    mask[:, 0] = False
    *_, last = sample_editing(right_at_last, None, START, mask=mask, generator=gen())
    assert (last.x[:, 0] == 0).all() and (last.x[:, 1:] == 1).all()


@pytest.mark.parametrize('steps', [1, 2, 3])
def test_everything_is_written_within_the_steps(steps):
    options = dict(steps=steps, threshold=1.0, edit_threshold=None, generator=gen())
    walk = list(sample_editing(Denoiser(TOY).eval(), None, START, **options))
    assert len(walk) - 1 == steps and not walk[-1].mask.any()


def test_edits_end():
    walk = list(sample_editing(Denoiser(TOY).eval(), None, START, steps=2, edit_steps=5, generator=gen()))
    assert len(walk) - 1 <= 2 + 5


@pytest.mark.parametrize('name, value', [
    ('steps', 0), ('threshold', 0.0), ('threshold', 1.5), ('edit_threshold', 0.0), ('edit_steps', -1),
])
def test_bad_options(name, value):
    with pytest.raises(ValueError, match=name):
        list(sample_editing(right_at_last, None, START, **{name: value}))


def test_crossed_thresholds_are_refused_in_one_line():
    with pytest.raises(ValueError, match='edit_threshold must not be above threshold, got 0.9 and 0.5') as e:
        list(sample_editing(right_at_last, None, START, threshold=0.5, edit_threshold=0.9))
    assert '\n' not in str(e.value)


def test_a_threshold_has_to_be_passed():
    "What is exactly as sure as the threshold is left as it is"
    confidence = torch.tensor([[0.5, 0.75, 0.5]])
    drawn, written = torch.tensor([[1, 1, 0]]), torch.zeros(1, 3, dtype=torch.long)
    every = torch.ones(1, 3, dtype=torch.bool)
    assert positions_to_edit(confidence, drawn, written, every, 0.5).tolist() == [[False, True, False]]
    none = torch.zeros(1, dtype=torch.long)
    assert positions_to_commit(confidence, every, none, 0.5).tolist() == [[False, True, False]]
    assert not positions_to_commit(confidence, ~every, none, 0.5).any()
