"""Scenes with something changed, captions with their objects exchanged, and pictures made for a score."""

import re

import torch

from ...worlds.captions import RELATIONS

__all__ = [
    'auroc', 'best_of', 'changed_scenes', 'fits', 'one_changed', 'optimized_pictures', 'swapped_caption', 'wins',
]


def auroc(
    scores,  # (n,) float
    right,  # (n,) bool
) -> float:
    "How often a right one scores more than a wrong one, ties counting half; one half is chance"
    good, bad = scores[right], scores[~right]
    if not len(good) or not len(bad):
        raise ValueError(f'expected right and wrong ones, got {len(good)} and {len(bad)}')
    gaps = good[:, None] - bad
    return float((gaps.sign().double().mean() + 1) / 2)


def wins(true, false) -> float:
    "How often the first of two scores (n,) is higher, ties counting half"
    return float(((true - false).sign().double().mean() + 1) / 2)


def _attribute_sizes(world):
    return len(world.shapes), len(world.colours), len(world.sizes), world.cells


def _renamed(world, objects):
    "Scene numbers (n,); -1 where two objects share a cell"
    cells = objects[..., 3].sort(1)[0]
    shared = (cells[:, 1:] == cells[:, :-1]).any(1)
    ids = torch.full((len(objects),), -1)
    ids[~shared] = world.ids(objects[~shared])
    return ids


def changed_scenes(
    world,  # a `World`
    ids,  # (n,) scene numbers
    p: float,  # probability that an attribute is drawn anew
    generator=None,
) -> torch.Tensor:
    "(n,) scene numbers; a scene whose objects would share a cell stays as it is"
    objects = world.objects(ids)
    other = torch.stack([torch.randint(k, objects.shape[:2], generator=generator) for k in _attribute_sizes(world)], -1)
    renew = torch.rand(objects.shape, generator=generator) < p
    new = _renamed(world, torch.where(renew, other, objects))
    return torch.where(new < 0, ids, new)


def one_changed(
    world,  # a `World` of one object
    ids,  # (n,) scene numbers
    attribute: int,  # number of the attribute
    generator=None,
) -> torch.Tensor:
    "(n,) scene numbers that differ in this attribute and in no other"
    objects, size = world.objects(ids).clone(), _attribute_sizes(world)[attribute]
    step = torch.randint(1, size, objects.shape[:2], generator=generator)
    objects[..., attribute] = (objects[..., attribute] + step) % size
    return world.ids(objects)


def _scenes(world, caption):
    "Scene numbers; none for a caption such as 'a small cat bigger than a big dog'"
    try:
        return set(world.scenes_for(caption))
    except ValueError:
        return set()


def fits(
    world,  # a `World`
    captions,  # n strings
    ids,  # (n,) scene numbers; -1 is no scene
) -> torch.Tensor:
    "(n,) bool: whether a scene can be described so"
    known = {caption: _scenes(world, caption) for caption in set(captions)}
    return torch.tensor([i in known[caption] for caption, i in zip(captions, ids.tolist())])


def swapped_caption(
    world,  # a `World` of two objects
    caption: str,
):
    "'a cat left of a dog' -> 'a dog left of a cat'; None where that says the same, or no relation is said"
    links = '|'.join(map(re.escape, RELATIONS))
    parts = re.split(f' ({links}) ', caption)
    if len(parts) != 3 or parts[0] == parts[2]:
        return None
    return ' '.join(parts[::-1])


def best_of(k, scores, others, right):
    "Means over captions of what the best of the first `k` choices gets by `scores` (n,choices)"
    best = scores[:, :k].argmax(1, keepdim=True)
    return dict(
        rewarded=float(scores.gather(1, best).mean()),
        other=float(others.gather(1, best).mean()),
        right=float(right.gather(1, best).double().mean()),
        any=float(right[:, :k].any(1).double().mean()),
    )


def optimized_pictures(
    scorer,  # a `ClipScorer`
    start,  # (n,3,S,S) float in [0,1]
    captions,  # n strings
    steps,  # ascending numbers of steps, after which pictures are given out
    lr: float = 0.02,  # of Adam
):
    "Yields (step, pictures): pixels that climb the cosine with their captions, between 0 and 1"
    from torch.nn.functional import cosine_similarity

    clip = scorer.clip
    text = scorer.captions(captions)
    pictures = start.clone().requires_grad_()
    opt = torch.optim.Adam([pictures], lr)
    for step in range(steps[-1] + 1):
        if step in steps:
            yield step, pictures.detach().clone()
        features = clip.model.encode_image(clip.ready(pictures))
        opt.zero_grad()
        (-cosine_similarity(features, text).sum()).backward()
        opt.step()
        with torch.no_grad():
            pictures.clamp_(0, 1)
