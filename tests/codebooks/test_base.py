"What every codebook promises, whichever it is."

import pytest, torch
from visual_token_diffusion.codebooks.base import Codebook, fit_sizes, smallest_codebook
from visual_token_diffusion.codebooks.table import node_codes

gen = lambda s=0: torch.Generator().manual_seed(s)


@pytest.mark.parametrize('name', Codebook.names())
@pytest.mark.parametrize('V', [1, 2, 3, 50, 343])
@pytest.mark.parametrize('sizes', [None, 7, (11, 4, 8), (19, 19)])
def test_every_token_has_its_own_tuple(name, V, sizes):
    features = torch.randn(V, 5, generator=gen(V))
    features[1::4] = 0
    counts = torch.randint(9, (V,), generator=gen(V))
    tables = [
        Codebook.make(name).assign(features, sizes, generator=gen(), counts=counts)
        for _ in range(2)
    ]
    table = tables[0]
    assert torch.equal(table.codes, tables[1].codes), 'the same generator gives the same codes'
    assert table.vocab_size == V and len(table.codes.unique(dim=0)) == V
    assert table.codes.dtype == torch.long and table.codes.min() >= 0
    assert (table.codes.amax(0) < torch.tensor(table.sizes)).all()
    assert table.sizes == fit_sizes(V, 2 if sizes == (19, 19) else 3, sizes)


@pytest.mark.parametrize('name', Codebook.names())
def test_the_number_of_codebooks(name):
    counts = torch.ones(30)
    table = Codebook.make(name, n_codebooks=2).assign(torch.randn(30, 4), counts=counts)
    assert table.sizes == (6, 6)


@pytest.mark.parametrize('name', Codebook.names())
@pytest.mark.parametrize(
    'features,sizes,why',
    [
        (torch.zeros(3), None, 'finite'),
        (torch.full((3, 3), torch.nan), (3,), 'finite'),
        (torch.zeros(0, 3), None, 'no tokens'),
        (torch.zeros(9, 3), 2, '9 tokens need 3 entries in each of 3 codebooks, 2 give only 8'),
        (torch.zeros(9, 3), (2, -2, -9), 'give only 0 tuples'),
        (torch.zeros(9, 3), (4, 2), '4 give only 8 tuples'),
    ],
)
def test_bad_input_is_one_line(name, features, sizes, why):
    with pytest.raises(ValueError, match=why) as e:
        Codebook.make(name).assign(features, sizes, counts=torch.ones(len(features)))
    assert '\n' not in str(e.value)


def test_smallest_codebook_by_counting():
    for n_codebooks in (1, 2, 3, 4):
        for vocab_size in (*range(1, 300), 49408, 37**3, 37**3 + 1):
            size = smallest_codebook(vocab_size, n_codebooks)
            assert size**n_codebooks >= vocab_size
            assert size == 1 or (size - 1) ** n_codebooks < vocab_size
    with pytest.raises(ValueError, match='at least, got 0 and 3'):
        smallest_codebook(0)


def test_sizes_are_the_fewest_or_those_that_are_given():
    assert fit_sizes(192) == (6, 6, 6) and fit_sizes(192, 3, (25, 4, 2)) == (25, 4, 2)
    assert [smallest_codebook(49408, m) for m in (1, 2, 3, 4)] == [49408, 223, 37, 15]
    with pytest.raises(ValueError, match='no tokens'):
        fit_sizes(0)
    with pytest.raises(ValueError, match='9 tokens need 3 entries in each of 2 codebooks, 2 give only 4'):
        fit_sizes(9, 2, 2)


def test_a_codebook_of_your_own():
    "A class that states its name and writes its codes; what comes in is checked for it"

    class Numbers(Codebook):
        name = 'numbers_of_a_test'

        def codes(self, features, sizes, generator=None, counts=None):
            return node_codes(torch.arange(len(features)), sizes)

    try:
        made = Codebook.make('numbers_of_a_test')
        table = made.assign(torch.zeros(192, 5))
        assert torch.equal(table.node_index(table.codes), torch.arange(192))
        for wrong in (torch.zeros(3), torch.full((3, 3), torch.nan)):
            with pytest.raises(ValueError, match='finite numbers'):
                made.assign(wrong)
        with pytest.raises(ValueError, match='2 give only 8'):
            made.assign(torch.zeros(9, 2), (2, 2, 2))
    finally:
        Codebook.parts.pop('numbers_of_a_test')
