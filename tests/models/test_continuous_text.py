"Models of noisy grids: blocks, one network for denoiser and decoder, the ideal denoiser, one-hots."

import itertools

import pytest
import torch
from support.grids import gen, grid_space

from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion
from visual_token_diffusion.diffusion.gaussian_schedules import PiecewiseLogSNR
from visual_token_diffusion.models.block_grid_denoiser import BlockGridDenoiser, block_table
from visual_token_diffusion.models.denoiser_decoder import DenoiserDecoder, ScaledPath
from visual_token_diffusion.models.exact_grid_denoiser import (
    ExactGridDenoiser,
    rows_log_probs,
    rows_posterior,
    windows_log_probs,
    windows_posterior,
)
from visual_token_diffusion.models.grid_denoiser import GridDenoiser
from visual_token_diffusion.models.grid_space import GridSpace
from visual_token_diffusion.models.one_hot_grids import OneHotGrids
from visual_token_diffusion.worlds.pcfg import Grammar
from visual_token_diffusion.worlds.windows import TextWindows

COUNTS = torch.arange(1.0, 21.0)
BAND = PiecewiseLogSNR([2.0, -4.0, -12.0])
SMALL = dict(width=16, depth=2, heads=2)


def blocks(block, length=6):
    torch.manual_seed(0)
    process = GaussianDiffusion(BAND, 'x0')
    model = BlockGridDenoiser(grid_space(), process, COUNTS, length, block, **SMALL).eval()
    torch.nn.init.normal_(model.head.out.weight, std=0.5)  # without training it says frequencies
    return model


def test_one_hot_grids_are_unit_vectors_that_decode():
    for vocab_size in (2, 20, 193):
        grids = OneHotGrids(vocab_size)
        x = grids(torch.arange(vocab_size))
        assert x.shape == (vocab_size, 3, grids.size, grids.size) and 3 * (grids.size - 1) ** 2 < vocab_size
        torch.testing.assert_close(x.flatten(1) @ x.flatten(1).T, torch.eye(vocab_size))
        assert (NearestDecoder(grids).decode(x) == torch.arange(vocab_size)).all()
        space = GridSpace(grids)
        assert (space.nearest(space(torch.arange(vocab_size))) == torch.arange(vocab_size)).all()
    with pytest.raises(ValueError, match='two tokens'):
        OneHotGrids(1)


def test_table_of_blocks():
    table = block_table(4, 2)[0, 0].int().tolist()
    assert table == [
        [1, 1, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0],
        [1, 1, 0, 0, 0, 0, 1, 1],
        [1, 1, 0, 0, 0, 0, 1, 1],
    ]


@pytest.mark.parametrize('block', [0, 4, 7])
def test_blocks_that_do_not_divide(block):
    with pytest.raises(ValueError, match=f'divide a row of 6 grids, got {block}'):
        block_table(6, block)


