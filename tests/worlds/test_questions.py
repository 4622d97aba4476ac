"Questions: answers found anew by plain loops, reasoning that is true, guesses that are counted."

import itertools
from collections import Counter, defaultdict

import pytest
import torch

from visual_token_diffusion.worlds.captions import World
from visual_token_diffusion.worlds.questions import KINDS, Questions, join_steps

SMALL = Questions(World(2, shapes=('circle', 'square'), colours=('red', 'blue'), cells=4))
FULL = Questions(World(2))
SCENE = [('circle', 'red', 'small', 0), ('square', 'blue', 'big', 4)]


def related(name, a, b):
    "Whether a relation holds between two objects of a world with two cells in a row"
    (a_row, a_col), (b_row, b_col) = divmod(a.cell, 2), divmod(b.cell, 2)
    return {
        'left of': a_col < b_col, 'right of': a_col > b_col, 'above': a_row < b_row, 'below': a_row > b_row,
        'bigger than': (a.size, b.size) == ('big', 'small'),
    }[name]


def plainly(scene, question):
    "The answer to a question about two objects, from its words alone; None where it cannot be asked"
    words = question.split()
    if question.startswith('how many'):
        wanted = [w.removesuffix('s') for w in words[2:] if w != 'objects']
        return str(sum(all(w in (o.shape, o.colour, o.size) for w in wanted) for o in scene))
    if question.startswith('are the'):
        a, b = (getattr(o, dict(shapes='shape', colors='colour', sizes='size')[words[2]]) for o in scene)
        return 'yes' if a == b else 'no'
    if question == 'which is bigger':
        big = [o for o in scene if o.size == 'big']
        return f'{big[0].colour} {big[0].shape}' if len(big) == 1 else 'neither'
    if question.startswith('where'):
        found = [o for o in scene if (o.colour, o.shape) == tuple(words[3:])]
        places = 'top left', 'top right', 'bottom left', 'bottom right'
        return places[found[0].cell] if len(found) == 1 else None
    if question.startswith('what is'):
        found = [o for o in scene if o.shape == words[-1]]
        if len(found) != 1:
            return None
        other = next(o for o in scene if o != found[0])
        holds = related(question[8:].split(' the ')[0], other, found[0])
        return f'{other.colour} {other.shape}' if holds else 'nothing'
    by_shape = {o.shape: o for o in scene}
    if len(by_shape) < 2 or words[2] not in by_shape or words[-1] not in by_shape:
        return None
    holds = related(question.split(f'{words[2]} ')[1].split(' the ')[0], by_shape[words[2]], by_shape[words[-1]])
    return 'yes' if holds else 'no'


def test_every_answer_about_every_small_scene():
    for i in range(len(SMALL.world)):
        scene = SMALL.world.scene(i)
        for question, number in zip(SMALL.texts, SMALL.table()[i].tolist()):
            assert plainly(scene, question) == (SMALL.answers[number] if number >= 0 else None), (scene, question)


def test_answers_of_the_large_world():
    asked = {
        'how many red objects': '1', 'how many small squares': '0', 'which is bigger': 'blue square',
        'are the sizes equal': 'no', 'where is the red circle': 'top left', 'what is left of the square': 'red circle',
        'what is left of the circle': 'nothing', 'is the circle above the square': 'yes',
    }
    assert {question: FULL.answer(SCENE, question) for question in asked} == asked
    assert Counter(map(FULL.kind, FULL.texts)) == dict(count=18, locate=32, compare=4, relation=60)


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match='presupposes'):
        FULL.answer(SCENE, 'where is the green cross')
    with pytest.raises(ValueError, match='cannot understand the question'):
        FULL.answer(SCENE, 'how many clouds')
    with pytest.raises(ValueError, match='one or two objects'):
        Questions(World(3))


def test_reasoning_comes_back_and_is_true():
    for i, question in itertools.product(range(0, len(SMALL.world), 7), SMALL.texts):
        steps = SMALL.steps(i, question)
        text = join_steps(steps, 'yes')
        assert SMALL.parse(text) == (steps, 'yes') and all(SMALL.is_true(i, step) for step in steps)


@pytest.mark.parametrize(
    'text, wanted',
    [
        ('think red circle blue square so 1', (True, True, 2, 2)),
        ('think red circle green cross so 1', (True, True, 1, 2)),
        ('think small red circle middle so 2', (False, True, 0, 1)),
        ('1', (True, True, 0, 0)),
        ('think circle red so 1', (True, False, 0, 0)),
        ('think red circle', (False, True, 1, 1)),
        ('', (False, True, 0, 0)),
    ],
)
def test_checks(text, wanted):
    assert FULL.check(SCENE, 'how many red objects', text) == wanted


def test_questions_are_drawn_with_their_shares_and_answered():
    ids = SMALL.world.sample(3000, torch.Generator().manual_seed(0))
    drawn = SMALL.draw(ids, torch.Generator().manual_seed(1), reasoning=True)
    for scene, (question, text) in zip(ids[:200].tolist(), drawn):
        checked = SMALL.check(scene, question, text)
        assert checked.right and checked.form and checked.true == checked.steps == 2
    shares = SMALL.shares(torch.arange(len(SMALL.world)))
    assert torch.allclose(shares.sum(1), torch.ones(len(shares), dtype=torch.float64))
    assert not shares[SMALL.table() < 0].any()
    counts = Counter(SMALL.kind(question) for question, _ in drawn)
    for kind, row in SMALL.blind().items():
        assert abs(counts[kind] / 3000 - row['share']) < 0.04


def test_what_can_be_guessed_is_counted_anew():
    joint = defaultdict(Counter)
    for i in range(len(SMALL.world)):
        kinds = defaultdict(list)
        for question, number in zip(SMALL.texts, SMALL.table()[i].tolist()):
            if number >= 0:
                kinds[SMALL.kind(question)].append((question, number))
        for kind, pairs in kinds.items():
            for question, number in pairs:
                joint[question][number] += 1 / len(kinds) / len(pairs) / len(SMALL.world)
    for kind in KINDS:
        rows = [row for question, row in joint.items() if SMALL.kind(question) == kind]
        share = sum(sum(row.values()) for row in rows)
        assert SMALL.blind()[kind]['right'] == pytest.approx(sum(max(row.values()) for row in rows) / share)
        assert SMALL.blind()[kind]['share'] == pytest.approx(share)


def test_one_object_is_counted_and_located():
    one = Questions(World(1))
    assert set(one.blind()) == {'count', 'locate'} and one.blind()['locate']['right'] == pytest.approx(1 / 9)


@pytest.mark.parametrize('questions', [SMALL, FULL, Questions(World(1))])
@pytest.mark.parametrize('reasoning', [False, True])
def test_words_and_lengths_are_enough(questions, reasoning):
    ids = questions.world.sample(1000, torch.Generator().manual_seed(0))
    texts = [f'{q} {a}' for q, a in questions.draw(ids, torch.Generator().manual_seed(1), reasoning)]
    assert set(' '.join(texts).split()) <= set(questions.vocab())
    assert max(len(text.split()) for text in texts) < questions.length(reasoning)
