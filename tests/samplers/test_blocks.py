"Blocks from left to right: the order, the calls, the distribution, and what is refused."

import pytest
import torch
import torch.nn.functional as F
from support.parts import gen

from visual_token_diffusion.core.sampling import sample_categorical
from visual_token_diffusion.diffusion.block import BlockDiffusion
from visual_token_diffusion.diffusion.masked import MaskedDiffusion
from visual_token_diffusion.diffusion.uniform_blocks import UniformBlocks
from visual_token_diffusion.metrics.toy import Denoiser, Toy
from visual_token_diffusion.samplers.base import Sampler
from visual_token_diffusion.samplers.blocks import sample_blocks, sample_uniform_blocks
from visual_token_diffusion.samplers.masked import sample_masked

TOY = Toy(2, 2, 4)
PERFECT = Denoiser(TOY).eval()
START = torch.zeros(6, 12, dtype=torch.long)


def drawing(generator):
    "The toy answers for four places; what is not there yet is masked"

    def denoise(x, mask, where):
        later = TOY.length - x.shape[1]
        x_padded, mask_padded = F.pad(x, (0, later)), F.pad(mask, (0, later), value=True)
        log_probs = PERFECT(x_padded, mask_padded)[:, : x.shape[1]][where]
        ids = sample_categorical(log_probs.exp(), generator)
        return ids, log_probs.gather(1, ids[:, None])[:, 0]

    return denoise


def coin(x, mask, where):
    n = int(where.sum())
    return torch.ones(n, dtype=torch.long), torch.full((n,), -0.7)


@pytest.mark.parametrize('size', [1, 2, 4])
def test_chi_square(size):
    "A call for every token: nothing but chance between the texts and the table"
    n, generator = 6000, gen()
    start = torch.zeros(n, 4, dtype=torch.long)
    *_, last = sample_blocks(drawing(generator), BlockDiffusion(size), start, steps=4, generator=generator)
    counts = torch.bincount(TOY.index(last.x), minlength=len(TOY.p)).double()
    expected = TOY.p * n
    often = expected > 5
    chi = ((counts - expected)[often] ** 2 / expected[often]).sum().item()
    degrees = int(often.sum()) - 1
    assert chi < degrees + 6 * (2 * degrees) ** 0.5


def test_left_to_right_it_is_the_masked_sampler_with_blocks():
    options = dict(steps=4, order='left_to_right')
    *_, a = sample_blocks(drawing(gen(1)), BlockDiffusion(2), START[:, :4], **options)
    *_, b = sample_masked(drawing(gen(1)), None, START[:, :4], block=2, **options)
    assert torch.equal(a.x, b.x)


def test_the_network_sees_texts_that_end_with_a_block():
    seen = []

    def watched(x, mask, where):
        earlier = mask[:, : x.shape[1] - 4]
        seen.append((x.shape[1], int(where[0].sum()), bool(earlier.any())))
        return coin(x, mask, where)

    walk = list(sample_blocks(watched, BlockDiffusion(4), START, steps=5, generator=gen()))
    assert [length for length, _, _ in seen] == [4, 4, 8, 8, 12] and len(walk) == 6
    assert [n for _, n, _ in seen] == [2, 2, 2, 2, 4] and not any(masked for _, _, masked in seen)
    assert all(step.x.shape == START.shape for step in walk) and (walk[-1].x == 1).all()


def test_blocks_that_are_given_take_no_calls():
    mask = torch.zeros_like(START, dtype=torch.bool)
    mask[:, 6:] = True
    walk = list(sample_blocks(coin, BlockDiffusion(4), START, mask=mask, steps=2, generator=gen()))
    assert len(walk) == 3
    assert (walk[-1].x[:, :6] == 0).all()
    assert (walk[-1].x[:, 6:] == 1).all()


def certain(x, t):
    "Token 2 everywhere"
    return torch.full((*x.shape, 4), -40.0).index_fill(-1, torch.tensor([2]), 0.0)


def test_uniform_blocks_write_every_block_and_keep_the_prompt():
    mask = torch.ones_like(START, dtype=torch.bool)
    mask[:, 0] = False
    options = dict(mask=mask, steps=12, generator=gen())
    walk = list(sample_uniform_blocks(certain, UniformBlocks(4, 4), START, **options))
    assert (walk[-1].x[:, 1:] == 2).all()
    assert (walk[-1].x[:, 0] == 0).all()
    assert not walk[-1].mask.any()
    assert len(walk) - 1 == 6  # stable and confident after two calls of each block


REFUSED = [
    (lambda: sample_blocks(coin, MaskedDiffusion(), START), "undoes block, not process 'masked'"),
    (lambda: sample_blocks(coin, None, START), "undoes block, not NoneType"),
    (lambda: sample_uniform_blocks(certain, BlockDiffusion(4), START), "undoes uniform_blocks, not process 'block'"),
    (lambda: sample_blocks(coin, BlockDiffusion(5), START), 'do not divide 12 tokens'),
    (lambda: sample_blocks(coin, BlockDiffusion(2), START, steps=5), '6 blocks need at least 6 steps'),
    (lambda: sample_uniform_blocks(certain, UniformBlocks(4, 4), START, bound=0), 'must be above 0'),
    (lambda: Sampler.make('blocks')(coin, MaskedDiffusion(), START), "undoes block, not process 'masked'"),
    (lambda: Sampler.make('psi')(certain, MaskedDiffusion(), START), 'undoes absorbing and uniform'),
    (lambda: Sampler.make('masked')(coin, UniformBlocks(4), START), 'undoes masked, not'),
]


@pytest.mark.parametrize('make,why', REFUSED, ids=[why for _, why in REFUSED])
def test_what_does_not_fit_is_refused_in_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        list(make())
    assert '\n' not in str(e.value)
