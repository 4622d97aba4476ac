"""All presets of the unified model side by side: excess over exact entropies, what is written, what is read."""

# `python -m visual_token_diffusion.experiments.unified_table` goes on where it stopped; `--arm`, `--seeds` and
# `--steps` choose a part.

import argparse
import math
import time

import torch

from ..core.results import load_run, save_run
from ..models.unified.sampling import read, write
from ..models.unified.switches import PRESETS, preset, switches_of
from ..training.quiet import quietly
from ..training.unified_learner import unified_learner
from ..worlds.captions import World

__all__ = [
    'ARMS', 'VARIANTS', 'all_pairs', 'excess', 'loss_terms', 'main', 'measure', 'network_calls', 'reading', 'run_arm',
    'trivial', 'writing',
]

RUN = 'unified'
COMMAND = 'python -m visual_token_diffusion.experiments.unified_table'
ARMS = [name for name in PRESETS if name != 'janus_pro']  # its switches are those of janus
VARIANTS = {  # one switch of Transfusion at a time
    'transfusion_flow': dict(picture_objective='flow'),
    'transfusion_clean': dict(noise_before_text=0.0),
}
SIZES = dict(width=64, depth=2, heads=2)
BATCH, STEPS = 32, 1200
RATE = 3e-3  # highest learning rate of one cycle
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


def _in_parts(nll, n):
    "Values (n,) of a function of a slice"
    return torch.cat([nll(slice(i, i + 256)) for i in range(0, n, 256)]).double()


def excess(
    model,  # a `UnifiedModel`
    world,  # a `World`
):
    "`{'caption', 'picture': bits}` above the exact entropies, over all pairs with their probabilities"
    ids, captions, p = all_pairs(world)
    images, bits = world.render(ids, model.pictures.size), world.entropies()
    captioned = _in_parts(lambda s: model.caption_nll(images[s], captions[s]), len(ids))
    found = dict(caption=float((captioned * p).sum()) / math.log(2) - bits['caption given scene'])
    if model.switches.picture_form == 'codes':
        drawn = _in_parts(lambda s: model.picture_nll(captions[s], images[s]), len(ids))
        found['picture'] = float((drawn * p).sum()) / math.log(2) - bits['scene given caption']
    return found


def _entropy(values):
    "Bits of the shares of values (n,) long"
    p = values.bincount().double()
    p = p[p > 0] / p.sum()
    return float(-(p * p.log2()).sum())


def writing(model, world, guidance=1.0, each=2, seed=0):
    "Of pictures written for captions: valid ones, those that satisfy the caption, different ones, bits of a free cell"
    generator = torch.Generator().manual_seed(seed)
    ids = torch.arange(len(world)).repeat(each)
    captions = world.caption(ids, generator)
    steps = NOISE_CALLS if model.switches.is_noised else 0
    written = []
    for i in range(0, len(ids), 288):
        out = write(model, captions[i : i + 288], steps, guidance, generator)
        written.append(world.parse(out.images).ids)
    got = torch.cat(written)
    right = torch.tensor([i >= 0 and text in world.captions(i) for i, text in zip(got.tolist(), captions)])
    places = [place for place in world.words()[1] if place]
    free = torch.tensor([not any(text.endswith(place) for place in places) for text in captions])
    cells = world.objects(got[free & (got >= 0)])[:, 0, 3]
    return dict(
        valid=float((got >= 0).double().mean()),
        match=float(right.double().mean()),
        cover=len(set(got[got >= 0].tolist())),
        free_cell=_entropy(cells) if len(cells) else 0.0,
    )


def reading(model, world, seed=0):
    "Share of scenes for which a caption that is read is possible"
    ids = torch.arange(len(world))
    said = read(model, world.render(ids, model.pictures.size), generator=torch.Generator().manual_seed(seed))
    return sum(text in world.captions(i) for i, text in enumerate(said)) / len(said)


def network_calls(model):
    "`{'picture', 'caption': calls}` that the measurements take"
    s = model.switches
    return dict(picture=NOISE_CALLS if s.is_noised else model.n_places, caption=model.text_length)


def measure(
    model,  # a trained `UnifiedModel`
    world,  # a `World`
    guidance: float = 1.0,  # another scale for the entry `guided`
):
    "Everything the table says of a trained model"
    model.eval()
    found = dict(excess=excess(model, world), writing=writing(model, world), reading=reading(model, world))
    if guidance != 1:
        found['guided'] = writing(model, world, guidance, each=1)
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    backbone = sum(p.numel() for p in model.backbone.parameters())
    return found | dict(calls=network_calls(model), parameters=parameters, backbone=backbone)


def trivial(world):
    "What is reached without looking: true captions and scenes, drawn without regard to what is given"
    bits, (ids, captions, p) = world.entropies(), all_pairs(world)
    meant = torch.tensor([len(world.scenes_for(text)) for text in captions], dtype=torch.float64)
    by_chance = float((meant / len(world) * p).sum())
    n = 2 * len(world)
    cover = len(world) * (1 - (1 - 1 / len(world)) ** n)
    return dict(excess=bits['shared'], match=by_chance, cover=cover, free_cell=math.log2(world.cells))


def run_arm(
    name: str,  # of a preset, or one of `VARIANTS`
    seed: int = 0,
    steps: int = STEPS,
    world=None,  # None takes one object
):
    "The measurements of a preset, trained for `steps` batches of 32 pairs"
    world = world or World(1)
    base = name.split('_')[0] if name in VARIANTS else name
    switches = switches_of(base, **VARIANTS.get(name, {}))
    learn = unified_learner(world, switches, steps=steps, batch=BATCH, seed=seed, metrics=[], **SIZES)
    learn.dls.valid.dataset.n = 1
    torch.manual_seed(seed)
    began = time.process_time()
    with quietly(learn):
        learn.fit_one_cycle(1, RATE)
    seconds = (time.process_time() - began) / steps
    found = measure(learn.model, world, preset(base).guidance)
    return found | dict(losses=loss_terms(learn.model, world), cpu_seconds_a_step=seconds)


@torch.no_grad()
def loss_terms(model, world):
    "`{term: value}` on all scenes with a caption each, weights included"
    generator = torch.Generator().manual_seed(0)
    ids = torch.arange(len(world))
    terms = model.losses(world.render(ids, model.pictures.size), world.caption(ids, generator), generator)
    return {name: float(value) for name, value in terms.items()}


def _before():
    "What an earlier run has found"
    try:
        return load_run(RUN)['metrics']
    except ValueError:
        return {}


def main():
    "Run what is missing, one seed of all presets after the other"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--arm', nargs='*', default=ARMS, choices=[*PRESETS, *VARIANTS])
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=STEPS)
    args = parser.parse_args()
    found = _before()
    for seed in range(args.seeds):
        for arm in args.arm:
            key = f'{arm}|{seed}'
            if key in found:
                continue
            found[key] = run_arm(arm, seed, args.steps)
            save_run(RUN, found | dict(trivial=trivial(World(1)), steps=args.steps, **SIZES), COMMAND)
            row = found[key]
            print(key, row['excess'], row['writing'], row['reading'], flush=True)


if __name__ == '__main__':
    main()
