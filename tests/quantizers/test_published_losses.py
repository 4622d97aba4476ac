"""Quantizers of published systems against their formulas, written out entry by entry.

Read, not copied: TencentARC/SEED-Voken b9a17ea, lucidrains/vector-quantize-pytorch 0d7d1aa,
FoundationVision/UniTok bb8012e, ByteVisionLab/TokenFlow 9812da0, showlab/FQGAN dc34256,
google-research/google-research 5e78683 (FSQ)."""

import math

import pytest
import torch
import torch.nn.functional as F

from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.lfq import LFQ
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


def lfq_probabilities(z, bits, temperature):
    "(N,2^bits) double: softmax over all corners, entry by entry; bit k of a code is number k"
    codes = range(2**bits)
    corners = torch.tensor([[1.0 if code >> k & 1 else -1.0 for k in range(bits)] for code in codes])
    return (2 * z @ corners.double().T / temperature).softmax(-1)


@pytest.mark.parametrize('bits,temperature', [(4, 0.01), (6, 0.3), (10, 1.0)])
def test_lookup_free_entropies(bits, temperature):
    "Per vector and of the batch (Open-MAGVIT2 and lucidrains, without what they add to avoid log 0)"
    z = randn(40, bits, seed=4).double()
    p = lfq_probabilities(z, bits, temperature)
    own = -torch.special.xlogy(p, p).sum(-1).mean()
    shared = -torch.special.xlogy(p.mean(0), p.mean(0)).sum()
    quantizer = LFQ(bits, temperature=temperature).double()
    got = torch.stack(quantizer.entropies(z))
    torch.testing.assert_close(got, torch.stack([own, shared]), rtol=0, atol=1e-6)
    losses = quantizer(z).losses
    torch.testing.assert_close(losses['entropy'], 0.1 * (own - shared), rtol=0, atol=1e-6)
    signs = torch.where(z > 0, 1.0, -1.0)
    torch.testing.assert_close(losses['commitment'], 0.25 * F.mse_loss(z, signs))


def test_each_lookup_free_codebook_has_its_own_batch_entropy():
    "As lucidrains; Open-MAGVIT2 takes one distribution for all codebooks"
    z = randn(30, 8, seed=5).double()
    each = [lfq_probabilities(part, 4, 0.5).mean(0) for part in z.split(4, -1)]
    shared = LFQ(4, 2, temperature=0.5).double().entropies(z)[1]
    torch.testing.assert_close(shared, torch.stack([entropy(p) for p in each]).mean())


@pytest.mark.parametrize('temperature', [0.3, 1.0])
def test_factorized_batch_entropy_is_an_upper_bound(temperature):
    z = randn(50, 6, seed=6).double()
    options = dict(n_codebooks=2, temperature=temperature)
    exact = LFQ(3, **options).double().entropies(z)
    bits = LFQ(3, batch_entropy='factorized', **options).double().entropies(z)
    on = (4 * z / temperature).sigmoid().mean(0)
    want = entropy(torch.stack([on, 1 - on], -1)).view(2, 3).sum(1).mean()
    torch.testing.assert_close(bits[1], want)
    assert bits[0] == exact[0] and bits[1] >= exact[1]


def test_factorized_batch_entropy_is_exact_for_independent_bits():
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 0.3])] * 5).double()
    pairs = [LFQ(5, batch_entropy=how).double().entropies(corners)[1] for how in ('exact', 'factorized')]
    torch.testing.assert_close(*pairs)


def test_eighteen_bits():
    z = randn(16, 18, seed=7)
    exact, bits = [LFQ(18, temperature=0.5, batch_entropy=how) for how in ('exact', 'factorized')]
    assert bits.entropies(z)[1] >= exact.entropies(z)[1]
    codes = bits.encode(z)
    assert torch.equal(bits.encode(bits.decode(codes)), codes) and codes.max() < 2**18
    with pytest.raises(ValueError, match='10000 vectors of 24 bits needs about .* GB') as e:
        LFQ(24).entropies(torch.zeros(10_000, 24))
    assert '\n' not in str(e.value)


