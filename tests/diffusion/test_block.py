"Block diffusion: the published mask, two streams that say what sampling sees, and the chain rule at a block of one."

import pytest
import torch
from support.parts import V, features, gen, shaken, table
from support.toys import perfect_model

from visual_token_diffusion.diffusion.block import (
    BlockDiffusion, block_diffusion, block_neighbors, block_states, block_times, mask_share,
)
from visual_token_diffusion.diffusion.masked import MaskedDiffusion
from visual_token_diffusion.metrics.toy import Toy
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.models.sequence import SequenceModel
from visual_token_diffusion.networks.attention_masks import dense
from visual_token_diffusion.networks.embeddings import FeatureEmbedding, LogBilinear, TokenEmbedding
from visual_token_diffusion.networks.heads.base import Head
from visual_token_diffusion.networks.heads.flat import FlatHead

L, WIDTH = 12, 16
SIZES = (1, 2, 3, 4, 6, 12)
IDS = torch.randint(V, (3, L), generator=gen(1))


def published(length, size):
    "The three masks of the paper's section on training, one entry after the other"
    rows = []
    for q in range(2 * length):
        row = []
        for k in range(2 * length):
            q_clean, k_clean = q >= length, k >= length
            block_q, block_k = q % length // size, k % length // size
            diagonal = block_q == block_k and q_clean == k_clean
            offset_causal = block_q > block_k and k_clean and not q_clean
            causal = block_q >= block_k and k_clean and q_clean
            row.append(diagonal or offset_causal or causal)
        rows.append(row)
    return rows


@pytest.mark.parametrize('size', SIZES)
def test_the_mask_is_the_published_one(size):
    assert dense(block_diffusion(L, size), 2 * L)[0, 0].tolist() == published(L, size)


def small(size, skip=False):
    "Random weights; with a skip connection the head of the packaged model"
    torch.manual_seed(0)
    process = BlockDiffusion(size)
    if not skip:
        parts = TokenEmbedding(V, WIDTH), FlatHead(V, WIDTH)
        return shaken(SequenceModel(*parts, WIDTH, 2, 2, process=process)).eval()
    embed = FeatureEmbedding(table(), features(), WIDTH)
    head = Head.part('feature_tree').build(table=table(), width=WIDTH, features=features())
    linear = LogBilinear(features().shape[1], (-2, -1, 1, 2))
    return shaken(SequenceModel(embed, head, WIDTH, 2, 2, skip=linear, process=process)).eval()


