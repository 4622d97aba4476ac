"""How many different scenes must a generator see? Cover, validity and memorization at equal steps and pictures."""

# `python -m visual_token_diffusion.experiments.metrics.data_diversity` goes on where it stopped;
# `--part` and `--seeds` choose.

import argparse
import itertools
from functools import partial

import torch

from ...models.code_model import CodeModel
from ...models.latent_flow import LatentFlow
from ...models.unified.pictures import CellCodes, PatchLatents
from ...models.unified.sampling import write
from ...models.unified.switches import switches_of
from ...training.quiet import quietly
from ...training.unified_learner import unified_learner, unified_model
from ...worlds.captions import World
from ..resume import measure_missing

__all__ = [
    'CAPTIONS', 'COUNTS', 'FAMILIES', 'SeenWorld', 'choose_scenes', 'expected_cover', 'independent', 'main', 'measure',
    'memorizer', 'recombiner', 'run_captions', 'run_scenes', 'unlinked',
]

RUN = 'data-diversity'
COMMAND = 'python -m visual_token_diffusion.experiments.metrics.data_diversity'
COUNTS = (9, 36, 144, 288)
FAMILIES = ('codes', 'flow')
CAPTIONS = ('one', 'all')  # captions of a scene that are seen
SIZE, PATCH = 24, 8
STEPS, BATCH = 600, 64
DRAWS = 2880  # generated pictures
CAPTION_STEPS, EACH = 400, 5  # of the model with captions; pictures of each


# ---- what is seen ----


def choose_scenes(
    world,  # a `World` with one object
    n: int,  # scenes
    seed: int = 0,
    narrow: bool = False,  # from one shape and one size alone, in place of from all
) -> torch.Tensor:
    "(n,) long: scenes, different ones, in ascending order. Raises `ValueError`"
    ids, generator = torch.arange(len(world)), torch.Generator().manual_seed(seed)
    if narrow:
        shape, _, size, _ = world.objects(ids)[:, 0].unbind(-1)
        kinds = torch.randint(len(world.shapes), (), generator=generator), seed % len(world.sizes)
        ids = ids[(shape == kinds[0]) & (size == kinds[1])]
    if not 1 <= n <= len(ids):
        raise ValueError(f'expected 1 to {len(ids)} different scenes, got {n}')
    return ids[torch.randperm(len(ids), generator=generator)[:n]].sort().values


class SeenWorld(World):
    "A world of which some scenes are drawn, and no others"

    def __init__(
        self,
        seen,  # (n,) long
        *args,
        **kwargs,  # of `World`
    ):
        super().__init__(*args, **kwargs)
        self.seen = seen

    def sample(self, n, generator=None):
        "(n,) long: scenes among those that are seen"
        return self.seen[torch.randint(len(self.seen), (n,), generator=generator)]


# ---- what is measured ----


def expected_cover(
    n: int,  # equally likely scenes
    draws: int = DRAWS,
) -> float:
    "How many of `n` scenes turn up in so many draws"
    return n * (1 - (1 - 1 / n) ** draws)


def _perplexity(values):
    "Effective number of different values (n,), 0 for none"
    if not len(values):
        return 0.0
    p = values.unique(return_counts=True)[1].double() / len(values)
    return float((-torch.xlogy(p, p).sum()).exp())


def measure(
    found,  # (n,) long: scenes that were read, -1 for none
    seen,  # (k,) long: scenes of the training
    world,  # a `World`
) -> dict:
    """Shares of valid pictures and, of these, of seen scenes; different scenes, seen and held out; and how evenly seen
    scenes return, 1 where as evenly as in draws of them. Raises `ValueError`"""
    if not len(found):
        raise ValueError('nothing was generated')
    valid = found[found >= 0]
    known = torch.isin(valid, seen)
    even = _perplexity(memorizer(seen, int(known.sum()), 0)) if known.any() else 1.0
    return dict(
        valid=len(valid) / len(found),
        cover=len(valid.unique()),
        seen_cover=len(valid[known].unique()) / len(seen),
        evenness=_perplexity(valid[known]) / even,
        memorized=float(known.double().mean()) if len(valid) else 0.0,
        held_out=len(valid[~known].unique()),
        held_out_share=len(valid[~known].unique()) / max(1, len(world) - len(seen)),
    )


# ---- what is reached without learning ----


def memorizer(seen, n=DRAWS, seed=0):
    "(n,) long: draws of what was seen"
    return seen[torch.randint(len(seen), (n,), generator=torch.Generator().manual_seed(seed))]


def recombiner(seen, world, n=DRAWS, seed=0):
    "(n,) long: the look of a seen scene in the cell of another"
    generator = torch.Generator().manual_seed(seed)
    objects = world.objects(seen)
    look, cell = (objects[torch.randint(len(seen), (n,), generator=generator)] for _ in range(2))
    return world.ids(torch.cat([look[..., :3], cell[..., 3:]], -1))


def unlinked(seen, world, n=DRAWS, seed=0):
    "(n,) long: every attribute from another seen scene"
    generator = torch.Generator().manual_seed(seed)
    objects = world.objects(seen)
    parts = [objects[torch.randint(len(seen), (n,), generator=generator)][..., i] for i in range(4)]
    return world.ids(torch.stack(parts, -1))


