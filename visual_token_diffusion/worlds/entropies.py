"""Five entropies of scenes and captions, exact, for 288 scenes as for 2.7 million."""

# H(scene) is the logarithm of the count, H(caption) the closed form of the grammar. H(caption | scene) needs the
# captions of every scene; but only *which* objects look alike matters, not what they look like, so one scene of each
# pattern is enough, weighted by how many it stands for: 3,360 instead of 2,752,512 for three objects.

import itertools
import math

import torch

from .caption_grammar import caption_grammar

__all__ = ['caption_entropies', 'entropy_given_scene', 'representatives']


def _patterns(n, looks):
    "Yields the ways in which `n` objects of at most `looks` looks can be alike, numbered as they come"
    for labels in itertools.product(range(n), repeat=n):
        in_order = all(x <= max(labels[:i], default=-1) + 1 for i, x in enumerate(labels))
        if in_order and max(labels) < looks:
            yield labels


def representatives(
    world,  # a `World`
):
    "(scene numbers, weights): one scene for every pattern of equal looks, sizes and cells, and the share it stands for"
    n, colours = world.n_objects, len(world.colours)
    looks = len(world.shapes) * colours
    sizes = torch.tensor(list(itertools.product(range(len(world.sizes)), repeat=n)))
    ids, weights = [], []
    for labels in _patterns(n, looks):
        objects = torch.zeros(len(sizes), len(world.places), n, 4, dtype=torch.long)
        objects[..., 0] = torch.tensor(labels) // colours
        objects[..., 1] = torch.tensor(labels) % colours
        objects[..., 2] = sizes[:, None]
        objects[..., 3] = world.places
        ids.append(world.ids(objects.view(-1, n, 4)))
        weights += [math.perm(looks, max(labels) + 1) / world.n_scenes] * len(ids[-1])
    return torch.cat(ids), torch.tensor(weights, dtype=torch.float64)


def _case_keys(world, scene, named, tail):
    "(n,) long: one number for scene and caption"
    phrases, tails = map(len, world.words())
    for column in named.T:
        scene = scene * phrases + column
    for column in tail.T:
        scene = scene * tails + column
    return scene


def entropy_given_scene(
    world,  # a `World`
    ids,  # (n,) scene numbers, ascending
) -> torch.Tensor:
    "(n,) float64 bits: entropy of the captions of each scene"
    keys, probs = [], []
    for scenes, named, tail, p in world.cases(ids):
        keys.append(_case_keys(world, torch.searchsorted(ids, scenes), named, tail))
        probs.append(p)
    keys, case = torch.cat(keys).unique(return_inverse=True)
    p = torch.zeros(len(keys), dtype=torch.float64).index_add_(0, case, torch.cat(probs))
    phrases, tails = map(len, world.words())
    captions = phrases**world.n_objects * tails ** max(world.n_objects - 1, 1)
    return torch.zeros(len(ids), dtype=torch.float64).index_add_(0, keys // captions, -p * p.log2())


def caption_entropies(
    world,  # a `World`
) -> dict:
    "Bits, exact: entropies of scene and caption, each alone and given the other, and what they share"
    ids, weights = representatives(world)
    order = ids.argsort()
    scene, caption = math.log2(world.n_scenes), caption_grammar(world).entropy()
    given = (entropy_given_scene(world, ids[order]) * weights[order]).sum().item()
    return {
        'scene': scene,
        'caption': caption,
        'caption given scene': given,
        'scene given caption': scene - caption + given,
        'shared': caption - given,
    }
