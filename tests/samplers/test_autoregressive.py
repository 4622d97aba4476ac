"Writing from left to right."

import pytest
import torch

from visual_token_diffusion.samplers.autoregressive import AutoregressiveSampler, sample_left_to_right


def counting(x, mask, where):
    "Writes at each position the number of tokens that stand left of it"
    return where.long().argmax(1), torch.zeros(len(x))


def test_positions_are_written_in_reading_order_one_a_call():
    x = torch.full((2, 4), 9)
    steps = list(sample_left_to_right(counting, None, x))
    assert len(steps) == 5 and steps[-1].x.tolist() == [[0, 1, 2, 3]] * 2
    for n, step in enumerate(steps):
        assert step.mask.tolist() == [[False] * n + [True] * (4 - n)] * 2


def test_what_is_given_stays_and_is_not_written():
    mask = torch.tensor([[False, True, True]])
    *_, last = AutoregressiveSampler()(counting, None, torch.tensor([[7, 9, 9]]), mask=mask)
    assert last.x.tolist() == [[7, 1, 2]] and not last.mask.any()


def test_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match="no option 'order'"):
        AutoregressiveSampler(order='random')