def independent(seen, world, n=DRAWS, seed=0):
    "(n,) long: every place of the picture from another seen scene, -1 where that gives no scene"
    codes = CellCodes(world, SIZE)
    known = codes.encode(world.render(seen, SIZE))
    rows = torch.randint(len(seen), (n, known.shape[1]), generator=torch.Generator().manual_seed(seed))
    mixed = known[..., 0].gather(0, rows)[..., None]
    return world.parse(codes.decode(mixed)).ids


# ---- two families without captions ----


def _generated(family, world, seen, seed, steps):
    "(DRAWS,3,S,S) float: pictures of a model trained on some scenes"
    images = world.render(seen, SIZE)
    torch.manual_seed(seed)
    if family == 'codes':
        pictures = CellCodes(world, SIZE)
        model = CodeModel(pictures.encode(images).shape[1], pictures.codebook_sizes)
        model.fit(pictures.encode(images), steps, seed, BATCH, 2e-3)
        return pictures.decode(model.generate(DRAWS, generator=torch.Generator().manual_seed(seed)))
    pictures = PatchLatents(images, PATCH)
    latents = pictures.encode(images)
    model = LatentFlow(*latents.shape[1:]).fit(latents, steps, seed, BATCH)
    return pictures.decode(model.sample(DRAWS, 20, seed))


def run_scenes(
    family: str,  # one of `FAMILIES`
    n: int,  # scenes that are seen
    seed: int = 0,
    narrow: bool = False,  # as in `choose_scenes`
    steps: int = STEPS,  # batches of 64
) -> dict:
    "Train on some scenes, generate 2,880 pictures, and measure. Raises `ValueError`"
    if family not in FAMILIES:
        raise ValueError(f"family must be {' or '.join(FAMILIES)}, got '{family}'")
    world = World(1)
    seen = choose_scenes(world, n, seed, narrow)
    images = _generated(family, world, seen, seed, steps)
    return measure(world.parse(images.clamp(0, 1)).ids, seen, world)


# ---- captions ----


def _one_caption(world):
    "A function of scenes and a generator: of every scene always the same caption"
    texts = world.caption(torch.arange(len(world)), torch.Generator().manual_seed(0))
    return lambda ids, generator: [texts[i] for i in ids.tolist()]


def run_captions(
    how: str,  # one of `CAPTIONS`
    n: int,  # scenes that are seen
    seed: int = 0,
    steps: int = CAPTION_STEPS,  # batches of 32 pairs
) -> dict:
    "Train MMaDA's writer on some scenes with one or all captions of each, and write for captions of all scenes"
    if how not in CAPTIONS:
        raise ValueError(f"captions must be {' or '.join(CAPTIONS)}, got '{how}'")
    plain = World(1)
    seen = choose_scenes(plain, n, seed)
    world = SeenWorld(seen, 1)
    switches = switches_of('mmada', text_weight=0.0, drop_text=0.0)
    torch.manual_seed(seed)
    model = unified_model(switches, plain, SIZE, depth=2)
    captions = _one_caption(plain) if how == 'one' else None
    learn = unified_learner(world, switches, model, steps=steps, seed=seed, captions=captions, metrics=[])
    learn.dls.valid.dataset.n = 1
    with quietly(learn):
        learn.fit_one_cycle(1, 3e-3)
    return _written(learn.model.eval(), plain, seen)


def _written(model, world, seen, seed=0):
    "Of pictures for captions of all scenes: as `measure`, and the share of matches for seen and for other scenes"
    generator = torch.Generator().manual_seed(seed)
    ids = torch.arange(len(world)).repeat(EACH)
    captions = world.caption(ids, generator)
    parts = [write(model, captions[i : i + 288], generator=generator).images for i in range(0, len(ids), 288)]
    got = world.parse(torch.cat(parts)).ids
    right = [scene >= 0 and text in world.captions(scene) for scene, text in zip(got.tolist(), captions)]
    right, of_seen = torch.tensor(right).double(), torch.isin(ids, seen)
    found = measure(got, seen, world) | dict(match_seen=float(right[of_seen].mean()), bits=_cell_bits(model, world))
    return found | (dict(match_other=float(right[~of_seen].mean())) if not of_seen.all() else {})


def _cell_bits(model, world, n=36, seed=1):
    "Mean bits of the cell of valid pictures for captions that name colour and shape alone; the truth has 3.17"
    generator = torch.Generator().manual_seed(seed)
    looks = [text for text in world.words()[0][: len(world.shapes) * len(world.colours)]]
    bits = []
    for text in looks:
        ids = world.parse(write(model, [text] * n, generator=generator).images).ids
        cells = world.objects(ids[ids >= 0])[:, 0, 3]
        bits.append(torch.tensor(max(_perplexity(cells), 1.0)).log2().item())
    return sum(bits) / len(bits)


# ---- command ----


def _runs(seeds):
    "`(key, function)` of everything that is measured"
    for seed, family, n in itertools.product(range(seeds), FAMILIES, COUNTS):
        yield f'scenes|{family}|{n}|{seed}', partial(run_scenes, family, n, seed)
        if n == 36:
            yield f'scenes|{family}|36, narrow|{seed}', partial(run_scenes, family, n, seed, narrow=True)
    for seed, how, n in itertools.product(range(seeds), CAPTIONS, (36, 144)):
        yield f'captions|{how}|{n}|{seed}', partial(run_captions, how, n, seed)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--part', nargs='*', default=['scenes', 'captions'], choices=['scenes', 'captions'])
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    tasks = (task for task in _runs(args.seeds) if task[0].split('|')[0] in args.part)
    measure_missing(RUN, tasks, COMMAND)


if __name__ == '__main__':
    main()
