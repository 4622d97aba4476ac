"Every registered codebook: a tuple of its own for every token, the same every time."

import pytest
import torch
from support.parts import V, codebooks, features, gen

PARTS = codebooks()


@pytest.fixture(params=list(PARTS))
def codebook(request):
    return PARTS[request.param]


def assign(codebook, sizes=(3, 3, 3), seed=0):
    return codebook.assign(features(), sizes, generator=gen(seed), counts=torch.arange(V).float())


def test_every_token_has_its_own_codes(codebook):
    table = assign(codebook)
    assert table.codes.shape == (V, 3) and table.codes.dtype == torch.long
    assert table.sizes == (3, 3, 3)
    assert len(table.codes.unique(dim=0)) == V
    assert torch.equal(table.ids(table.codes), torch.arange(V))


def test_one_generator_one_table(codebook):
    assert torch.equal(assign(codebook).codes, assign(codebook).codes)


def test_too_few_entries_are_refused_in_one_line(codebook):
    with pytest.raises(ValueError) as e:
        assign(codebook, (2, 2, 2))
    assert '\n' not in str(e.value) and '20 tokens' in str(e.value)


def test_bad_features_are_refused_in_one_line(codebook):
    broken = torch.full((V, 4), torch.nan)
    with pytest.raises(ValueError) as e:
        codebook.assign(broken, (3, 3, 3), generator=gen(), counts=torch.ones(V))
    assert '\n' not in str(e.value)