@torch.no_grad()
@pytest.mark.parametrize('skip', [False, True])
@pytest.mark.parametrize('size', SIZES)
def test_two_streams_say_what_sampling_sees(size, skip):
    "All blocks at once, or a text that ends with the block: neighbors, skip connection and attention agree"
    model, mask = small(size, skip), torch.rand(3, L, generator=gen(2)) < 0.5
    at_once = block_states(model, IDS, mask, size)
    for end in range(size, L + 1, size):
        earlier = torch.arange(end) < end - size
        alone = model.hidden_states(IDS[:, :end], mask[:, :end] & ~earlier)
        torch.testing.assert_close(at_once[:, end - size:end], alone[:, end - size:], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_row_with_all_later_blocks_masked_is_the_same():
    model, mask = small(4), torch.rand(3, L, generator=gen(2)) < 0.5
    at_once, place = block_states(model, IDS, mask, 4), torch.arange(L) // 4
    for block in range(3):
        h = model.hidden_states(IDS, mask & (place == block) | (place > block))
        here = place == block
        torch.testing.assert_close(at_once[:, here], h[:, here], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_masked_and_later_tokens_are_not_seen():
    model, mask = small(4), torch.rand(3, L, generator=gen(2)) < 0.5
    other = torch.where(mask & (torch.arange(L) >= 8), (IDS + 1) % V, IDS)
    torch.testing.assert_close(block_states(model, IDS, mask, 4), block_states(model, other, mask, 4))
    later = IDS.clone()
    later[:, 8:] = (later[:, 8:] + 1) % V
    a, b = block_states(model, IDS, mask, 4), block_states(model, later, mask, 4)
    torch.testing.assert_close(a[:, :8], b[:, :8])
    assert not torch.allclose(a[:, 8:], b[:, 8:], atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize('skip', [False, True])
def test_a_block_of_one_is_autoregressive(skip):
    "With the same weights: the loss is the chain rule, whatever the times, and sums to one over all pairs"
    model = small(1, skip)
    draws = [model.process.corrupt(IDS, torch.rand(3), generator=gen(seed)) for seed in (1, 2)]
    losses = [model.process.loss(model, IDS, noisy) for noisy in draws]
    torch.testing.assert_close(*losses, rtol=0, atol=0)
    chain = 0.0
    for i in range(L):
        h = model.hidden_states(IDS[:, : i + 1], (torch.arange(i + 1) == i).expand(3, -1))
        chain = chain + model.head.nll(h[:, i], IDS[:, i])
    torch.testing.assert_close(losses[0], chain.to(losses[0]), rtol=1e-5, atol=1e-4)
    pairs = torch.cartesian_prod(torch.arange(V), torch.arange(V))
    nll = model.process.loss(model, pairs, model.process.corrupt(pairs, torch.ones(len(pairs))))
    assert abs(float((-nll.double()).exp().sum()) - 1) < 1e-4


@torch.no_grad()
def test_one_block_is_masked_diffusion():
    "Same weights, same masks, same loss"
    model = small(L)
    noisy = MaskedDiffusion().corrupt(IDS, torch.tensor([0.2, 0.6, 1.0]), generator=gen())
    mine = noisy._replace(weight=noisy.weight[:, None])
    model_of_masks = small(L)
    model_of_masks.process = MaskedDiffusion()
    expected = model_of_masks.process.loss(model_of_masks, IDS, noisy)
    torch.testing.assert_close(model.process.loss(model, IDS, mine), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('size', [1, 2, 4])
def test_the_exact_bound_of_a_perfect_denoiser_is_the_truth(size):
    toy = Toy(2, 2, 4)
    bound = BlockDiffusion(size).exact_nelbo(perfect_model(toy), toy.seqs)
    torch.testing.assert_close(bound, -toy.p.log(), rtol=0, atol=1e-9)


@torch.no_grad()
def test_the_exact_bound_is_the_mean_of_the_loss():
    model, n = small(4), 4000
    process, ids = model.process, IDS[:1, :4]
    t = 1 - torch.rand(n, generator=gen(), dtype=torch.double)
    many = ids.expand(n, -1)
    nats = process.loss(model, many, process.corrupt(many, t, generator=gen(1)))
    exact = process.exact_nelbo(model, ids)
    assert abs(nats.mean() - exact) < 4 * nats.std() / n**0.5


def test_times_are_uniform_for_each_block():
    t = 1 - torch.rand(20_000, generator=gen(), dtype=torch.double)
    times = block_times(t, 4)
    assert times.min() > 0 and times.max() <= 1
    assert (times.mean(0) - 0.5).abs().max() < 0.01
    spread = times.sort(1).values.diff(dim=1)
    torch.testing.assert_close(spread, torch.full_like(spread, 0.25))


def test_shares_are_kept_and_weighed():
    maskable = torch.ones(4000, 8, dtype=torch.bool)
    t = 1 - torch.rand(4000, generator=gen(), dtype=torch.double)
    mask, weight = mask_share(maskable, t, (0.3, 0.8), gen(1))
    assert set(mask.sum(1).tolist()) == {3, 4, 5, 6}
    torch.testing.assert_close(weight, 8 / mask.sum(1).double())
    counts = mask_share(maskable, t, (0, 1), gen(1))[0].sum(1)
    assert set(counts.tolist()) == set(range(1, 9))
    assert torch.bincount(counts, minlength=9)[1:].min() > 400


@pytest.mark.parametrize('offset', [-2, -1, 1, 2])
def test_neighbors(offset):
    index, seen = block_neighbors(6, 3, offset)
    for i in range(6):
        j = i + offset
        here = 0 <= j < 6 and j // 3 <= i // 3
        assert seen[i] == here and seen[i + 6] == here
        if here:
            assert index[i] == (j if j // 3 == i // 3 else j + 6) and index[i + 6] == j + 6


BAD = [
    (lambda: BlockDiffusion(0), 'at least 1 position'),
    (lambda: BlockDiffusion(4, (0.5, 0.5)), 'low < high'),
    (lambda: BlockDiffusion(4, (-0.1, 0.5)), 'low < high'),
    (lambda: BlockDiffusion(4, (0.5, 1.5)), 'low < high'),
    (lambda: BlockDiffusion(5).corrupt(IDS, torch.ones(3)), 'do not divide 12 tokens; take one of 1, 2, 3, 4, 6'),
    (lambda: BlockDiffusion(12).exact_nelbo(small(12), IDS), 'at most 10'),
    (lambda: block_diffusion(4, 0), 'at least 1 position'),
]


@pytest.mark.parametrize('make,why', BAD, ids=[why for _, why in BAD])
def test_what_cannot_be_cut_is_refused_in_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)


def test_a_training_with_rows_that_blocks_do_not_divide_is_refused():
    from visual_token_diffusion.core.config import load_settings
    from visual_token_diffusion.text.vocab import make_vocab

    vocab = make_vocab('words', 'the cat sees the dog\n' * 20)
    ids = torch.tensor(vocab.encode('the cat sees the dog\n' * 20))
    cfg = load_settings('ci', ['process=block', 'length=30', 'width=16', 'heads=1', 'depth=1', 'feature_dim=8'])
    with pytest.raises(ValueError, match='do not divide 30 tokens'):
        build_model(vocab, ids, cfg)
