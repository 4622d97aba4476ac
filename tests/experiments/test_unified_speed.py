"Timings of the unified learner: what they hold, not how long anything takes."

import pytest
import torch

from visual_token_diffusion.experiments.unified.unified_speed import cache_speedups, step_beside_backbone


@pytest.mark.parametrize('name,encoder', [('show_o', False), ('janus', True)])
def test_a_step_beside_its_backbone(name, encoder):
    threads = torch.get_num_threads()
    found = step_beside_backbone(name, steps=4, batch=4, width=16, depth=1, warm=1)
    assert found['step'] > found['backbone'] > 0 and (found['encoder'] > 0) == encoder
    assert found['ratio'] >= found['ratio_all'] > 1
    assert torch.get_num_threads() == threads


def test_what_a_cache_saves():
    found = cache_speedups(9, n=2, rounds=1, width=16, depth=1)
    assert set(found) == {'writing', 'reading'} and min(found.values()) > 0
