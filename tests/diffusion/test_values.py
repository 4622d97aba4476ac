"States, posteriors, bounds and targets of every process are those of before the packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.diffusion import gaussian_schedules as noise, schedules
from visual_token_diffusion.diffusion.base import antithetic_times
from visual_token_diffusion.diffusion.discrete import Absorbing, Uniform, generalized_kl, score_entropy
from visual_token_diffusion.diffusion.discretized_gaussian import DiscretizedGaussian
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.diffusion.guidance import Condition, ShiftedMean, condition_dropout, guided, leak_probe
from visual_token_diffusion.diffusion.masked import MaskedDiffusion, masked_nelbo
from visual_token_diffusion.diffusion.next_scale import ScaleMasking, scale_nelbo
from visual_token_diffusion.diffusion.partial_masking import PartialMasking, condition_on_codes, partial_nll
from visual_token_diffusion.diffusion.per_token_times import PerTokenTimes
from visual_token_diffusion.metrics.toy import Toy

TIMES = torch.linspace(0.02, 0.98, 12, dtype=torch.double)
EARLIER = TIMES * 0.7


def gen(seed):
    return torch.Generator().manual_seed(seed)


def some_ids(size=20):
    return torch.randint(size, (12, 9), generator=gen(0)), torch.rand(12, 9, generator=gen(1)) < 0.8


def masking():
    x, maskable = some_ids(27)
    codes = torch.cartesian_prod(*[torch.arange(3)] * 3)
    log_probs = torch.randn(12, 9, 27, generator=gen(2)).log_softmax(-1)
    process = {'masked': MaskedDiffusion(), 'partial': PartialMasking(codes), 'scales': ScaleMasking(codes, (1, 0, 2))}
    yield 'times', antithetic_times(12, gen(3))
    for name, p in process.items():
        found = [p.corrupt(x, TIMES, maskable=given, generator=gen(4)) for given in (None, maskable)]
        yield f'{name}: masks', torch.stack([corrupted.mask for corrupted in found])
        yield f'{name}: weights', torch.stack([corrupted.weight for corrupted in found])
    found = process['masked'].corrupt(x, TIMES, maskable=maskable, generator=gen(4))
    nll = -log_probs.gather(2, x[..., None])[..., 0]
    yield 'masked: bound', masked_nelbo(nll[found.mask], found.mask, found.weight)
    flat = log_probs.flatten(0, 1), codes
    mask = process['partial'].corrupt(x, TIMES, generator=gen(5)).mask.flatten(0, 1)
    yield 'partial: given the codes', condition_on_codes(*flat, codes[x.flatten()], mask).exp()
    yield 'partial: nats', partial_nll(*flat, x.flatten(), mask)
    bound, asked = scale_nelbo(lambda ids, mask: log_probs, process['scales'], x, TIMES, generator=gen(6))
    yield 'scales: bound', bound
    yield 'scales: asked', asked
    yield 'score entropy', score_entropy(log_probs.flatten(0, 1) + 0.1, x.flatten())


def chains():
    x, maskable = some_ids()
    logits = torch.randn(12, 9, 20, generator=gen(7), dtype=torch.double)
    kinds = {'absorbing': Absorbing(20), 'uniform': Uniform(20, schedules.Cosine())}
    kinds['ordered'] = DiscretizedGaussian(20, 0.8, schedules.Linear(3.0))
    yield 'kl', generalized_kl(logits.exp(), logits.roll(1, 0).exp())
    for name, p in kinds.items():
        x_t = p.corrupt(x, TIMES, maskable=maskable, generator=gen(8)).x_t
        prediction = p.predict(logits, x_t, TIMES)
        yield f'{name}: states', torch.cat([x_t.flatten(), p.prior((3, 4), gen(9)).flatten()])
        yield f'{name}: prediction', prediction
        posteriors = [p.posterior(x_t, found, EARLIER, TIMES) for found in (prediction, x)]
        yield f'{name}: posteriors', torch.stack([*posteriors, p.concrete_score(x_t, prediction, TIMES)])
        bounds = [p.nelbo_rate(x, x_t, prediction, TIMES), p.step_kl(x, x_t, prediction, EARLIER, TIMES)]
        yield f'{name}: bounds', torch.cat([*bounds, p.weight(TIMES)[:, None]], 1)


