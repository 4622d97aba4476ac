"Windows of steps: where they stand, and how HRF-D chooses."

import pytest
import torch

from visual_token_diffusion.training.rl.windows import (
    Window, choose_start, dynamic_start, picture_distance, window_at,
)


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def test_windows_stand_slide_and_jump():
    assert window_at('all', 10) == Window(0, 10)
    assert window_at('early', 10) == Window(0, 5) and window_at('late', 10) == Window(5, 10)
    slid = [window_at('sliding', 10, progress / 12, 5).start for progress in range(12)]
    assert slid == sorted(slid) and set(slid) == set(range(6))
    two = [window_at('sliding', 40, progress / 10, positions=2) for progress in range(10)]
    assert two == 5 * [Window(0, 20)] + 5 * [Window(20, 40)]  # the published clusters
    assert window_at('sliding', 10, 1.0).stop == 10
    starts = {window_at('random', 10, width=4, generator=gen(s)).start for s in range(100)}
    assert starts == set(range(7))
    chosen = choose_start(Window(3, 6), 200, gen())
    assert set(chosen.tolist()) == {3, 4, 5}


def test_the_dynamic_start_lies_before_the_largest_gain_and_near():
    starts = [0, 2, 4, 6]
    rewards = torch.tensor([[0.0, 0.0], [0.1, 0.5], [0.5, 0.6], [0.6, 0.7]])
    distances = torch.tensor([[0.9, 0.9], [0.5, 0.8], [0.5, 0.4], [0.5, 0.0]])
    assert dynamic_start(rewards, distances, starts).tolist() == [2, 0]
    assert dynamic_start(rewards, distances, starts, beta=9.0)[1] == 4
    assert dynamic_start(0 * rewards, 0 * distances, starts).tolist() == [0, 0]
    a, b = torch.randn(2, 3, 4, generator=gen())
    cosine = (a * b).sum(1) / a.norm(dim=1) / b.norm(dim=1)
    assert torch.allclose(picture_distance(a, b), 1 - cosine, atol=1e-6)


@pytest.mark.parametrize('call, message', [
    (lambda: window_at('half', 4), 'must be one of'),
    (lambda: window_at('late', 4, width=5), 'does not fit'),
    (lambda: window_at('dynamic', 4), 'dynamic_start'),
    (lambda: dynamic_start(torch.zeros(1, 2), torch.zeros(1, 2), [0]), 'two starts or more'),
])
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert '\n' not in str(caught.value)
