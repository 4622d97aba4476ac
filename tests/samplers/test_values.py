"Every step of every sampler, with exact denoisers, is that of before the packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.core.sampling import apply_temperature_top_p, sample_categorical, sample_logits
from visual_token_diffusion.diffusion.discrete import Absorbing, Uniform
from visual_token_diffusion.diffusion.discretized_gaussian import DiscretizedGaussian
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.diffusion.next_scale import ScaleMasking
from visual_token_diffusion.diffusion.partial_masking import PartialMasking
from visual_token_diffusion.diffusion.schedules import Cosine
from visual_token_diffusion.metrics.toy import Denoiser, Toy
from visual_token_diffusion.samplers.ancestral import sample_ancestral, sample_ancestral_gaussian
from visual_token_diffusion.samplers.codes import sample_partial, sample_scales
from visual_token_diffusion.samplers.masked import sample_masked
from visual_token_diffusion.samplers.ode import sample_ddim, sample_euler, sample_heun

TOY = Toy(2, 2, 4, seed=1)


def gen(seed):
    return torch.Generator().manual_seed(seed)


def start():
    "Sequences (16,4), the first position of every other one given"
    x, mask = TOY.rows(16, gen(2)), torch.ones(16, 4, dtype=torch.bool)
    mask[::2, 0] = False
    return x, mask


def drawing(generator):
    "The exact denoiser, as the masked sampler asks for it"
    network = Denoiser(TOY).eval()

    def denoise(x, mask, where):
        log_probs = network(x, mask)[where]
        ids = sample_logits(log_probs, 1.0, generator)
        return ids, log_probs.gather(1, ids[:, None])[:, 0]

    return denoise


def facts(name, steps):
    "What is kept of the steps of a sampler: states, masks, changes, predictions, and how sure they are"
    steps = list(steps)
    yield f'{name}: states', torch.stack([s.x for s in steps])
    yield f'{name}: predictions', torch.stack([s.pred for s in steps[1:]])
    yield f'{name}: confidence', torch.stack([s.confidence for s in steps[1:]])
    if steps[0].mask is not None:
        yield f'{name}: masks and changes', torch.stack([torch.stack([s.mask, s.changed]) for s in steps])
    else:
        yield f'{name}: changes', torch.stack([s.changed for s in steps[2:]])


def masked():
    ways = {
        'random': {}, 'left to right': dict(order='left_to_right'), 'cosine': dict(counts='cosine'),
        'confidence': dict(order='confidence', noise=1.0), 'surest': dict(order='confidence', steps=2),
        'remask': dict(order='confidence', remask=True, noise=0.5), 'blocks': dict(block=2, steps=3)}
    x, mask = start()
    for name, options in ways.items():
        generator = gen(3)
        options = dict(steps=4) | options
        steps = sample_masked(drawing(generator), None, x, mask=mask, generator=generator, **options)
        yield from facts(name, steps)


def ancestral():
    x, mask = start()
    kinds = {'absorbing': Absorbing(4), 'uniform': Uniform(4, Cosine()), 'ordered': DiscretizedGaussian(4, 0.8)}
    table = torch.randn(5, 4, generator=gen(14))
    cold = dict(mask=mask, temperature=0.7, top_p=0.9, times=[1.0, 0.6, 0.5, 0.1])
    for name, process in kinds.items():
        network = Denoiser(TOY, process).eval()
        exact = lambda x, t: network(x, t=t)
        neighbor = lambda x, t: table[x.roll(1, 1)] * (1 + t[:, None, None])
        yield from facts(name, sample_ancestral(exact, process, x, mask=mask | True, steps=6, generator=gen(4)))
        yield from facts(f'{name}, cold', sample_ancestral(neighbor, process, x, generator=gen(4), **cold))


def codes():
    x, mask = start()
    network = Denoiser(TOY).eval()
    denoise = lambda codes, mask: network(2 * codes[..., 0] + codes[..., 1], mask)
    partial, scales = PartialMasking(TOY.codes), ScaleMasking(TOY.codes, (1, 0))
    yield from facts('partial', sample_partial(denoise, partial, x, mask=mask, steps=5, generator=gen(5)))
    options = dict(mask=mask, steps=3, temperature=0.5, top_p=0.8)
    yield from facts('partial, cold', sample_partial(denoise, partial, x, generator=gen(5), **options))
    yield from facts('scales', sample_scales(denoise, scales, x, mask=mask, steps=(2, 3), generator=gen(6)))


def flows():
    points = torch.randn(6, 3, generator=gen(7))
    for name, process in {'flow': RectifiedFlow(), 'gaussian': GaussianDiffusion()}.items():
        def denoise(x, t):
            alpha, sigma = process.alpha_sigma(t, x)
            squares = (x[:, None] - alpha[:, None] * points).square().sum(-1)
            near = (-squares / (2 * sigma**2)).softmax(-1)
            return near @ points, near.amax(-1)

        x, times = process.prior((10, 3), gen(8)), torch.linspace(0.99, 0.01, 6).double()
        yield from facts(f'{name}: ddim', sample_ddim(denoise, process, x, steps=5, times=times))
        yield from facts(f'{name}: half', sample_ddim(denoise, process, x, times=times, eta=0.5, generator=gen(9)))
        steps = sample_ancestral_gaussian(denoise, process, x, times=times, generator=gen(10))
        yield from facts(f'{name}: ancestral', steps)
        yield from facts(f'{name}: euler', sample_euler(denoise, process, x, times=times))
        yield from facts(f'{name}: heun', sample_heun(denoise, process, x, times=times))
        ends = torch.linspace(0.99, 0.0, 4).double()
        yield from facts(f'{name}: heun to the end', sample_heun(denoise, process, x, times=ends))


def draws():
    logits = torch.randn(200, 12, generator=gen(11))
    probs = logits.softmax(-1)
    yield 'categorical', sample_categorical(probs, gen(12))
    for t, p in ((1.0, 1.0), (0.0, 1.0), (0.6, 1.0), (1.0, 0.7), (1.5, 0.5)):
        yield f'{t}, {p}: probabilities', apply_temperature_top_p(probs, t, p)
        yield f'{t}, {p}: drawn', sample_logits(logits, t, gen(13), p)


def test_masked_sampler():
    hold('samplers: masked', masked(), rtol=1e-5)


def test_ancestral_sampler():
    hold('samplers: ancestral', ancestral(), rtol=1e-5)


def test_samplers_of_codes():
    hold('samplers: codes', codes(), rtol=1e-5)


def test_samplers_along_a_flow():
    hold('samplers: flows', flows(), rtol=1e-4)


def test_draws():
    hold('samplers: draws', draws())
