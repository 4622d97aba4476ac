"""What is measured of a trained unified model: bits above the exact ones, pictures, captions, answers, costs."""

import math
import time

import torch

from ...models.unified.sampling import read, write
from ...worlds.questions import Questions

__all__ = [
    'all_pairs', 'answering', 'excess', 'loss_terms', 'measure', 'network_calls', 'reading', 'some_pairs', 'trivial',
    'writing',
]

NOISE_CALLS = 30  # network calls from noise to a picture


def all_pairs(
    world,  # a `World` with one object
):
    "`(scene numbers (n,), captions, probabilities (n,))`: every scene with each of its captions"
    found = []
    for i in range(len(world)):
        found += [(i, text, p / len(world)) for text, p in world.captions(i).items()]
    ids, captions, shares = zip(*found)
    return torch.tensor(ids), list(captions), torch.tensor(shares, dtype=torch.float64)


def some_pairs(
    world,  # a `World`
    n: int = 1024,  # pairs, where not all are taken
    seed: int = 1,
):
    "As `all_pairs`; of a world with more objects a sample"
    if world.n_objects == 1:
        return all_pairs(world)
    generator = torch.Generator().manual_seed(seed)
    ids = world.sample(n, generator)
    return ids, world.caption(ids, generator), torch.full((n,), 1 / n, dtype=torch.float64)


def _floors(world, ids, captions, p):
    "`{'caption', 'picture': bits}`: what a perfect model needs for these pairs; for all pairs the entropies"
    given = [(world.captions(i)[text], world.scenes_for(text)[i]) for i, text in zip(ids.tolist(), captions)]
    bits = -torch.tensor(given, dtype=torch.float64).log2()
    return dict(zip(('caption', 'picture'), (p @ bits).tolist()))


def _in_parts(nll, n):
    "Values (n,) of a function of a slice"
    return torch.cat([nll(slice(i, i + 256)) for i in range(0, n, 256)]).double()


def excess(
    model,  # a `UnifiedModel`
    world,  # a `World`
):
    "`{'caption', 'picture': bits}` above what a perfect model needs, over all pairs, or a sample of them"
    ids, captions, p = some_pairs(world)
    images, floors = world.render(ids, model.pictures.size), _floors(world, ids, captions, p)
    captioned = _in_parts(lambda s: model.caption_nll(images[s], captions[s]), len(ids))
    found = dict(caption=float((captioned * p).sum()) / math.log(2) - floors['caption'])
    if model.switches.picture_form == 'codes':
        drawn = _in_parts(lambda s: model.picture_nll(captions[s], images[s]), len(ids))
        found['picture'] = float((drawn * p).sum()) / math.log(2) - floors['picture']
    return found


def _entropy(values):
    "Bits of the shares of values (n,) long"
    p = values.bincount().double()
    p = p[p > 0] / p.sum()
    return float(-(p * p.log2()).sum())


def _scenes(world, each=1, seed=0):
    "(n,) scene numbers: all of them, or 512 of a larger world, each so often"
    if world.n_objects == 1:
        return torch.arange(len(world)).repeat(each)
    return world.sample(512 * each, torch.Generator().manual_seed(seed))


def _free_cell(world, scenes, captions):
    "Bits of the cells of scenes (n,), -1 for none, where the caption names no cell; None for more than one object"
    if world.n_objects > 1:
        return None
    places = [place for place in world.words()[1] if place]
    free = torch.tensor([not any(text.endswith(place) for place in places) for text in captions])
    cells = world.objects(scenes[free & (scenes >= 0)])[:, 0, 3]
    return _entropy(cells) if len(cells) else 0.0