def noise_schedules():
    knots = noise.PiecewiseLogSNR([8.0, 3.0, 0.0, -9.0])
    snr = torch.linspace(-9, 8, 30)
    shares = noise.equal_shares(snr, snr.div(3).square().neg().exp(), 6)
    kinds = [
        noise.LinearNoise(), noise.CosineNoise(), noise.SqrtNoise(), noise.LogSNR(), noise.LinearPath(),
        noise.VESchedule(40.0), noise.ddpm_table(50), knots, shares]
    for i, schedule in enumerate(kinds):
        found = [schedule.alpha(TIMES), schedule.sigma(TIMES), schedule.log_snr(TIMES), *schedule.rates(TIMES)]
        times = schedule.time_of(torch.linspace(-3, 2, 7))
        yield f'{i}: alpha, sigma, snr, rates, times', torch.cat([*found, *schedule.alpha_sigma(TIMES), times])
        yield f'{i}: in single precision', schedule.alpha(TIMES.float())


def gaussians():
    x, out = torch.randn(12, 3, 4, generator=gen(10)), torch.randn(12, 3, 4, generator=gen(11))
    kinds = {'flow': RectifiedFlow(), 'flow to x0': RectifiedFlow('x0')}
    for predict in ('x0', 'eps', 'v', 'flow'):
        for i, weighting in enumerate(('plain', 'min_snr', 'nelbo')):
            schedule = (noise.CosineNoise(), noise.LogSNR(6.0, -6.0), noise.LinearNoise())[i]
            kinds[f'{predict}, {weighting}'] = GaussianDiffusion(schedule, predict, weighting)
    for name, p in kinds.items():
        found = p.corrupt(x, TIMES, generator=gen(12))
        mean, deviation = p.posterior(found.x_t, x, EARLIER, TIMES, 0.5)
        states = [found.x_t, p.target(x, found, TIMES), p.to_x0(out, found.x_t, TIMES), mean, deviation]
        states += [p.to_noise(x, found.x_t, TIMES), p.velocity(found.x_t, x, TIMES)]
        states.append(p.prior((2, 3), gen(13)))
        yield f'{name}: states', torch.cat([state.flatten() for state in states])
        costs = [p.loss(out, x, found, TIMES), p.nelbo_terms(x, out, TIMES)]
        costs += [p.prior_term(x), p.weight(TIMES)]
        yield f'{name}: costs', torch.stack(costs)


def per_token():
    grids = torch.randn(12, 5, 3, 2, 2, generator=gen(14))
    for order in ('left_to_right', 'scattered'):
        p = PerTokenTimes(noise.PiecewiseLogSNR([9.0, 0.0, -9.0]), 5, 2.0, order)
        yield f'{order}: times', p.token_times(TIMES)
        yield f'{order}: weights', p.loss_weight(TIMES)
        yield f'{order}: states', p.corrupt(grids, TIMES, generator=gen(15)).x_t
        yield f'{order}: bound', p.nelbo_terms(grids, grids.roll(1, 0), TIMES)
        yield f'{order}: rates', torch.stack(p.rates_at(TIMES, grids)).flatten()


def guidance():
    x, mu = torch.randn(12, 4, generator=gen(16)), torch.randn(12, 4, generator=gen(17))
    p = ShiftedMean(noise.CosineNoise(), 'eps')
    found = p.corrupt(x, TIMES, generator=gen(18), mu=mu)
    shifted = [p.target(x, found, TIMES, mu=mu), p.to_x0(mu, found.x_t, TIMES, mu=mu)]
    yield 'shifted', torch.stack([found.x_t, *shifted])
    torch.manual_seed(0)
    condition = Condition((3, 5), 8)
    attributes = [torch.randint(n, (12,), generator=gen(n)) for n in (3, 5)]
    keep = condition_dropout(12, 0.3, gen(21))
    yield 'kept', keep
    yield 'condition', condition(torch.stack(attributes, 1), keep).detach()
    predict = lambda z, t, keep: torch.where(keep[:, None], z * 2, z - 1)
    yield 'guided', torch.stack([guided(predict, w)(x, TIMES) for w in (0, 1, 2.5)])
    labels = torch.randint(3, (80,), generator=gen(22))
    yield 'leak', list(leak_probe(torch.randn(80, 6, generator=gen(23)) + labels[:, None], labels))


def toys():
    toy = Toy(3, 2, 2, seed=4)
    yield 'chances', toy.p
    yield 'entropy', toy.entropy
    yield 'rows', toy.rows(40, gen(24))


def test_masking():
    hold('diffusion: masking', masking())


def test_chains():
    hold('diffusion: chains', chains(), rtol=1e-5)


def test_noise_schedules():
    hold('diffusion: schedules', noise_schedules(), rtol=1e-5)


def test_gaussian_processes():
    hold('diffusion: gaussian', gaussians(), rtol=1e-5)


def test_times_of_tokens():
    hold('diffusion: times of tokens', per_token(), rtol=1e-5)


def test_guidance():
    hold('diffusion: guidance', guidance(), rtol=1e-5)


def test_toys():
    hold('diffusion: toys', toys())
