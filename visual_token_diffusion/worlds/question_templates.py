"""The templates of questions about scenes of one or two objects, each with its rule for the answer."""

# A rule takes objects (n,k,4) and gives (n,) numbers of answers, -1 where a question presupposes what is not there.

import itertools
from functools import partial

import torch

from .captions import RELATIONS

__all__ = ['Question', 'SIDES', 'templates']

SIDES = ('left of', 'right of', 'above', 'below')


class Question:
    "A question: its kind, and the rule for its answer"

    def __init__(
        self,
        kind: str,  # count, compare, locate or relation
        answer,  # function of objects (n,k,4): (n,) long
    ):
        self.kind, self.answer = kind, answer


def templates(
    questions,  # `Questions`: a world, its places and all answers
) -> dict:
    "`{text: Question}`, every question that can be asked"
    found = {text: Question('count', rule) for text, rule in _counts(questions.world)}
    found |= {text: Question('locate', rule) for text, rule in _places(questions)}
    if questions.world.n_objects == 1:
        return found
    found |= {text: Question('compare', rule) for text, rule in _equals(questions)}
    found |= {text: Question('locate', rule) for text, rule in _neighbours(questions)}
    return found | {text: Question('relation', rule) for text, rule in _relations(questions)}


def _plural(word):
    return word + ('es' if word.endswith('s') else 's')


def _match(objects, shape=None, colour=None, size=None):
    "(n,k) bool: which objects (n,k,4) fit a description"
    fits = torch.ones(objects.shape[:2], dtype=torch.bool)
    for column, wanted in enumerate((shape, colour, size)):
        if wanted is not None:
            fits &= objects[..., column] == wanted
    return fits


def _where_true(asked, objects, rule):
    "(n,) long: answers by a rule for those objects (n,k,4) for which `asked` (n,) holds, else -1"
    found = torch.full((len(objects),), -1)
    found[asked] = rule(objects[asked])
    return found


def _this_and_other(objects, shape):
    "The object (n,4) of a shape, and the other"
    rows, at = torch.arange(len(objects)), _match(objects, shape).long().argmax(1)
    return objects[rows, at], objects[rows, 1 - at]


def _counts(world):
    "How many objects fit a description: a colour, a size, a shape, or a size with a shape"
    wanted = {f'{c} objects': dict(colour=i) for i, c in enumerate(world.colours)}
    wanted |= {f'{z} objects': dict(size=i) for i, z in enumerate(world.sizes)}
    wanted |= {_plural(s): dict(shape=i) for i, s in enumerate(world.shapes)}
    for (i, z), (j, s) in itertools.product(enumerate(world.sizes), enumerate(world.shapes)):
        wanted[f'{z} {_plural(s)}'] = dict(size=i, shape=j)
    for name, look in wanted.items():
        yield f'how many {name}', lambda objects, look=look: _match(objects, **look).sum(1)


def _places(q):
    "Where the only object of a colour and a shape is"
    first = q.answers.index(q.places[0])

    def cell(shape, colour, objects):
        return first + (objects[..., 3] * _match(objects, shape, colour)).sum(1)

    def cell_of(shape, colour, objects):
        only = _match(objects, shape, colour).sum(1) == 1
        return _where_true(only, objects, partial(cell, shape, colour))

    for (i, s), (j, c) in itertools.product(enumerate(q.world.shapes), enumerate(q.world.colours)):
        yield f'where is the {c} {s}', partial(cell_of, i, j)


def _look_answer(q, objects):
    "(n,) long: number of the answer that names the colour and shape of objects (n,4)"
    first = q.answers.index(f'{q.world.colours[0]} {q.world.shapes[0]}')
    return first + objects[..., 0] * len(q.world.colours) + objects[..., 1]


def _equals(q):
    "Whether both objects share something, and which is bigger"
    yes, no, neither = map(q.answers.index, ('yes', 'no', 'neither'))

    def equal(column, objects):
        return torch.where(objects[:, 0, column] == objects[:, 1, column], yes, no)

    def bigger(objects):
        sizes = objects[..., 2]
        big = objects[torch.arange(len(objects)), sizes.argmax(1)]
        return torch.where(sizes[:, 0] == sizes[:, 1], neither, _look_answer(q, big))

    for column, name in enumerate(('shapes', 'colors', 'sizes')):
        yield f'are the {name} equal', partial(equal, column)
    yield 'which is bigger', bigger


def _neighbours(q):
    "What is on a side of the only object of a shape"
    nothing, names = q.answers.index('nothing'), list(RELATIONS)

    def found(side, shape, objects):
        this, other = _this_and_other(objects, shape)
        holds = q.world.related(other, this)[:, names.index(side)]
        return torch.where(holds, _look_answer(q, other), nothing)

    def beside(side, shape, objects):
        only = _match(objects, shape).sum(1) == 1
        return _where_true(only, objects, partial(found, side, shape))

    for side, (i, s) in itertools.product(SIDES, enumerate(q.world.shapes)):
        yield f'what is {side} the {s}', partial(beside, side, i)


def _relations(q):
    "Whether a relation holds between two different shapes"
    yes, no = map(q.answers.index, ('yes', 'no'))

    def holds(number, shape, objects):
        return torch.where(q.world.related(*_this_and_other(objects, shape))[:, number], yes, no)

    def related(number, shape, other, objects):
        both = _match(objects, shape).any(1) & _match(objects, other).any(1)
        return _where_true(both, objects, partial(holds, number, shape))

    pairs = itertools.permutations(enumerate(q.world.shapes), 2)
    for ((i, a), (j, b)), (n, name) in itertools.product(pairs, enumerate(RELATIONS)):
        yield f'is the {a} {name} the {b}', partial(related, n, i, j)
