"""Averaged over all scenes, the captions of a tiny world are a language with a known grammar."""

import itertools
from collections import Counter

import torch

from .pcfg import Grammar

__all__ = ['caption_grammar', 'caption_plans']


def _plans_of_one(world, n_tails):
    "Plans for worlds of one object: the size is said or not, the cell is named or not"
    n_sizes = len(world.sizes)
    for size, tail in itertools.product([None, *range(n_sizes)], range(n_tails)):
        p = 0.25 / (1 if size is None else n_sizes)
        yield (size,), (tail,), p / (world.cells if tail else 1)


def _all_objects(world):
    "(S,C,n,4) objects without colours and shapes: all sizes and all ordered choices of cells; and the sizes (S,n)"
    n = world.n_objects
    cells = torch.tensor(list(itertools.permutations(range(world.cells), n)))
    sizes = torch.tensor(list(itertools.product(range(len(world.sizes)), repeat=n)))
    objects = torch.zeros(len(sizes), len(cells), n, 4, dtype=torch.long)
    objects[..., 2] = sizes[:, None]
    objects[..., 3] = cells
    return objects, sizes


def caption_plans(
    world,  # a `World`
):
    "Yields (sizes said, endings or links, probability): what captions fix before colours and shapes"
    n, n_tails = world.n_objects, len(world.words()[1])
    if n == 1:
        yield from _plans_of_one(world, n_tails)
        return
    objects, sizes = _all_objects(world)
    holds = world.related(objects[:, :, :-1], objects[:, :, 1:])
    p_link = holds / holds.sum(-1, keepdim=True).double()
    for tail in itertools.product(range(n_tails), repeat=n - 1):
        p = p_link[:, :, range(n - 1), tail].prod(2).mean(1) / len(sizes)
        for said in itertools.product((True, False), repeat=n):
            for row, v in zip(sizes.tolist(), p.tolist()):
                if v:
                    yield tuple(size if named else None for size, named in zip(row, said)), tail, v / 2**n


def _with_article(phrase):
    return ('an ' if phrase[0] in 'aeiou' else 'a ') + phrase


def _object_rules(world, size):
    "The rules that name an object of `size` (a number, or None where the size is not said)"
    name = _symbol(world, size)
    looks = [c if size is None else f'{world.sizes[size]} {c}' for c in world.colours]
    return {
        f'Look_{name}': {_with_article(look): 1 / len(looks) for look in looks},
        name: {f'Look_{name} Shape': 1.0},
    }


def _symbol(world, size):
    return 'Named' if size is None else f'Named_{world.sizes[size]}'


def caption_grammar(
    world,  # a `World`
) -> Grammar:
    "The captions, averaged over the scenes, as a `Grammar` without ambiguity"
    links, plans = world.words()[1], Counter()
    for said, tail, p in caption_plans(world):
        names = [_symbol(world, size) for size in said]
        parts = itertools.zip_longest(names, [links[t] for t in tail], fillvalue='')
        plans[' '.join(x for pair in parts for x in pair if x)] += p
    rules = dict(S=dict(plans), Shape=dict.fromkeys(world.shapes, 1 / len(world.shapes)))
    for size in [None, *range(len(world.sizes))]:
        rules |= _object_rules(world, size)
    return Grammar(rules)
