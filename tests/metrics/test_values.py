"Metrics, and the table of the bound audit, are those of before the packages (`support.values`)"

import torch
from support.values import hold
from torch import nn

from visual_token_diffusion.diffusion.base import antithetic_times
from visual_token_diffusion.diffusion.discrete import Absorbing, Uniform, score_entropy
from visual_token_diffusion.diffusion.discretized_gaussian import DiscretizedGaussian
from visual_token_diffusion.diffusion.masked import MaskedDiffusion, masked_nelbo
from visual_token_diffusion.diffusion.partial_masking import PartialMasking, condition_on_codes, partial_nll
from visual_token_diffusion.diffusion.schedules import Cosine, Linear
from visual_token_diffusion.metrics.accuracy import accuracy, coverage, exact_match, validity, wilson
from visual_token_diffusion.metrics.bound_audit import audit, below_entropy
from visual_token_diffusion.metrics.calibration import calibration, fit_temperature, scale_temperature
from visual_token_diffusion.metrics.collapse import collapse, gradient_rms
from visual_token_diffusion.metrics.likelihood import excess_bits
from visual_token_diffusion.metrics.ngram import NGram, ngram_nll, unigram_entropy
from visual_token_diffusion.metrics.similarity import (
    category_agreement, neighborhood_overlap, neighbors, overlap_null, similarity_correlation)
from visual_token_diffusion.metrics.toy import Toy

TOY = Toy()


def gen(seed):
    return torch.Generator().manual_seed(seed)


def features(n, dim, seed):
    centers = torch.randn(6, dim, generator=gen(0))[torch.arange(n) % 6]
    return centers + torch.randn(n, dim, generator=gen(seed))


def counts():
    train, valid = (torch.randint(20, (40, 30), generator=gen(s)).square() // 20 for s in (1, 2))
    for order in (1, 2, 3):
        yield f'{order}-gram: nats', ngram_nll(train, valid, 20, order)
        yield f'{order}-gram: chances', torch.from_numpy(NGram(train.flatten(), 20, order).dist((3, 0)))
    yield 'entropy', unigram_entropy(train, 20)
    yield 'wilson', [*wilson(0, 5)[:3], *wilson(3, 7)[:3], *wilson(50, 50)[:3]]
    yield 'accuracy', list(accuracy(train, valid)[:3])
    yield 'exact match', list(exact_match(train[:, :1], valid[:, :1])[:3])
    yield 'validity', list(validity(train[:, 0].tolist(), lambda x: x > 3)[:3])
    seen = coverage(train[:, :2], 400), coverage(train[:, 0].tolist(), torch.full((20,), 0.05))
    yield 'coverage', [float(x) for found in seen for x in (*found, found.z)]


def neighborhoods():
    a, b = features(60, 8, 3), features(60, 5, 4)
    kinds = torch.arange(60) % 6
    yield 'cosine', neighbors(a, 4)
    yield 'euclid', neighbors(a, 4, 'euclid', 17, gen(5))
    yield 'agreement', list(category_agreement(a, kinds, 4))
    yield 'overlap', list(neighborhood_overlap(a, b, 4))
    yield 'overlap of noise', list(overlap_null(lambda x: x[:, :3], 40, 6, 4, n=3))
    yield 'correlation', [similarity_correlation(a, b), similarity_correlation(a, b, 200)]


def answers():
    logits, ids = 2 * torch.randn(300, 9, generator=gen(6)), torch.randint(9, (300,), generator=gen(7))
    logits[torch.arange(300), ids] += 1.5
    log_probs = logits.log_softmax(1)
    found = calibration(log_probs.amax(1).exp(), log_probs.argmax(1) == ids, 10, 30, gen(8))
    yield 'calibration', [found.ece, found.null, found.null_sd]
    yield 'bins', torch.stack(list(found[3:]))
    yield 'temperature', fit_temperature(log_probs, ids)
    yield 'scaled', scale_temperature(log_probs[:4], 1.7)
    nats = torch.rand(50, generator=gen(9)).double() + 1
    yield 'excess', [x for unit in ('nats', 'bits') for x in excess_bits(nats, 1.2, unit)[:2]]
    yield 'below the entropy', [float(x) for x in below_entropy(nats, -nats * 1.1 - 0.3)]
    torch.manual_seed(10)
    layers = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 9))
    grids = layers[:2](features(9, 6, 11))
    yield 'collapse', [float(x) for x in collapse(layers[2](grids).detach(), torch.arange(9), grids.detach())]
    loss = nn.functional.cross_entropy(layers(features(9, 6, 11)), torch.arange(9))
    parts = dict(a=layers[0], b=layers[2], c=nn.Linear(2, 2))
    yield 'gradients', list(gradient_rms(loss, parts).values())


