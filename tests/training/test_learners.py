"Factories: batches, losses and pictures of the three learners."

import inspect

import matplotlib.pyplot as plt
import pytest
import torch
from support.training import fit

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.diffusion.base import Corrupted
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.patch import PatchTokenizer
from visual_token_diffusion.training import path_callbacks
from visual_token_diffusion.training.dataloaders import split_text, text_dls
from visual_token_diffusion.training.language_model import lm_learner
from visual_token_diffusion.training.learners import (
    PatchDenoiser,
    denoised,
    diffusion_learner,
    noise_loss,
    sample_pictures,
    scene_accuracy,
    tokenizer_learner,
)
from visual_token_diffusion.training.pictures import world_dls
from visual_token_diffusion.worlds.captions import World
from visual_token_diffusion.worlds.stories import story_text

cfg = load_settings(
    'ci',
    [
        'batch=8',
        'steps=24',
        'epochs=2',
        'valid_sequences=16',
        'unit=words',
        'length=16',
        'width=16',
        'heads=1',
        'depth=1',
    ],
)


def quiet(learn, f):
    with learn.no_bar(), learn.no_logging():
        return f()


def language():
    text = story_text(600, torch.Generator().manual_seed(0))
    dls = text_dls(text, cfg)
    return lm_learner(dls, build_model(dls.vocab, split_text(text, cfg)[1], cfg), cfg)


def tokenizing():
    torch.manual_seed(0)
    model = PatchTokenizer(VectorQuantizer(8, 16), width=16)
    return tokenizer_learner(world_dls(World(1), cfg, 24), model)


def diffusing(process=None):
    torch.manual_seed(0)
    model = PatchDenoiser(24, 8, 16, 1, 1)
    return diffusion_learner(world_dls(World(1), cfg, 24), model, process)


def called_with(learn):
    "What the model is called with, from now on"
    seen = []
    learn.model.register_forward_hook(lambda m, inputs, out: seen.append(inputs))
    return seen


@pytest.mark.parametrize('make', [tokenizing, diffusing, language])
def test_each_learner_finds_trains_and_shows(make):
    learn = make()
    lr = quiet(learn, lambda: learn.lr_find(show_plot=False, num_it=20)).valley
    assert 1e-7 < lr < 10
    quiet(learn, lambda: learn.fit_one_cycle(1, 1e-3))
    a, b = (quiet(learn, learn.validate)[0] for _ in range(2))
    assert a == b and torch.isfinite(torch.tensor(a))
    for ax in (*learn.show_batch(), *learn.show_results()):
        image = ax.images[0].get_array()
        assert image.shape[0] > 20 and image.std() > 1  # something is drawn
    plt.close('all')


@pytest.mark.parametrize('make', [tokenizing, diffusing, language])
def test_showing_changes_nothing(make):
    learn = make()
    learn.model.train()
    before = [p.clone() for p in learn.model.state_dict().values()]
    state = torch.get_rng_state()
    learn.show_results()
    plt.close('all')
    assert learn.model.training and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(p, q) for p, q in zip(before, learn.model.state_dict().values()))


def test_pictures_are_between_minus_one_and_one_before_noise():
    image = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    shown = denoised(RectifiedFlow(), lambda x, t: torch.zeros_like(x), [image], 0.25)
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    noisy = 0.75 * (2 * image - 1) + 0.25 * noise
    torch.testing.assert_close(shown['noise t=0.25'], (noisy + 1) / 2)
    assert torch.equal(shown['given'], image)


@pytest.mark.parametrize(
    'process',
    [RectifiedFlow(), GaussianDiffusion(), GaussianDiffusion(predict='eps', weighting='min_snr')],
)
def test_noise_is_that_of_the_process(process):
    learn = diffusing(process)
    seen = called_with(learn)
    quiet(learn, learn.validate)
    x, _ = next(iter(learn.dls.valid))
    xt, t = seen[0]
    data = x * 2 - 1
    alpha, sigma = process.alpha_sigma(t, x)
    noise = (xt - alpha * data) / sigma
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 1) < 0.05
    assert torch.allclose(t.sort().values, (torch.arange(8) + 0.5) / 8)
    assert set(seen[0][1].tolist()) == set(seen[1][1].tolist())
    zero = torch.zeros_like(x)
    expected = process.loss(zero, data, Corrupted(xt, noise=noise), t).mean()
    assert torch.allclose(noise_loss(process, zero, data, noise, t), expected)


def test_two_processes_share_times_and_not_noise(monkeypatch):
    inputs = []
    for r in (0, 1):
        monkeypatch.setattr(path_callbacks, 'rank_world', lambda: (r, 2))
        learn = diffusing()
        seen = called_with(learn)
        quiet(learn, learn.validate)
        inputs.append(seen[0])
    (x, t), (y, u) = inputs
    times = torch.cat([t, u]).sort().values
    assert torch.allclose(times, (torch.arange(16) + 0.5) / 16)
    first, second = (z[0] - z[0].mean() for z in (x, y))
    assert not torch.allclose(first, second, atol=0.1)


def test_training_noise_is_never_the_same():
    learn, seen = diffusing(), []

    def keep(model, inputs, out):
        if model.training:
            seen.append(inputs[0])

    learn.model.register_forward_hook(keep)
    fit(learn, 2)
    assert len({x.sum().item() for x in seen}) == len(seen) == 24


def test_samples_depend_on_the_seed_only():
    learn = diffusing()
    a, b, c = (sample_pictures(learn, 2, 4, seed) for seed in (0, 0, 1))
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert a.shape == (2, 3, 24, 24) and 0 <= a.min() and a.max() <= 1


def test_accuracy_of_scenes():
    x = World(1).render(torch.arange(8), 24)
    ids = torch.arange(8)
    ids[:2] = 9
    assert scene_accuracy(World(1), (x,), x, ids) == 0.75


@pytest.mark.parametrize('factory', [tokenizer_learner, diffusion_learner, lm_learner])
def test_the_factories_have_one_order_and_editors_know_the_keywords(factory):
    names = list(inspect.signature(factory).parameters)
    assert names[:2] == ['dls', 'model'] and 'kwargs' not in names
    rates = set() if factory is lm_learner else {'lr', 'wd'}  # its settings have them
    assert {'path', 'cbs', 'metrics'} | rates <= set(names)
