"A number for each relation in the attention: the formula, what it cannot see, and what it refuses."

import pytest
import torch

from visual_token_diffusion.networks.relation_bias import RelationAttention, RelationEncoder

gen = lambda s=0: torch.Generator().manual_seed(s)


def made(build, seed=0):
    torch.manual_seed(seed)
    return build()


def related(n, n_relations, seed=1):
    return torch.rand(2, n, n, n_relations, generator=gen(seed)) < 0.4


def test_logits_get_the_sum_over_the_relations_that_hold():
    attention, x = made(lambda: RelationAttention(6, 2, 3)), torch.randn(2, 4, 6, generator=gen())
    relations, rows = related(4, 3), []
    for b in range(2):
        q, k, v = attention.qkv(x[b]).split(6, 1)
        heads = []
        for h in range(2):
            part = slice(3 * h, 3 * h + 3)
            logits = q[:, part] @ k[:, part].T / 3**0.5
            for i in range(4):
                for j in range(4):
                    held = relations[b, i, j].nonzero()[:, 0].tolist()
                    logits[i, j] = logits[i, j] + sum(attention.bias[r, h] for r in held)
            heads.append(logits.softmax(1) @ v[:, part])
        rows.append(attention.proj(torch.cat(heads, 1)))
    torch.testing.assert_close(attention(x, relations), torch.stack(rows))


def test_no_relation_is_plain_attention():
    attention, x = made(lambda: RelationAttention(6, 2, 3)), torch.randn(2, 4, 6, generator=gen())
    nothing = torch.zeros(2, 4, 4, 3, dtype=torch.bool)
    torch.testing.assert_close(attention(x, nothing), attention(x))


def test_the_encoder_sees_no_order_but_who_is_related_to_whom():
    encoder, x = made(lambda: RelationEncoder(8, 2, 2, 3)), torch.randn(2, 4, 8, generator=gen())
    relations, order = related(4, 3), torch.tensor([2, 0, 3, 1])
    moved = encoder(x[:, order], relations[:, order][:, :, order])
    torch.testing.assert_close(moved, encoder(x, relations))
    torch.testing.assert_close(encoder(x[:, order]), encoder(x))
    assert not torch.allclose(encoder(x, relations.transpose(1, 2)), encoder(x, relations), atol=1e-4)


def test_the_bias_learns():
    encoder, x = made(lambda: RelationEncoder(8, 1, 2, 3)), torch.randn(2, 4, 8, generator=gen())
    encoder(x, related(4, 3))[:, 0].sum().backward()
    assert encoder.attentions[0].bias.grad.abs().min() > 0


@pytest.mark.parametrize(
    'call,why',
    [
        (lambda: RelationAttention(8, 3, 1), '3 heads must share 8'),
        (lambda: RelationAttention(8, 2, 1)(torch.zeros(1, 3, 8), torch.zeros(1, 3, 3)), 'relations must have shape'),
        (lambda: RelationAttention(8, 2, 1)(torch.zeros(1, 3, 8), torch.zeros(1, 3, 3, 2)), 'got .1, 3, 3, 2.'),
    ],
)
def test_bad_input_is_one_line(call, why):
    with pytest.raises(ValueError, match=why) as e:
        call()
    assert '\n' not in str(e.value)
