"Rectified flow over latents: standardizing, shapes, the loss, and what it learns."

import pytest
import torch

from visual_token_diffusion.models.latent_flow import LatentFlow


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def flow(dim=3, places=2, **kwargs):
    torch.manual_seed(0)
    return LatentFlow(places, dim, width=16, depth=1, **kwargs)


def latents(n=64):
    std, mean = torch.tensor([1.0, 10.0, 0.1]), torch.tensor([0.0, 5.0, -2.0])
    return torch.randn(n, 2, 3, generator=gen()) * std + mean


def test_channels_are_standardized():
    model = flow().fit(latents(), steps=0)
    x = model.standardize(latents())
    torch.testing.assert_close(x.mean((0, 1)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(x.std((0, 1)), torch.ones(3), atol=1e-4, rtol=0)


def test_a_channel_that_never_moves_stays_finite():
    model = flow().fit(torch.ones(8, 2, 3), steps=1, batch=4)
    assert model.sample(4, 3).isfinite().all()


def test_the_loss_is_the_error_of_noise_less_data():
    model, x = flow(), torch.randn(4, 2, 3, generator=gen(3))
    g = gen(1)
    u = torch.rand((), generator=g, dtype=torch.float64)
    t = 1 - (u + torch.arange(4, dtype=torch.float64)) / 4
    noise = torch.randn(x.shape, generator=g)
    assert torch.all(model(x, t) == 0)  # before training it says no velocity
    torch.testing.assert_close(model.loss(x, gen(1)), (noise - x).square().mean())


def test_samples_of_an_untrained_flow_are_noise_in_the_units_of_the_data():
    model = flow().fit(latents(), steps=0)
    noise = torch.randn(5, 2, 3, generator=gen(7))
    torch.testing.assert_close(model.sample(5, 4, seed=7), noise * model.std + model.mean)


def test_one_seed_one_result():
    a, b = (flow().fit(latents(), 3, 5).sample(4, 3, 2) for _ in range(2))
    assert torch.equal(a, b) and a.shape == (4, 2, 3)


def test_times_go_through_the_map_in_training_and_sampling():
    seen = []

    def late(t):
        seen.append(t)
        return t**0.5

    model = flow(time_map=late)
    model.loss(torch.randn(4, 2, 3), gen())
    model.sample(2, 5)
    assert [len(t) for t in seen] == [4, 6] and seen[1][0] == 1 and seen[1][-1] == 0


def test_it_finds_two_points():
    points = torch.tensor([[[-1.0], [1.0]], [[1.0], [-1.0]]])
    data = points.repeat(8, 1, 1)
    torch.manual_seed(0)
    model = LatentFlow(2, 1, width=16, depth=1).fit(data, 300, batch=32, lr=1e-2)
    drawn = model.sample(64, 20)
    near = (drawn[:, None] - points).flatten(2).norm(dim=2).min(1)
    assert (near.values < 0.35).float().mean() > 0.8 and len(near.indices.unique()) == 2


def test_other_latents_are_refused():
    for shape in ((4, 2, 4), (4, 3, 3), (2, 3), (1, 2, 3)):
        with pytest.raises(ValueError, match='expected two or more rows'):
            flow().fit(torch.zeros(shape))
