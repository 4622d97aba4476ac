"Codes by frequency."

import pytest, torch
from visual_token_diffusion.codebooks.frequency import FrequencyCodebook


def test_ranks_with_one_digit_for_each_codebook():
    counts = torch.randint(5, (60,), generator=torch.Generator().manual_seed(0))
    table = FrequencyCodebook().assign(torch.zeros(60, 1), 4, counts=counts)
    order = sorted(range(60), key=lambda i: (-counts[i].item(), i))
    want = {i: [r // 16, r // 4 % 4, r % 4] for r, i in enumerate(order)}
    assert table.codes.tolist() == [want[i] for i in range(60)]


@pytest.mark.parametrize('counts', [None, torch.ones(4)])
def test_counts_are_needed(counts):
    with pytest.raises(ValueError, match='need counts, one for each of 5'):
        FrequencyCodebook().assign(torch.zeros(5, 1), counts=counts)


def test_of_equals_the_smaller_number_comes_first():
    counts = torch.tensor([3, 50, 1, 7, 7])
    table = FrequencyCodebook(2).assign(torch.zeros(5, 1), 3, counts=counts)
    assert table.codes.tolist() == [[1, 0], [0, 0], [1, 1], [0, 1], [0, 2]]
