"What codes carry, against values worked out by hand."

import math

import pytest
import torch

from visual_token_diffusion.metrics.codes import code_entropy, joint_ids, linear_accuracy, mutual_information


def test_entropy_of_a_whole_world():
    codes = torch.arange(8)[:, None]
    assert math.isclose(code_entropy(codes), 3)
    assert math.isclose(code_entropy(codes // 2), 2)
    assert code_entropy(torch.zeros(5, 2, dtype=torch.long)) == 0


def test_joint_numbers_tell_rows_apart():
    codes = torch.tensor([[0, 1], [1, 0], [0, 1]])
    ids = joint_ids(codes)
    assert ids[0] == ids[2] != ids[1]


def test_information_about_what_is_and_is_not_in_the_codes():
    codes = torch.arange(64)
    found = mutual_information(codes // 8, codes // 16)
    assert math.isclose(found.bits, 2) and math.isclose(found.most, 2) and found.floor < 1
    assert mutual_information(codes // 8, codes % 8).bits < 1e-9


def test_a_linear_map_reads_what_is_linear():
    labels = torch.arange(200) % 4
    x = torch.eye(4)[labels]
    assert linear_accuracy(x, labels) == 1
    noise = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    assert linear_accuracy(noise, labels) < 0.5


def test_bad_input_is_one_line():
    with pytest.raises(ValueError, match='integer codes'):
        code_entropy(torch.rand(3, 2))
    with pytest.raises(ValueError, match='a label for each of 3'):
        mutual_information(torch.arange(3), torch.arange(4))
    with pytest.raises(ValueError, match='at least 4'):
        linear_accuracy(torch.rand(2, 2), torch.zeros(2))