def test_fqgan_adds_the_losses_of_its_factors():
    "One quantizer for each factor there, losses side by side; `reduction='sum'` here"
    z, generator = randn(9, 8, seed=8), torch.Generator().manual_seed(9)
    options = dict(entropy_weight=0.03, eps=1e-5, temperature=0.1)
    both = MultiCodebookQuantizer(8, 5, 2, reduction='sum', generator=generator, **options)
    mean = MultiCodebookQuantizer(8, 5, 2, **options)
    mean.load_state_dict(both.state_dict())
    total = {}
    for m, part in enumerate(z.split(4, -1)):
        one = MultiCodebookQuantizer(4, 5, 1, **options)
        with torch.no_grad():
            one.codebooks.copy_(both.codebooks[m : m + 1])
        for name, loss in one(part).losses.items():
            total[name] = total.get(name, 0) + loss
    found = both(z).losses
    assert set(found) == set(total) == {'commitment', 'codebook', 'entropy'}
    for name, loss in total.items():
        torch.testing.assert_close(found[name], loss)
        torch.testing.assert_close(mean(z).losses[name], loss / 2)
    with pytest.raises(ValueError, match='reduction is one of mean, sum'):
        MultiCodebookQuantizer(8, 5, 2, reduction='none')


def test_the_constant_of_open_magvit2_in_the_batch_entropy():
    "Added within the logarithm of the mean; in the first entropy its constant changes nothing (a softmax is shifted)"
    bits, eps = 12, 1e-5
    z = 0.005 * randn(40, bits, seed=10).double()
    p = lfq_probabilities(z, bits, 0.01)
    want = entropy(p).mean(), entropy(p.mean(0), eps)
    got = LFQ(bits, temperature=0.01, eps=eps).double().entropies(z)
    torch.testing.assert_close(torch.stack(got), torch.stack(want), rtol=0, atol=1e-6)
    exact = LFQ(bits, temperature=0.01).double().entropies(z)
    assert exact[1] - got[1] > 1e-2 and exact[0] == got[0]


def test_lucidrains_raises_small_probabilities_and_counts_bits_from_the_other_end():
    bits = 8
    z = 0.02 * randn(40, bits, seed=11).double()
    p = lfq_probabilities(z, bits, 0.01)
    own, shared = LFQ(bits, temperature=0.01).double().entropies(z)
    pair = p, p.mean(0, keepdim=True)
    clamped = [(q * q.clamp(min=1e-5).log()).sum(-1).mean() for q in pair]
    assert 0 <= own + clamped[0] < 1e-3 and 0 <= shared + clamped[1] < 1e-3
    powers = 2 ** torch.arange(bits - 1, -1, -1)
    theirs = ((z > 0) * powers).sum(-1)
    ours = LFQ(bits).encode(z)[:, 0]
    turned = [(ours >> k & 1) << (bits - 1 - k) for k in range(bits)]
    assert torch.equal(theirs, sum(turned))


@pytest.mark.parametrize('levels', [(8, 5, 5, 5), (2, 3, 4), (7,), (2, 2)])
def test_fsq_of_the_notebook(levels):
    "Half the range a thousandth smaller, and the tangent as the shift of even levels"
    z = 3 * randn(60, len(levels), seed=12).double()
    out = FSQ(levels, 'tan')(z)
    for j, L in enumerate(levels):
        half, offset = (L - 1) * 0.999 / 2, 0.0 if L % 2 else 0.5
        want = (torch.tanh(z[:, j] + math.tan(offset / half)) * half - offset).round()
        assert torch.equal(out.codes[:, j], want.long() + L // 2)
        torch.testing.assert_close(out.z[:, j], want / (L // 2))
    with pytest.raises(ValueError, match='shift is one of atanh, tan'):
        FSQ(levels, 'sin')