@pytest.mark.parametrize('block', [1, 2, 3])
def test_a_block_sees_what_is_before_it_and_itself(block):
    model = blocks(block)
    ids = torch.randint(20, (1, 6), generator=gen())
    z = torch.randn(1, 6, 3, 8, 8, generator=gen())
    t = torch.full((1, 6 // block), 0.5)
    place = torch.arange(6) // block
    plain = model.log_probs(ids, z, t)
    for i in range(6):
        other, noisy = ids.clone(), z.clone()
        other[0, i], noisy[0, i] = (ids[0, i] + 1) % 20, 1.0
        clean_moves = (model.log_probs(other, z, t) != plain).any(2)[0]
        noisy_moves = (model.log_probs(ids, noisy, t) != plain).any(2)[0]
        assert clean_moves.tolist() == (place > place[i]).tolist()
        assert noisy_moves.tolist() == (place == place[i]).tolist()


def test_all_models_have_the_same_parameters():
    plain = GridDenoiser(grid_space(), GaussianDiffusion(BAND, 'x0'), COUNTS, **SMALL)
    count = lambda model: sum(p.numel() for p in model.parameters())
    assert count(blocks(2)) == count(blocks(1)) == count(plain)


def test_block_times_are_spread_over_a_row():
    t = blocks(1).block_times(torch.tensor([0.1, 0.7]), gen()).sort(1).values
    assert t.shape == (2, 6)
    torch.testing.assert_close(t.diff(dim=1), torch.full((2, 5), 1 / 6))


def test_blocks_write_rows_again():
    times = torch.linspace(1, 0, 4, dtype=torch.double)
    first, again = (blocks(3).write(5, times, gen()) for _ in range(2))
    assert first.shape == (5, 6) and (first == again).all()


def test_a_trained_block_of_one_writes_the_language():
    model = blocks(1, length=2).train()
    opt = torch.optim.Adam(model.parameters(), 1e-2)
    pairs = torch.tensor([[3, 4], [5, 6]])
    for step in range(100):
        ids = pairs[torch.randint(2, (16,), generator=gen(step))]
        loss = model.loss(ids, torch.rand(16, generator=gen(step)), gen(step)).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    written = model.eval().write(200, torch.linspace(1, 0, 5, dtype=torch.double), gen())
    fits = (written[:, None] == pairs).all(2).any(1).double().mean()
    assert fits > 0.9
    assert 0.3 < (written[:, 0] == 3).double().mean() < 0.7


def elf(**options):
    torch.manual_seed(0)
    return DenoiserDecoder(grid_space(), COUNTS, **(SMALL | options)).eval()


def test_published_settings_are_the_defaults():
    model = elf()
    assert (model.decoder_share, model.time_floor, model.decoder_noise_scale) == (0.2, 0.05, 5.0)
    assert (model.times, model.decoder_times) == ((-1.5, 0.8), (0.8, 0.8))
    assert model.process.schedule.scale == 2.0


def test_both_losses_train_the_same_backbone():
    model, ids = elf(), torch.randint(20, (4, 6), generator=gen())
    torch.nn.init.normal_(model.head.out.weight)
    for loss, own in ((model.denoiser_loss, 'pixel_out.weight'), (model.decoder_loss, 'head.out.weight')):
        model.zero_grad()
        loss(ids, gen()).mean().backward()
        moved = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        assert {own, 'pixel_proj.weight', 'backbone.blocks.0.up.weight'} <= moved


def test_the_share_of_decoder_steps():
    ids = torch.randint(20, (4, 6), generator=gen())
    for share, name in ((0.0, 'denoiser_loss'), (1.0, 'decoder_loss')):
        model, g = elf(decoder_share=share), gen(3)
        torch.rand((), generator=gen(3))
        value = model.loss(ids, None, gen(3))
        torch.rand((), generator=g)
        torch.testing.assert_close(value, getattr(model, name)(ids, g))


def test_the_denoisers_loss_is_the_error_of_the_velocity():
    "|v_hat - v|^2 with v = (x - z)/remaining is |x_hat - x|^2 over the squared remaining time"
    model, ids = elf(), torch.randint(20, (3, 6), generator=gen())
    x, g = model.space(ids), gen(5)
    remaining = 1 - torch.sigmoid(-1.5 + 0.8 * torch.randn(3, generator=g))
    noise = torch.randn(x.shape, generator=g)
    wide = remaining.view(-1, 1, 1, 1, 1)
    z = (1 - wide) * x + 2.0 * wide * noise
    floor = wide.clamp(min=0.05)
    velocity, predicted = (x - z) / floor, (model(z, remaining) - z) / floor
    own = (predicted - velocity).square().flatten(1).mean(1)
    torch.testing.assert_close(model.denoiser_loss(ids, gen(5)), own, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    'bad',
    [
        dict(decoder_share=1.5),
        dict(decoder_share=-0.1),
        dict(time_floor=0.0),
        dict(noise_scale=0.0),
        dict(decoder_noise_scale=-1.0),
        dict(time_std=0.0),
    ],
)
def test_bad_settings_are_one_line(bad):
    with pytest.raises(ValueError) as e:
        elf(**bad)
    assert '\n' not in str(e.value) and 'got' in str(e.value)


def test_the_path_to_noise_of_any_size():
    t = torch.tensor([0.25], dtype=torch.double)
    alpha, sigma = ScaledPath(5.0).alpha_sigma(t)
    assert (float(alpha), float(sigma)) == (0.75, 1.25)


RULES = 'S -> a B [.5] | b a [.3] | B b B [.2]\nB -> a [.4] | b [.6]'


def all_windows(windows, length):
    "Every row of words and ends that the language has, and its probability"
    rows = torch.tensor(list(itertools.product(range(windows.end + 1), repeat=length)))
    p = windows.log_probs(rows).exp()
    return rows[p > 0], p[p > 0]


def test_ideal_denoisers_of_a_grammar_and_of_a_list_agree():
    windows = TextWindows(Grammar(RULES))
    rows, p = all_windows(windows, 4)
    torch.testing.assert_close(p.sum(), torch.ones((), dtype=torch.double))
    likelihood = 3 * torch.randn(5, 4, windows.end + 1, generator=gen())
    by_list, by_grammar = rows_posterior(rows, p)(likelihood), windows_posterior(windows)(likelihood)
    torch.testing.assert_close(by_list, by_grammar, atol=1e-9, rtol=0)
    log_probs = rows_log_probs(rows, p)(likelihood), windows_log_probs(windows)(likelihood)
    torch.testing.assert_close(*log_probs, atol=1e-6, rtol=0)


def test_the_bound_of_the_ideal_denoiser_is_the_entropy():
    rows = torch.randint(20, (8, 3), generator=gen())
    p = torch.rand(8, generator=gen(1), dtype=torch.double)
    p /= p.sum()
    band = PiecewiseLogSNR(torch.linspace(3.0, -10.0, 9))
    ideal = ExactGridDenoiser(grid_space(), GaussianDiffusion(band, 'x0'), rows_posterior(rows, p))
    drawn = torch.multinomial(p, 512, True, generator=gen())
    gap = ideal.nelbo(rows[drawn], band, 8, gen()) + p.log()[drawn]
    assert abs(gap.mean()) < 4 * gap.std() / 512**0.5
    times = ideal.process.schedule.time_of(band.log_snr(torch.linspace(1, 0, 33, dtype=torch.double)))
    *_, last = ideal.sample(256, 3, times, generator=gen())
    written = ideal.decode(last)
    share = torch.stack([(written == row).all(1).double().mean() for row in rows])
    assert share.sum() > 0.99
    torch.testing.assert_close(share, p, atol=0.12, rtol=0)
