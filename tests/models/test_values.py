"""The packaged model's texts and grids, and 20 steps of every kind of grid denoiser, as before the packages.

See `support.values`. The packaged model was rebuilt for its new names; all its numbers are those of before."""

import torch
import visual_token_diffusion.models.grid_nelbo  # brings `nelbo` and `step_nelbo`
from support.values import hold

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion
from visual_token_diffusion.diffusion.gaussian_schedules import LogSNR, PiecewiseLogSNR
from visual_token_diffusion.diffusion.per_token_times import PerTokenTimes
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.models.build import validation_nelbo
from visual_token_diffusion.models.grid_denoiser import GridDenoiser
from visual_token_diffusion.models.grid_space import GridSpace
from visual_token_diffusion.models.grid_training import train_grid_denoiser
from visual_token_diffusion.models.text_methods import MASKED_STORYTELLER
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.worlds.stories import story_text

BAND = PiecewiseLogSNR([6.0, 0.0, -8.0])


def gen(seed):
    return torch.Generator().manual_seed(seed)


def storyteller():
    model = VisualTokenLM.from_pretrained(MASKED_STORYTELLER)
    yield 'fingerprint', model.fingerprint
    yield 'vocabulary', [model.vocab.fingerprint, model.vocab.label(5)]
    yield 'codes', model.encoder.codes
    ids = torch.arange(len(model.vocab))
    yield 'grids', (model.encoder(ids) * 255).round().byte()
    yield 'texts', model.generate(n=2, seed=1, length=24, steps=12, order='random')
    yield 'text', model.generate('the happy cat', seed=2, length=16, steps=16, order='confidence', temperature=0.7)
    windows = torch.tensor(model.vocab.encode(story_text(60, gen(3)))[:256]).view(8, 32)
    yield 'bound', list(validation_nelbo(model, windows))
    mask = torch.rand(windows.shape, generator=gen(4)) < 0.5
    with torch.no_grad():
        yield 'nats', model.head.nll(model.hidden_states(windows, mask)[mask], windows[mask])
    grids = model.encode_text('the cat saw a zebra .')
    yield 'labels', model.text_labels('the cat saw a zebra .')
    yield 'text in grids', (grids * 255).round().byte()
    yield 'decoded', model.decode_grids(grids)


def space():
    return GridSpace(SemanticVisualEncoder(random_codes(24, 3, 3, gen(5)), 8))


def points():
    where, ids = space(), torch.randint(24, (4, 5), generator=gen(6))
    z = where(ids) + 0.5 * torch.randn(4, 5, 3, 8, 8, generator=gen(7))
    ones = torch.ones(4, 1, 1, 1, 1)
    yield 'points', where(ids)
    yield 'likelihoods', where.log_likelihood(z, 0.8 * ones, 0.6 * ones)
    yield 'expected', where.expected(torch.rand(4, 5, 24, generator=gen(8)).softmax(-1))
    yield 'nearest', where.nearest(z)


def kinds():
    "Options of each kind of denoiser, and its process"
    gaussian, own = GaussianDiffusion(BAND, 'x0'), PerTokenTimes(BAND, 5, 1.0)
    yield 'tokens', gaussian, {}
    yield 'tree', gaussian, dict(head='hierarchical')
    yield 'without bayes', gaussian, dict(bayes=False)
    yield 'self-conditioning', gaussian, dict(self_conditioning=True)
    yield 'from pixels', gaussian, dict(inputs='pixels')
    yield 'pixels', GaussianDiffusion(LogSNR(6.0, -8.0), 'v'), dict(inputs='pixels', outputs='pixels')
    yield 'times of tokens', own, {}


def trained(process, options):
    "A denoiser after 20 steps, and their losses"
    torch.manual_seed(9)
    counts = torch.randint(1, 50, (24,), generator=gen(10)).float()
    model, losses = GridDenoiser(space(), process, counts, 16, 1, 2, **options), []
    loss = model.loss

    def noted(*args):
        losses.append(loss(*args).mean())
        return losses[-1]

    model.loss = noted
    batches = lambda g: torch.randint(24, (8, 5), generator=g)
    train_grid_denoiser(model, batches, 20, band=None if options.get('outputs') else BAND, seed=11)
    return model, torch.stack(losses).detach()


def denoisers():
    ids, times = torch.randint(24, (6, 5), generator=gen(12)), torch.linspace(0.98, 0.05, 5).double()
    kept = {}
    for name, process, options in kinds():
        model, losses = trained(process, options)
        yield f'{name}: losses', losses
        bounds = [model.nelbo(ids, draws=2, generator=gen(13)), model.step_nelbo(ids, times, gen(14))]
        yield f'{name}: bounds', torch.stack(bounds)
        steps = list(model.sample(3, 5, times, generator=gen(15)))
        yield f'{name}: painted', model.decode(steps[-1])
        yield f'{name}: last state', steps[-1].x
        kept[name] = model
    model = kept['tokens']
    yield 'bound along a band', model.nelbo(ids, PiecewiseLogSNR([5.0, -7.0]), 2, gen(16))
    yield 'decided', model.decided(ids, torch.linspace(-6, 5, 5), gen(17))
    for sampler, how in (('ddim', 'mean'), ('euler', 'nearest'), ('heun', 'mean')):
        steps = list(model.sample(3, 5, times, sampler, how, generator=gen(18)))
        yield f'{sampler}, {how}', steps[-1].x


def test_packaged_model():
    hold('models: packaged', storyteller(), rtol=1e-4)


def test_points():
    hold('models: points', points(), rtol=1e-4)


def test_grid_denoisers():
    hold('models: grid denoisers', denoisers(), rtol=1e-3)