def shuffled(n, g):
    return antithetic_times(n, g)[torch.randperm(n, generator=g)]


def cost(log_probs, x):
    return -log_probs.gather(-1, x[..., None])[..., 0]


def masked_at_random(process, x, g):
    corrupted = process.corrupt(x, shuffled(len(x), g), generator=g)
    return corrupted.mask, corrupted.weight


def exact_count(d, x, g):
    mask, weight = masked_at_random(MaskedDiffusion(), x, g)
    return masked_nelbo(cost(d.eval()(x, mask), x)[mask], mask, weight)


def scores(d, x, g):
    mask, weight = masked_at_random(MaskedDiffusion(), x, g)
    return masked_nelbo(score_entropy(d.eval()(x, mask)[mask], x[mask]), mask, weight)


def single_codes(d, x, g):
    mask, weight = masked_at_random(PartialMasking(TOY.codes), x, g)
    log_probs = d.eval()(x, mask).flatten(0, 1)
    nll = partial_nll(log_probs, TOY.codes, x.flatten(), mask.flatten(0, 1))
    return nll.view(len(x), -1).sum(1) * weight


def chain(process):
    def estimate(d, x, g):
        t = shuffled(len(x), g).clamp(1e-6, 1 - 1e-6)
        y = process.corrupt(x, t, generator=g).x_t
        asked = d.eval()(y, y == process.mask_id) if process.mask_id is not None else d.eval()(y, t=t)
        return process.nelbo_rate(x, y, asked.exp(), t).sum(1)

    return estimate


def left_to_right(d, x, g):
    later = [(torch.arange(x.shape[1]) >= i).expand(x.shape) for i in range(x.shape[1])]
    return sum(cost(d.eval()(x, mask), x)[:, i] for i, mask in enumerate(later))


def mean_over_masked(d, x, g):
    t = shuffled(len(x), g)
    mask = torch.rand(x.shape, generator=g, dtype=torch.double) < t[:, None]
    return x.shape[1] * cost(d.eval()(x, mask), x)[mask].sum() / mask.sum()


def visible_code(d, x, g):
    mask, weight = masked_at_random(MaskedDiffusion(), x, g)
    some = mask[..., None] & torch.tensor([False, True])  # the first code is never masked
    return masked_nelbo(cost(d.eval()(x, some), x)[mask], mask, weight)


def double_counted(d, x, g):
    mask, weight = masked_at_random(PartialMasking(TOY.codes), x, g)
    visible = TOY.codes[x.flatten()]
    lp = condition_on_codes(d.eval()(x, mask).flatten(0, 1), TOY.codes, visible, mask.flatten(0, 1))
    return cost(lp, x.flatten()).view(x.shape).sum(1) * weight


def with_dropout(d, x, g):
    mask, weight = masked_at_random(MaskedDiffusion(), x, g)
    return masked_nelbo(cost(d(x, mask), x)[mask], mask, weight)


def audits():
    plain = [exact_count, scores, single_codes, left_to_right]
    plain += [mean_over_masked, visible_code, double_counted, with_dropout]
    uniform, ordered = Uniform(4), DiscretizedGaussian(4, 0.8, Cosine())
    table = [(estimate.__name__, estimate, None) for estimate in plain]
    table += [('absorbing', chain(Absorbing(4, Cosine())), None), ('linear', chain(Absorbing(4, Linear())), None)]
    table += [('uniform', chain(uniform), uniform), ('ordered', chain(ordered), ordered)]
    table.append(('same seed', lambda d, x, g: exact_count(d, x, gen(0)), None))
    for name, estimate, process in table:
        torch.manual_seed(12)  # of the dropout
        found = audit(estimate, process, rows=256, reps=4)
        yield f'{name}: passed', [int(found.ok), len(found.findings)]
        yield f'{name}: nats and profile', [found.mean, found.entropy, found.se, *found.profile]


def test_counts():
    hold('metrics: counts', counts())


def test_neighborhoods():
    hold('metrics: neighborhoods', neighborhoods(), rtol=1e-5)


def test_answers():
    hold('metrics: answers', answers(), rtol=1e-5)


def test_bound_audit():
    hold('metrics: bound audit', audits(), rtol=1e-5)
