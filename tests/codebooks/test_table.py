"Code tables: what they refuse, and the way there and back."

import pytest, torch
from visual_token_diffusion.codebooks.table import CodeTable, node_codes, node_index, usage


def test_codes_are_the_digits_of_a_number():
    sizes = (3, 1, 4)
    nodes = torch.arange(12)
    codes = node_codes(nodes, sizes)
    assert codes.tolist() == [[a, 0, b] for a in range(3) for b in range(4)]
    assert torch.equal(node_index(codes, sizes), nodes)
    grid = nodes.view(3, 4)
    assert node_codes(grid, sizes).shape == (3, 4, 3)
    assert torch.equal(node_index(node_codes(grid, sizes), sizes), grid)


def test_a_table_finds_tokens_again():
    table = CodeTable(torch.tensor([[2, 1], [0, 0], [1, 1]]), (3, 2))
    assert table.ids(table.codes).tolist() == [0, 1, 2]
    assert table.inverse.tolist() == [[1, -1], [-1, 2], [-1, 0]]
    assert (table.capacity, table.vocab_size, table.n_codebooks) == (6, 3, 2)


def test_usage():
    codes = torch.tensor([[0, 0, 0], [0, 1, 0], [0, 2, 0]])
    u = usage(codes, 3)
    assert u.counts.tolist() == [[3, 0, 0], [1, 1, 1], [3, 0, 0]]
    assert torch.allclose(u.perplexity, torch.tensor([1.0, 3.0, 1.0], dtype=u.perplexity.dtype))


@pytest.mark.parametrize(
    'bad,why',
    [
        (lambda: CodeTable(torch.zeros(2, 3, dtype=torch.long), 2), 'share a tuple'),
        (lambda: CodeTable(torch.full((1, 3), 2), 2), 'should lie in 0..1'),
        (lambda: CodeTable(torch.zeros(1, 3), 2), 'whole numbers'),
        (lambda: CodeTable(torch.zeros(3, dtype=torch.long), 2), r'\(V,M\)'),
        (lambda: CodeTable(torch.zeros(1, 3, dtype=torch.long), (2, 2)), '3 codebooks need 3'),
        (lambda: CodeTable(torch.zeros(1, 3, dtype=torch.long), 300), '16,777,216'),
    ],
)
def test_bad_codes_are_refused_in_one_line(bad, why):
    with pytest.raises(ValueError, match=why) as e:
        bad()
    assert '\n' not in str(e.value)
