"Sources that know nothing."

import pytest
import torch

from visual_token_diffusion.semantics.base import Semantics
from visual_token_diffusion.semantics.controls import OneHotSemantics, RandomSemantics


def test_random_rows_depend_on_the_seed_only():
    rows = Semantics.make('random', dim=4).features(['cat', 'dog'])
    assert torch.equal(rows, RandomSemantics(4).features(['a', 'b'])) and rows.shape == (2, 4)
    assert not torch.equal(rows, RandomSemantics(4, seed=1).features(['a', 'b']))


def test_one_hot_rows_are_those_of_a_unit_matrix():
    assert OneHotSemantics(3).features(['a', 'b']).tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match='as many dimensions'):
        OneHotSemantics(1).features(['a', 'b'])
