"The measurements of speed and memory run in miniature, and what they compare says the same."

import pytest
import torch

from visual_token_diffusion.experiments.speed import cpu_step, linear_cross_entropy, peak_memory, writing_costs


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
    assert set(found) == set(cpu_step.WAYS) and found['fp32'] == 1 and min(found.values()) > 0


@pytest.mark.parametrize('module', [cpu_step, linear_cross_entropy, peak_memory])
def test_their_commands_are_their_own(module):
    assert module.COMMAND == f'python -m {module.__name__}'


def test_where_the_time_of_a_text_goes():
    found = writing_costs.main(['--quick'])
    assert min(found['start'].values()) > 0 and found['start']['import torch'] > found['start']['load the model']
    names = {'network', 'head', 'sampler', 'decode', 'png', 'gif'}
    assert all(set(row) == names and row['network'] > 0 and row['head'] > 0 for row in found['parts'].values())
    assert set(found['drafts']['1']) == {'whole rows', 'cache', 'no drafts'}
