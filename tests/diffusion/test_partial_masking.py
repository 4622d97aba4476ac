"Masking single codes: the bound by listing every set of masked codes."

import itertools

import torch
from support.pairs import CODES, PAIRS, TABLE, knows_codes

from visual_token_diffusion.diffusion.partial_masking import (
    PartialMasking,
    condition_on_codes,
    partial_nll,
)


def test_single_codes_against_enumeration():
    for x in map(torch.tensor, PAIRS):
        by_k = {k: [] for k in range(1, 5)}
        for masked in itertools.product((False, True), repeat=4):
            if k := sum(masked):
                mask = torch.tensor(masked).view(2, 2)
                log_probs = knows_codes(CODES[x][None], mask[None])[0]
                by_k[k].append(partial_nll(log_probs, CODES, x, mask).sum() * 4 / k)
        mean = sum(sum(v) / len(v) for v in by_k.values()) / 4
        assert abs(mean + TABLE[tuple(x)].log()) < 1e-12


def test_conditioning():
    mask = torch.tensor([[False, True], [True, True]])
    log_probs = torch.randn(2, 3).double().log_softmax(1)
    p = condition_on_codes(log_probs, CODES, CODES[torch.tensor([0, 2])], mask).exp()
    assert p[0, 2] == 0
    assert torch.allclose(p.sum(1), torch.ones(2).double())
    assert torch.allclose(p[1], log_probs[1].exp())


def test_as_many_codes_as_the_time_says():
    x, t = torch.zeros(50, 7, dtype=torch.long), torch.linspace(0.02, 1, 50)
    maskable = torch.rand(50, 7, generator=torch.Generator().manual_seed(0)) < 0.6
    maskable[:, 0] = True
    corrupted = PartialMasking(CODES).corrupt(x, t, maskable=maskable)
    n = 2 * maskable.sum(1)
    k = corrupted.mask.flatten(1).sum(1)
    assert torch.equal(k, (t * n).ceil().long().clamp(min=1))
    assert torch.allclose(corrupted.weight, n / k)
    assert not (corrupted.mask & ~maskable[..., None]).any()
    assert torch.equal(corrupted.x_t, CODES[x])


class Listed:
    "The listed world as a language model, its hidden states log-probabilities"

    head = type('Head', (), dict(log_probs=staticmethod(lambda h: h)))()

    def hidden_states(self, codes, mask):
        return knows_codes(codes, mask)


def test_the_denoiser_cools_among_the_tokens_that_agree():
    x = CODES[torch.tensor([[0, 1]])]
    mask = torch.tensor([[[False, True], [True, True]]])
    process = PartialMasking(CODES)
    plain = process.denoiser(Listed())(x, mask)
    assert torch.equal(plain, knows_codes(x, mask))
    cold = process.denoiser(Listed(), temperature=0.0)(x, mask).exp()
    assert set(cold.flatten().tolist()) == {0.0, 1.0}
    assert torch.equal(cold.argmax(-1), plain.argmax(-1))
