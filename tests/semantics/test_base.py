"The seam of sources: words that nobody knows, and what a part must state."

import pytest
import torch

from visual_token_diffusion.semantics.base import MissingWords, Semantics, check_known
from visual_token_diffusion.semantics.sources import features


def test_missing_words_are_counted_and_the_first_is_named():
    assert check_known(['cat'], {'cat', 'dog'}, 'the corpus', 'give more text') is None
    with pytest.raises(MissingWords) as e:
        check_known(['cat', 'zebra'], {'cat'}, 'the corpus', 'give more text')
    assert str(e.value).endswith("nothing of 1 of 2 words, such as 'zebra'; give more text")


def test_a_source_of_your_own():
    "A class that states its name is found by it, and built for a model"

    class Lengths(Semantics):
        name = 'lengths_of_a_test'

        def features(self, tokens):
            return torch.tensor([[float(len(token))] for token in tokens])

    try:
        assert Semantics.part('lengths_of_a_test').build(seed=3).features(['cat', 'horse']).tolist() == [[3], [5]]
        assert features(['cat'], 'lengths_of_a_test').tolist() == [[3]]
    finally:
        Semantics.parts.pop('lengths_of_a_test')
