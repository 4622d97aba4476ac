"The network on noisy grids, its training and its samples."

import pytest
import torch
from support.grids import gen, grid_model, grid_space
from support.noise import F64

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion
from visual_token_diffusion.diffusion.gaussian_schedules import PiecewiseLogSNR
from visual_token_diffusion.diffusion.per_token_times import PerTokenTimes
from visual_token_diffusion.encoders.icon_choice import IconLexicon, choose_icons
from visual_token_diffusion.encoders.pictograms import PictogramEncoder
from visual_token_diffusion.models.grid_denoiser import GridDenoiser
from visual_token_diffusion.models.grid_space import GridSpace
from visual_token_diffusion.models.grid_training import train_grid_denoiser


def test_likelihood_is_the_gaussian_density():
    space = grid_space()
    x = space(torch.arange(20)).double()
    z = 0.4 * x[:7] + 0.8 * torch.randn(7, 3, 8, 8, generator=gen(), **F64)
    for a, s in torch.tensor([(0.4, 0.8), (0.05, 0.99), (0.9, 0.3)], **F64):
        distance = (z[:, None] - a * x).square().flatten(2).sum(2)
        slow = (-distance / (2 * s**2)).log_softmax(1)
        fast = space.log_likelihood(z, a, s).log_softmax(1)
        torch.testing.assert_close(fast, slow, atol=2e-3, rtol=1e-4)


def test_expected_grid_and_decoding():
    space = grid_space()
    p = torch.rand(3, 20, generator=gen())
    p /= p.sum(1, keepdim=True)
    slow = torch.einsum('bv,vcij->bcij', p, space(torch.arange(20)))
    torch.testing.assert_close(space.expected(p), slow, atol=1e-5, rtol=1e-5)
    assert (space.nearest(space(torch.arange(20))) == torch.arange(20)).all()


@pytest.mark.parametrize('how', ['mean', 'sample', 'nearest'])
def test_samples_are_repeatable(how):
    model, t = grid_model(PerTokenTimes(PiecewiseLogSNR([4.0, -9.0]), 6, 2.0)), torch.linspace(
        1, 0, 9, **F64
    )
    *_, first = model.sample(3, 6, t, how=how, generator=gen())
    *_, again = model.sample(3, 6, t, how=how, generator=gen())
    assert (model.decode(first) == model.decode(again)).all()
    assert model.decode(first).shape == (3, 6) and first.confidence.shape == (3, 6)


@pytest.mark.parametrize(
    'bad', [dict(inputs='letters'), dict(outputs='letters'), dict(head='none')]
)
def test_bad_choices_are_one_line(bad):
    with pytest.raises(ValueError) as e:
        GridDenoiser(grid_space(), None, torch.ones(20), 16, 1, 2, **bad)
    assert '\n' not in str(e.value)


def test_bad_ways_to_predict_are_one_line():
    with pytest.raises(ValueError, match='mean, sample or nearest'):
        grid_model(GaussianDiffusion()).denoiser('guess')


@pytest.mark.parametrize(
    'options',
    [
        dict(),
        dict(inputs='pixels'),
        dict(outputs='pixels'),
        dict(head='hierarchical'),
        dict(self_conditioning=True),
        dict(bayes=False),
    ],
    ids=str,
)
def test_every_variant_trains(options):
    model = grid_model(GaussianDiffusion(PiecewiseLogSNR([2.0, -9.0])), **options)
    before = [p.detach().clone() for p in model.parameters()]
    train_grid_denoiser(model, lambda g: torch.randint(20, (4, 6), generator=g), 3)
    assert any((a != b).any() for a, b in zip(before, model.parameters()))
    assert all(p.isfinite().all() for p in model.parameters())


def test_a_fault_puts_the_model_back():
    model = grid_model(GaussianDiffusion(PiecewiseLogSNR([2.0, -9.0])))
    before = model.backbone.blocks[0].up.weight.clone()

    def batches(g):
        model.token_embed.data[:] = torch.nan
        return torch.randint(20, (4, 6), generator=g)

    with pytest.raises(ValueError, match='the loss of batch 1 is nan'):
        train_grid_denoiser(model, batches, 3)
    assert torch.equal(model.backbone.blocks[0].up.weight, before)
    assert model.token_embed.isfinite().all()


def pictogram_space():
    words = ['cat', 'dog', 'king', 'house', 'the', 'sleeps']
    choice = choose_icons(words, 14, lexicon=IconLexicon(emoji=False))
    return GridSpace(PictogramEncoder(random_codes(6, 3, generator=gen()), 16, choice.icons, choice.icon_of))


def test_pictograms_are_kept_whole_and_their_likelihood_is_the_gaussian_density():
    space = pictogram_space()
    x = space(torch.arange(6)).double()
    assert (space.nearest(space(torch.arange(6))) == torch.arange(6)).all()
    z = 0.4 * x + 0.8 * torch.randn(6, 3, 16, 16, generator=gen(), **F64)
    a, s = torch.tensor((0.4, 0.8), **F64)
    distance = (z[:, None] - a * x).square().flatten(2).sum(2)
    slow = (-distance / (2 * s**2)).log_softmax(1)
    fast = space.log_likelihood(z, a, s).log_softmax(1)
    torch.testing.assert_close(fast, slow, atol=2e-3, rtol=1e-4)
    p = torch.rand(2, 6, generator=gen()).softmax(1)
    mean = (p @ x.float().flatten(1)).view(2, 3, 16, 16)
    torch.testing.assert_close(space.expected(p), mean, atol=1e-5, rtol=1e-5)


def test_a_model_paints_pictograms_and_is_the_same_after_saving():
    process = GaussianDiffusion(PiecewiseLogSNR([6.0, -14.0]))
    model = GridDenoiser(pictogram_space(), process, torch.ones(6), 16, 1, 2)
    train_grid_denoiser(model, lambda g: torch.randint(6, (4, 5), generator=g), 2)
    *_, last = model.sample(2, 5, torch.linspace(1, 0, 4, **F64), generator=gen())
    assert model.decode(last).shape == (2, 5) and last.pred.shape == (2, 5, 3, 16, 16)
    other = GridDenoiser(pictogram_space(), process, torch.ones(6), 16, 1, 2)
    other.load_state_dict(model.state_dict())
    *_, again = other.eval().sample(2, 5, torch.linspace(1, 0, 4, **F64), generator=gen())
    assert (other.decode(again) == model.decode(last)).all()


def test_what_cannot_be_painted_is_refused_in_one_line():
    many = PictogramEncoder(random_codes(400_000, 3, generator=gen()), 16)
    for encoder, said in ((many, '400,000 grids of 16 x 16'), (torch.nn.Linear(2, 2), 'Linear has no square grid')):
        with pytest.raises(CombinationError, match=said) as e:
            GridSpace(encoder)
        assert '\n' not in str(e.value)
