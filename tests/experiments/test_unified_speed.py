"Timings of the unified learner: what they hold, not how long anything takes."

import pytest
import torch

from visual_token_diffusion.experiments.unified import speed
from visual_token_diffusion.experiments.unified.speed import (
    LAYOUTS, cache_speedups, main, mask_costs, parts_of_a_step, seconds_apiece, step_beside_backbone, tasks_of,
)
from visual_token_diffusion.models.unified.segments import segment_mask, simplest_mask
from visual_token_diffusion.models.unified.switches import PRESETS


@pytest.mark.parametrize('name,encoder', [('show_o', False), ('janus', True)])
def test_a_step_beside_its_backbone(name, encoder):
    threads = torch.get_num_threads()
    found = step_beside_backbone(name, steps=4, batch=4, width=16, depth=1, warm=1)
    assert min(found['step'], found['backbone']) > 0 and (found['encoder'] > 0) == encoder
    assert found['ratio'] == found['step'] / found['backbone']
    assert found['ratio_all'] == found['step'] / (found['backbone'] + found['encoder'])
    assert torch.get_num_threads() == threads


def test_parts_of_a_step():
    found = parts_of_a_step('janus', steps=4, warm=1, batch=4, width=16, depth=1)
    passes = {'forward', 'backward', 'beside forward', 'beside backward'}
    assert set(found) == passes | {'data', 'optimizer', 'rest'}
    assert min(found.values()) >= 0 and min(found[name] for name in passes) > 0


def test_what_a_cache_saves():
    found = cache_speedups(9, n=2, rounds=1, width=16, depth=1)
    assert set(found) == {'writing', 'reading'} and min(found.values()) > 0


def test_what_a_mask_costs():
    found = mask_costs(16, 1, batch=2, rounds=1)
    assert found['ratios']['no mask'] == 1 and len(found['ratios']) == 1 + 2 * len(LAYOUTS)
    assert found['milliseconds'] > 0
    simple = {name: simplest_mask(segment_mask(*layout)) for name, layout in LAYOUTS.items()}
    assert simple['full'] is None and simple['causal'] == 'causal' and torch.is_tensor(simple['omni'])


def test_what_a_picture_and_a_caption_cost():
    found = seconds_apiece(n=2, rounds=1, width=16, depth=1)
    assert set(found) == set(PRESETS)
    assert found['janus']['calls'] == dict(picture=9, caption=9)
    assert found['transfusion']['calls']['picture'] == 30
    assert min(value for row in found.values() for value in row['milliseconds'].values()) > 0


def test_it_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = []

    def tasks(repeats):
        for i in range(repeats):
            yield f'step|64|janus|{i}', lambda i=i: done.append(i) or dict(ratio=1.0)

    monkeypatch.setattr(speed, 'tasks_of', tasks)
    main(['--seeds', '1'])
    main(['--seeds', '2'])
    assert done == [0, 1]


def test_keys_of_what_is_measured():
    keys = [key for key, _ in tasks_of(2)]
    assert len(keys) == len(set(keys)) == 2 + 2 * (7 + 3 + 3 + 2) + 7 + 2
    assert {key.split('|')[2] for key in keys if key.startswith('step|64|')} == set(PRESETS) - {'janus_pro'}
