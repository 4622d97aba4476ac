"Factories: batches, losses and pictures of the three learners."

import inspect, matplotlib.pyplot as plt, pytest, torch
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, Noisy, RectifiedFlow
from visual_token_diffusion.training.dataloaders import split_text, text_dls
from visual_token_diffusion.training.pictures import world_dls
from visual_token_diffusion.tokenizers.patch import PatchTokenizer
from visual_token_diffusion.training.distributed import join
from visual_token_diffusion.training.learners import (
    show_batch, show_results, cut, tokenizer_learner, scenes_read, PatchDenoiser, noise_loss,
    diffusion_learner, sample_pictures,
)
from visual_token_diffusion.training.distributed import join
from visual_token_diffusion.training.learners import cut
from visual_token_diffusion.training.language_model import lm_learner
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.worlds.stories import story_text
from visual_token_diffusion.worlds.captions import World

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


def quiet(l, f):
    with l.no_bar(), l.no_logging():
        return f()


def lm():
    text = story_text(600, torch.Generator().manual_seed(0))
    d = text_dls(text, cfg)
    return lm_learner(build_model(d.vocab, split_text(text, cfg)[1], cfg), d, cfg)


def tok(q=None):
    torch.manual_seed(0)
    return tokenizer_learner(
        world_dls(World(1), cfg, 24), PatchTokenizer(q or VectorQuantizer(8, 16), width=16)
    )


def dif(p=None):
    torch.manual_seed(0)
    return diffusion_learner(world_dls(World(1), cfg, 24), PatchDenoiser(24, 8, 16, 1, 1), p)


def test_cutting_and_joining():
    x = torch.randn(2, 3, 24, 24)
    assert torch.equal(join(cut(x, 8), 8, 24), x)
    assert torch.equal(cut(x, 8)[1, 5].view(3, 8, 8), x[1, :, 8:16, 16:24])
    with pytest.raises(ValueError, match='do not tile'):
        PatchTokenizer(FSQ((8, 8)), 24, 7)


@pytest.mark.parametrize('make', [tok, dif, lm])
def test_each_learner_finds_trains_and_shows(make):
    l = make()
    lr = quiet(l, lambda: l.lr_find(show_plot=False, num_it=20)).valley
    assert 1e-7 < lr < 10
    quiet(l, lambda: l.fit_one_cycle(1, 1e-3))
    a, b = (quiet(l, l.validate)[0] for _ in range(2))
    assert a == b and torch.isfinite(torch.tensor(a))
    for ax in (*l.show_batch(), *l.show_results()):
        im = ax.images[0].get_array()
        assert im.shape[0] > 20 and im.std() > 1  # something is drawn
    plt.close('all')


@pytest.mark.parametrize('make', [tok, dif, lm])
def test_showing_changes_nothing(make):
    l = make()
    l.model.train()
    before = [p.clone() for p in l.model.state_dict().values()]
    r = torch.get_rng_state()
    l.show_results()
    plt.close('all')
    assert (
        l.model.training
        and torch.equal(torch.get_rng_state(), r)
        and all(torch.equal(p, q) for p, q in zip(before, l.model.state_dict().values()))
    )


@pytest.mark.parametrize(
    'p',
    [RectifiedFlow(), GaussianDiffusion(), GaussianDiffusion(predict='eps', weighting='min_snr')],
)
def test_noise_is_that_of_the_process(p):
    l = dif(p)
    seen = []
    l.model.register_forward_hook(lambda m, i, o: seen.append(i))
    quiet(l, l.validate)
    x, _ = next(iter(l.dls.valid))
    xt, t = seen[0]
    a, s = p.at(t, x)
    noise = (xt - a * (x * 2 - 1)) / s
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 1) < 0.05
    assert torch.allclose(t.sort().values, (torch.arange(8) + 0.5) / 8) and set(
        seen[0][1].tolist()
    ) == set(seen[1][1].tolist())
    assert torch.allclose(
        noise_loss(p, torch.zeros_like(x), x * 2 - 1, noise, t),
        p.loss(torch.zeros_like(x), x * 2 - 1, Noisy(xt, noise), t).mean(),
    )


def test_two_processes_share_times_and_not_noise(monkeypatch):
    from visual_token_diffusion import factories as F

    seen = []
    for r in (0, 1):
        monkeypatch.setattr(F, 'rank_world', lambda: (r, 2))
        l = dif()
        l.model.register_forward_hook(lambda m, i, o: seen.append(i))
        quiet(l, l.validate)
    (x, t), (y, u) = seen[0], seen[2]
    assert torch.allclose(
        torch.cat([t, u]).sort().values, (torch.arange(16) + 0.5) / 16
    ) and not torch.allclose(x[0] - x[0].mean(), y[0] - y[0].mean(), atol=0.1)


def test_training_noise_is_never_the_same():
    l = dif()
    seen = []
    l.model.register_forward_hook(lambda m, i, o: seen.append(i[0]) if m.training else None)
    quiet(l, lambda: l.fit(2))
    assert len({x.sum().item() for x in seen}) == len(seen) == 24


def test_samples_depend_on_the_seed_only():
    l = dif()
    a, b, c = sample_pictures(l, 2, 4, 0), sample_pictures(l, 2, 4, 0), sample_pictures(l, 2, 4, 1)
    assert (
        torch.equal(a, b)
        and not torch.equal(a, c)
        and a.shape == (2, 3, 24, 24)
        and 0 <= a.min()
        and a.max() <= 1
    )


def test_scenes_that_are_read():
    x = World(1).render(torch.arange(8), 24)
    ids = torch.arange(8)
    ids[:2] = 9
    assert scenes_read(World(1), (x,), x, ids) == 0.75


def test_editors_know_the_keywords():
    for f in (tokenizer_learner, diffusion_learner):
        assert {'lr', 'wd', 'path', 'cbs'} <= set(
            inspect.signature(f).parameters
        ) and 'kwargs' not in inspect.signature(f).parameters
