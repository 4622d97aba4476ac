"Quantizers of published systems against their formulas, written out entry by entry."

import pytest
import torch
import torch.nn.functional as F

from visual_token_diffusion.quantizers.multi_codebook import MultiCodebookQuantizer, assignment_entropies
from visual_token_diffusion.quantizers.shared_index import SharedIndexQuantizer
from visual_token_diffusion.quantizers.text_aligned import TextAlignedQuantizer


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def entropy(p, eps=0.0):
    return -(p * (p + eps).log()).sum(-1)


@pytest.mark.parametrize('eps', [1e-5, 1e-7])
def test_entropies_of_a_soft_assignment(eps):
    logits = randn(20, 6)
    p = logits.softmax(-1)
    own, shared = assignment_entropies(logits, eps)
    torch.testing.assert_close(own, entropy(p).mean())
    torch.testing.assert_close(shared, entropy(p.mean(0), eps))


@pytest.mark.parametrize('temperature', [0.01, 0.3])
def test_chunks_have_the_losses_of_unitok(temperature):
    "Each chunk by itself, then the mean of all"
    quantizer = MultiCodebookQuantizer(6, 5, 2, entropy_weight=1.0, temperature=temperature)
    z = randn(9, 6, seed=1)
    out = quantizer(z)
    commitment, codebook = [], []
    entropies = []
    for m, chunk in enumerate(z.split(3, -1)):
        x, entries = F.normalize(chunk, dim=-1), F.normalize(quantizer.codebooks[m], dim=-1)
        distance = (x[:, None] - entries).square().sum(-1)
        assert torch.equal(distance.argmin(-1), out.codes[:, m])
        chosen = entries[out.codes[:, m]]
        codebook.append(F.mse_loss(chosen, x))
        commitment.append(0.25 * F.mse_loss(x, chosen))
        p = (-distance / temperature).softmax(-1)
        entropies.append(entropy(p, 1e-30).mean() - entropy(p.mean(0), 1e-7))
    for name, parts in dict(commitment=commitment, codebook=codebook, entropy=entropies).items():
        torch.testing.assert_close(out.losses[name], torch.stack(parts).mean(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('normalize', [True, False])
@pytest.mark.parametrize('weight', [1.0, 0.2])
def test_one_index_has_the_smallest_sum_of_distances(weight, normalize):
    quantizer = SharedIndexQuantizer(3, 2, 11, pixel_weight=weight, normalize=normalize)
    z = randn(8, 5, seed=2)
    unit = (lambda x: F.normalize(x, dim=-1)) if normalize else (lambda x: x)
    halves = zip(z.split([3, 2], -1), quantizer.codebook.split([3, 2], -1))
    semantic, pixel = [(unit(a)[:, None] - unit(b)).square().sum(-1) for a, b in halves]
    out = quantizer(z)
    assert torch.equal(out.codes[:, 0], (semantic + weight * pixel).argmin(-1))
    given = torch.cat([unit(part) for part in z.split([3, 2], -1)], -1)
    torch.testing.assert_close(out.losses['codebook'], F.mse_loss(out.z, given))
    torch.testing.assert_close(out.losses['commitment'], 0.25 * F.mse_loss(out.z, given))


def test_the_gradient_of_an_index_reaches_both_codebooks():
    quantizer = SharedIndexQuantizer(3, 2, 4)
    quantizer(randn(20, 5)).losses['codebook'].backward()
    semantic, pixel = quantizer.codebook.grad.split([3, 2], -1)
    assert semantic.abs().sum() > 0 and pixel.abs().sum() > 0


def test_words_stay_and_their_map_learns():
    words = randn(7, 4)
    quantizer = TextAlignedQuantizer(3, words)
    out = quantizer(randn(10, 3, seed=3))
    sum(out.losses.values()).backward()
    assert [name for name, _ in quantizer.named_parameters()] == ['entry_proj.weight', 'entry_proj.bias']
    assert quantizer.entry_proj.weight.grad.abs().sum() > 0
    mapped = F.normalize(words @ quantizer.entry_proj.weight.T + quantizer.entry_proj.bias, dim=-1)
    torch.testing.assert_close(quantizer.decode(torch.arange(7)[:, None]), mapped)
