"Every likelihood of the unified models through the bound audit: its estimator, and what its network sees."

# `python -m visual_token_diffusion.experiments.unified.audit` goes on where it stopped.

import argparse
from functools import partial

import torch
import torch.nn.functional as F

from ...metrics.bound_audit import audit
from ...models.unified.objectives import cosine_mask
from ...models.unified.switches import PRESETS, preset, switches_of
from ...training.unified_learner import unified_model
from ...worlds.captions import World
from ..resume import measure_missing

__all__ = [
    'JOINT', 'audited', 'change_of_scores', 'leaking_model', 'likelihoods_of', 'main', 'plain_mean', 'random_model',
    'tasks', 'toy_costs',
]

RUN = 'unified-audit'
COMMAND = 'python -m visual_token_diffusion.experiments.unified.audit'
JOINT = switches_of('mmada', joint_weight=1.0)


def likelihoods_of(
    switches,  # `Switches`
):
    "`{likelihood: whether it is a bound}`: of a caption, of a picture's codes, of both together"
    found = dict(caption=switches.text_objective == 'masked')
    if switches.picture_form == 'codes':
        found['picture'] = not switches.is_sequential
        if switches.joint_weight:
            found['joint'] = True
    return found


def toy_costs(
    denoiser,  # of `audit`
    x,  # (B,L) long
):
    "A function of a mask (B,L), or of None for the chain rule from the left: nats (B,L) of every place"

    def cost(mask):
        if mask is not None:
            return -denoiser(x, mask).gather(-1, x[..., None])[..., 0]
        places = torch.arange(x.shape[1])
        parts = [cost((places >= i).expand_as(x))[:, i] for i in places.tolist()]
        return torch.stack(parts, 1)

    return cost


def audited(
    estimate,  # function (costs (mask) -> (B,L), x (B,L), generator) -> nats (B,)
):
    "What the audit says of an estimator: `ok`, findings, its nats with the perfect denoiser, the entropy"

    def of_denoiser(denoiser, x, generator):
        denoiser.eval()
        return estimate(toy_costs(denoiser, x), x, generator)

    found = audit(of_denoiser, rows=512, reps=12)
    return dict(ok=found.ok, findings=list(found.findings), nats=found.mean, entropy=found.entropy, se=found.se)


def plain_mean(
    cost,  # of `toy_costs`
    x,  # (B,L) long
    generator,
):
    "(B,) nats: the published loss of masked codes, times the places, as if it were a likelihood"
    mask = cosine_mask(len(x), x.shape[1], generator)
    return (cost(mask) * mask).sum(1) / mask.sum(1) * x.shape[1]


def _scored(model, likelihood):
    "`(function of values (B,L) and a mask: scores (B,L,K), values, how many there are at each place (L,))`"
    _, images, captions = World(1).batch(4, model.pictures.size, torch.Generator().manual_seed(0))
    x, seen = model.encode_pictures(images)
    ids, places = model.encode_captions(captions), model.text_length
    n_words = torch.full((places,), len(model.vocab))
    if likelihood == 'caption':
        return (lambda values, mask: model.read_scores(x, seen, values, mask)), ids, n_words
    if likelihood == 'picture':
        return (lambda values, mask: model.write_out(values, ids, mask)), x, model.sizes

    def both(values, mask):
        pairs = (part.split([places, part.shape[1] - places], 1) for part in (values, mask))
        (words, codes), (word_mask, code_mask) = pairs
        text, picture = model.joint_out(codes, words, word_mask, code_mask)
        return torch.cat([F.pad(text, (0, picture.shape[-1] - text.shape[-1])), picture], 1)

    return both, torch.cat([ids, x], 1), torch.cat([n_words, model.sizes])


@torch.no_grad()
def change_of_scores(
    model,  # a `UnifiedModel` in evaluation mode
    likelihood: str,  # of `likelihoods_of`
):
    """The largest change of the scores that are charged when what must not be seen is another: what is masked, or a
    place and all that follow it"""
    scores, values, n = _scored(model, likelihood)
    length = values.shape[1]
    if likelihoods_of(model.switches)[likelihood]:
        hidden = torch.rand(values.shape, generator=torch.Generator().manual_seed(1)) < 0.5
        cases = [(hidden, hidden, hidden)]
    else:
        places = torch.arange(length).expand_as(values)
        cases = [(None, places >= i, places <= i) for i in range(length)]
    largest = 0.0
    for mask, altered, charged in cases:
        others = torch.where(altered, (values + 1) % n, values)
        change = scores(others, mask) - scores(values, mask)
        largest = max(largest, float(change.nan_to_num()[charged].abs().max()))
    return largest


def random_model(
    switches,  # `Switches`, or the name of a preset
):
    "A small model all of whose layers carry something: those that begin at zero are random, too"
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = unified_model(switches, World(1), width=16, depth=2, heads=1).eval()
        for parameter in model.backbone.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def leaking_model():
    "A control: Janus, but everything sees everything"
    model = random_model('janus')
    model.modes = lambda task: ('whole', 'whole')
    return model


def _row(name, switches, likelihood):
    "What is saved of a likelihood of a preset"
    model = random_model(switches)
    is_bound = likelihoods_of(model.switches)[likelihood]

    def estimate(cost, x, generator):
        return model._likelihood(x, cost, is_bound, generator)

    change = change_of_scores(model, likelihood)
    return dict(model=name, likelihood=likelihood, is_bound=is_bound, change=change, **audited(estimate))


def tasks():
    "`(key, function)` of every likelihood of every preset, and of two controls: a loss that is no bound, a leak"
    models = {name: preset(name).switches for name in PRESETS} | {'mmada, jointly': JOINT}
    for name, switches in models.items():
        for likelihood in likelihoods_of(switches):
            if (likelihood == 'joint') == (switches is JOINT):
                yield f'{name}|{likelihood}', partial(_row, name, switches, likelihood)
    yield 'plain mean|picture', partial(audited, plain_mean)
    yield 'everything seen|caption', lambda: dict(change=change_of_scores(leaking_model(), 'caption'))


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Audit what is missing, and save it"
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    measure_missing(RUN, tasks(), COMMAND)


if __name__ == '__main__':
    main()
