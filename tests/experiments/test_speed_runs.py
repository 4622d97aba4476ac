"The measurements of speed and memory run in miniature, and what they compare says the same."

import pytest
import torch

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.experiments.speed import cpu_step, linear_cross_entropy, peak_memory
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.training.dataloaders import split_text
from visual_token_diffusion.worlds.stories import story_text


def test_the_most_memory_at_once_not_the_sum():
    def call():
        a = torch.zeros(1000, 100)
        b = a + 1
        del a
        return b * 2

    assert 8e5 <= peak_memory.peak_bytes(call) < 8.2e5
    assert peak_memory.peak_bytes(lambda: None) == 0


def test_every_part_of_a_step_takes_memory():
    (head, row), = peak_memory.main(['--quick']).items()
    assert head == 'feature_tree' and row['weights'] == 4 * row['parameters']
    assert row['forward_backward'] >= row['forward'] > row['writing'] > 0 and row['optimizer'] > 0
    used = row['weights'] * 4 + row['forward_backward']
    assert used / 2 < row['estimate'] < 4 * used, 'the estimate that refuses a training is of this size'


def test_all_ways_to_a_softmax_say_the_same():
    found = linear_cross_entropy.main(['--quick'])
    assert {'table', 'checkpointed chunks', 'linear_nll'} <= set(found)
    assert all(way['error'] < 1e-5 and way['peak'] > 0 and len(way['seconds']) == 1 for way in found.values())


def test_a_step_in_all_ways():
    found = cpu_step.main(['--quick'])
    assert set(found) == set(cpu_step.WAYS) and found['fp32'] == 1 and min(found.values()) > 0.1


def test_rows_by_an_index_are_the_same_bits():
    cfg = load_settings('ci', ['unit=words', 'width=16', 'heads=1', 'length=8', 'feature_dim=8'])
    vocab, train, _ = split_text(story_text(200, torch.Generator().manual_seed(0)), cfg)
    model = build_model(vocab, train, cfg)
    ids = train[:64].view(8, 8)
    noisy = model.process.corrupt(ids, torch.linspace(0.1, 1, 8), generator=torch.Generator().manual_seed(0))

    def gradients():
        loss = model(ids, noisy.mask, noisy.weight)
        return [loss, *torch.autograd.grad(loss.sum(), list(model.parameters()), allow_unused=True)]

    ours = gradients()
    with cpu_step._indexed():
        before = gradients()
    for a, b in zip(ours, before):
        assert a is b is None or torch.equal(a, b)


@pytest.mark.parametrize('module', [cpu_step, linear_cross_entropy, peak_memory])
def test_their_commands_are_their_own(module):
    assert module.COMMAND == f'python -m {module.__name__}'
