"The factorized decoder by hand, and where the best tuple is no token's."

import pytest, torch
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.decoders.factorized import FactorizedDecoder
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize('sizes', [(4, 4, 4), (2, 5, 3)])
def test_by_hand(sizes):
    enc = SemanticVisualEncoder(random_codes(20, 3, sizes, gen()))
    decoder = FactorizedDecoder(enc.table, 8, 16).double()
    x = torch.rand(15, 3, 8, 8, generator=gen(1)).double()
    logits = decoder.heads(decoder.body((x.flatten(1) - 0.5) * 4)).split(sizes, 1)
    p = [level.softmax(1) for level in logits]
    codes = enc.codes.tolist()
    for b in range(15):
        factors = [level[b][enc.codes[:, m]] for m, level in enumerate(p)]
        want = factors[0] * factors[1] * factors[2]
        assert torch.allclose(decoder.log_probs(x[b]).exp(), want / want.sum())
        assert decoder.decode(x[b]) == want.argmax()
    true = [[p[m][b, codes[b][m]] for m in range(3)] for b in range(15)]
    want = -torch.tensor(true, dtype=torch.double).log().sum(1).mean()
    assert decoder.loss(x, torch.arange(15)).item() == pytest.approx(want.item())
    for level, raw in zip(decoder.code_log_probs(x), logits):
        assert torch.allclose(level, raw.log_softmax(1))


def test_where_the_best_tuple_is_unassigned():
    "Two tokens that differ in all codes, and a picture that says a mixture of both"
    table = CodeTable(torch.tensor([[0, 0, 0], [1, 1, 1]]), 2)
    decoder = FactorizedDecoder(table, 8, 0).double()
    with torch.no_grad():
        decoder.heads.weight.zero_()
        decoder.heads.bias.copy_(torch.tensor([5.0, 0, 0, 1, 0, 1]))
    assert table.inverse[0, 1, 1] == -1 and decoder.decode(torch.zeros(3, 8, 8)) == 0