def writing(model, world, guidance=1.0, each=2, seed=0, steps=0):
    "Of pictures written for captions: valid ones, those that satisfy the caption, different ones, bits of a free cell"
    generator = torch.Generator().manual_seed(seed)
    ids = _scenes(world, each)
    captions = world.caption(ids, generator)
    steps = steps or (NOISE_CALLS if model.switches.is_noised else 0)
    written = []
    for i in range(0, len(ids), 288):
        out = write(model, captions[i : i + 288], steps, guidance, generator)
        written.append(world.parse(out.images).ids)
    got = torch.cat(written)
    right = torch.tensor([i >= 0 and text in world.captions(i) for i, text in zip(got.tolist(), captions)])
    return dict(
        valid=float((got >= 0).double().mean()),
        match=float(right.double().mean()),
        cover=len(set(got[got >= 0].tolist())),
        free_cell=_free_cell(world, got, captions),
    )


def reading(model, world, seed=0):
    "Share of scenes for which a caption that is read is possible"
    ids = _scenes(world)
    said = read(model, world.render(ids, model.pictures.size), generator=torch.Generator().manual_seed(seed))
    return sum(text in world.captions(i) for i, text in zip(ids.tolist(), said)) / len(said)


def answering(model, questions, seed=2):
    "`{kind: share of right answers}`, and for `all` questions; the likeliest words are taken"
    world, generator = questions.world, torch.Generator().manual_seed(seed)
    ids = world.sample(512, generator)
    pairs = questions.draw(ids, generator)
    asked = [question for question, _ in pairs]
    images = world.render(ids, model.pictures.size)
    said = read(model, images, generator=generator, temperature=0, prompts=asked)
    right = dict(all=[text == answer for text, (_, answer) in zip(said, pairs)])
    for question, is_right in zip(asked, right['all']):
        right.setdefault(questions.kind(question), []).append(is_right)
    return {kind: sum(found) / len(found) for kind, found in right.items()}


def network_calls(model):
    "`{'picture', 'caption': calls}` that the measurements take"
    s = model.switches
    return dict(picture=NOISE_CALLS if s.is_noised else model.n_places, caption=model.text_length)


def measure(
    model,  # a trained `UnifiedModel`
    world,  # a `World`
    guidance: float = 1.0,  # another scale for the entry `guided`
    questions=None,  # `Questions` to answer
):
    "Everything the table says of a trained model"
    model.eval()
    began = time.process_time()
    found = dict(writing=writing(model, world, each=2))
    written = time.process_time()
    found |= dict(reading=reading(model, world))
    seconds = written - began, time.process_time() - written
    found |= dict(excess=excess(model, world), seconds=_each(world, *seconds))
    if questions:
        found['answering'] = answering(model, questions)
    if guidance != 1:
        found['guided'] = writing(model, world, guidance, each=1)
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    backbone = sum(p.numel() for p in model.backbone.parameters())
    return found | dict(calls=network_calls(model), parameters=parameters, backbone=backbone)


def _each(world, writing, reading):
    "CPU seconds of one picture and of one caption, with the check of each"
    return dict(picture=writing / len(_scenes(world, 2)), caption=reading / len(_scenes(world)))


def trivial(world):
    "What is reached without looking: true captions and scenes, drawn without regard to what is given"
    bits, (ids, captions, p) = world.entropies(), some_pairs(world)
    meant = torch.tensor([len(world.scenes_for(text)) for text in captions], dtype=torch.float64)
    by_chance = float((meant / len(world) * p).sum())
    n = len(_scenes(world, 2))
    cover = len(world) * (1 - (1 - 1 / len(world)) ** n)
    found = dict(excess=bits['shared'], match=by_chance, cover=cover)
    if world.n_objects == 1:
        return found | dict(free_cell=math.log2(world.cells))
    blind = Questions(world).blind()
    answers = {kind: row['right'] for kind, row in blind.items()}
    return found | dict(answering=answers | dict(all=sum(row['right'] * row['share'] for row in blind.values())))


@torch.no_grad()
def loss_terms(model, world):
    "`{term: value}` on all scenes with a caption each, weights included"
    generator = torch.Generator().manual_seed(0)
    ids = torch.arange(len(world))
    terms = model.losses(world.render(ids, model.pictures.size), world.caption(ids, generator), generator)
    return {name: float(value) for name, value in terms.items()}
