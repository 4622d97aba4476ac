"""MMaDA's two later stages at our size: reasoning before the result, and a reward in place of examples."""

# `python -m visual_token_diffusion.experiments.unified.mmada_lab questions`, `... longer`, `...
# unigrpo` run what is missing.

import argparse
import copy
import math
import time

import torch

from ...core.results import save_run
from ...metrics.retrieval import retrieval, retrieval_ceilings
from ...models.unified.model import UnifiedModel
from ...models.unified.pictures import CellCodes
from ...models.unified.sampling import read
from ...models.unified.switches import switches_of
from ...text.vocab import make_vocab
from ...training.quiet import quietly
from ...training.rl.tasks import WritingTask, matches_caption, shuffled
from ...training.rl.unigrpo import ARMS, UniGRPO
from ...training.unified_learner import unified_learner
from ...worlds.captions import World
from ...worlds.questions import KINDS, Questions, join_steps
from .measures import excess, writing
from ..resume import saved_metrics

__all__ = [
    'ANSWER_ARMS', 'REWARD_ARMS', 'answer_model', 'main', 'measure_answers', 'measure_writer', 'pair_draw',
    'run_questions', 'run_rewards', 'small_world', 'without_looking', 'writer',
]

COMMAND = 'python -m visual_token_diffusion.experiments.unified.mmada_lab'
SIZES = dict(width=64, depth=2, heads=2)
RATE = 3e-3  # highest learning rate of one cycle

# ---- reasoning, then result ----

ANSWER_ARMS = ('direct', 'reasoning', 'shuffled')
ANSWER_STEPS, ANSWER_BATCH = 1500, 64
ASKED = 1000  # questions of the measurement
SIDE = 16  # pixels


def small_world():
    "Two objects, each of two shapes, two colours and two sizes, in four cells: 384 scenes"
    return World(2, shapes=('circle', 'square'), colours=('red', 'blue'), cells=4)


def pair_draw(
    questions,  # `Questions`
    arm: str,  # one of `ANSWER_ARMS`; shuffled: true statements about other scenes of the batch
):
    "A function of scene numbers and a generator: pairs (question, answer)"

    def draw(ids, generator):
        pairs = questions.draw(ids, generator)
        if arm == 'direct':
            return pairs
        about = ids if arm == 'reasoning' else ids.roll(1)
        return [(q, join_steps(questions.steps(i, q), a)) for i, (q, a) in zip(about.tolist(), pairs)]

    return draw


def answer_model(
    questions,  # `Questions`
    arm: str = 'direct',  # one of `ANSWER_ARMS`
) -> UnifiedModel:
    "MMaDA's masked text for questions about pictures; it does not write any"
    switches = switches_of('mmada', text_weight=1.0, picture_weight=0.0, drop_text=0.0)
    vocab = make_vocab('words', ' '.join(questions.vocab()))
    pictures, length = CellCodes(questions.world, SIDE), questions.length(arm != 'direct')
    return UnifiedModel(switches, vocab, pictures, length, **SIZES)


def _share(rows, name, kinds=None, kind=None):
    "Mean of an entry over the answers of a kind"
    values = [float(getattr(row, name)) for i, row in enumerate(rows) if kind is None or kinds[i] == kind]
    return sum(values) / max(len(values), 1)


def _asked(questions, n):
    "`(scene numbers (n,), pairs)`: the questions of the measurement, always the same"
    generator = torch.Generator().manual_seed(12345)
    ids = questions.world.sample(n, generator)
    return ids, questions.draw(ids, generator)


def without_looking(
    questions,  # `Questions`
    n: int = ASKED,  # of the measurement
) -> dict:
    "Shares of right results, by kind and in all, of who says what is likeliest over all scenes"
    table, shares = questions.table().long(), questions.shares(torch.arange(len(questions.world)))
    counts = torch.zeros(len(questions), len(questions.answers), dtype=shares.dtype)
    best = counts.scatter_add(1, table.T.clamp(min=0), shares.T).argmax(1).tolist()
    guesses = {question: questions.answers[i] for question, i in zip(questions.texts, best)}
    right = {name: [] for name in (*KINDS, 'all')}
    for question, answer in _asked(questions, n)[1]:
        right[questions.kind(question)].append(guesses[question] == answer)
        right['all'].append(guesses[question] == answer)
    return {name: sum(values) / max(len(values), 1) for name, values in right.items()}


@torch.no_grad()
def measure_answers(
    model,  # of `answer_model`
    questions,  # `Questions`
    n: int = ASKED,  # questions
    order: str = 'left_to_right',  # in which words are written
) -> dict:
    "Shares: right results by kind and in all, answers of the right form, true statements; the same questions always"
    generator = torch.Generator().manual_seed(0)
    ids, pairs = _asked(questions, n)
    asked = [question for question, _ in pairs]
    images, said = questions.world.render(ids, model.pictures.size), []
    for i in range(0, n, 250):
        part = slice(i, i + 250)
        said += read(model, images[part], temperature=0, prompts=asked[part], order=order, generator=generator)
    rows = [questions.check(scene, *pair) for scene, *pair in zip(ids.tolist(), asked, said)]
    kinds = [questions.kind(question) for question in asked]
    found = {kind: _share(rows, 'right', kinds, kind) for kind in KINDS}
    n_steps = sum(row.steps for row in rows)
    true = sum(row.true for row in rows) / n_steps if n_steps else 0.0
    formed = sum(row.form and row.steps > 0 for row in rows) / n
    return found | dict(all=_share(rows, 'right'), form=formed, true=true)


def run_questions(
    arm: str,  # one of `ANSWER_ARMS`
    seed: int = 0,
    steps: int = ANSWER_STEPS,
) -> dict:
    "Measurements of a model trained on questions, in both orders of writing"
    questions = Questions(small_world())
    torch.manual_seed(seed)
    model = answer_model(questions, arm)
    options = dict(steps=steps, batch=ANSWER_BATCH, seed=seed, size=SIDE, metrics=[])
    learn = unified_learner(questions.world, model.switches, model, captions=pair_draw(questions, arm), **options)
    learn.dls.valid.dataset.n = 1
    with quietly(learn):
        learn.fit_one_cycle(1, RATE)
    model.eval()
    return {order: measure_answers(model, questions, order=order) for order in ('left_to_right', 'confidence')}


# ---- a reward ----

REWARD_ARMS = (*ARMS, 'shuffled', 'examples')
WRITER_STEPS, ROUNDS = 600, 50
PROMPTS, GROUP = 16, 8  # captions a round, pictures of each
MU = 4  # updates a round
LR = 1e-4


def writer(
    world,  # a `World` with one object
    seed: int = 0,
    steps: int = WRITER_STEPS,
) -> UnifiedModel:
    "The MMaDA preset after a short training on pairs"
    learn = unified_learner(world, 'mmada', steps=steps, batch=32, seed=seed, metrics=[], **SIZES)
    learn.dls.valid.dataset.n = 1
    torch.manual_seed(seed)
    with quietly(learn):
        learn.fit_one_cycle(1, RATE)
    return learn.model.eval()


def measure_writer(model, world):
    "Match, validity, cover and bits of a free cell of two pictures a scene, and both excesses in bits"
    return writing(model, world) | dict(excess=excess(model, world))


def _examples(model, world, seed, rounds):
    "As many updates with as many pairs as `UniGRPO` has pictures, at its learning rate, from examples"
    generator = torch.Generator().manual_seed(seed)
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=LR, weight_decay=0.0)
    for _ in range(rounds * MU):
        _, images, captions = world.batch(PROMPTS * GROUP, model.pictures.size, generator)
        optimizer.zero_grad()
        sum(model(images, captions, generator).values()).backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
    return []


def _drawn(world):
    "A function of a generator: captions of scenes drawn at random"
    return lambda generator: world.caption(world.sample(PROMPTS, generator), generator)


def run_rewards(
    arm: str,  # one of `REWARD_ARMS`
    model,  # of `writer`; it stays as it is
    world,  # a `World` with one object
    seed: int = 0,
    rounds: int = ROUNDS,
    **options,  # of `UniGRPO`
) -> dict:
    "Measurements after rounds with a reward, or after as many updates with examples, and means of tenths of the rounds"
    model = copy.deepcopy(model)
    began = time.process_time()
    if arm == 'examples':
        rows = _examples(model, world, seed, rounds)
    else:
        reward = matches_caption(world)
        task = WritingTask(shuffled(reward, GROUP, seed) if arm == 'shuffled' else reward)
        options = dict(mu=MU, group=GROUP, lr=LR, seed=seed) | options
        rows = UniGRPO(model, task, arm if arm in ARMS else 'even', **options).fit(_drawn(world), rounds)
    seconds = (time.process_time() - began) / rounds
    return measure_writer(model.eval(), world) | dict(course=_course(rows), cpu_seconds_a_round=seconds)


def _course(rows, parts=10):
    "Means of what is watched over each of `parts` parts of the rounds"
    size = max(1, len(rows) // parts)
    blocks = [rows[i : i + size] for i in range(0, len(rows), size)]
    names = ('reward', 'kl', 'clipped') if rows else ()
    return {name: [math.fsum(row[name] for row in block) / len(block) for block in blocks] for name in names}


# ---- command ----


def _questions(seeds):
    "All arms on questions, what is missing"
    found = saved_metrics('mmada-questions')
    facts = dict(steps=ANSWER_STEPS, batch=ANSWER_BATCH, blind=Questions(small_world()).blind(), **SIZES)
    for seed in range(seeds):
        for arm in ANSWER_ARMS:
            if f'{arm}|{seed}' in found:
                continue
            found[f'{arm}|{seed}'] = run_questions(arm, seed)
            save_run('mmada-questions', found | facts, f'{COMMAND} questions')
            print(arm, seed, found[f'{arm}|{seed}'], flush=True)


def _longer(seeds):
    "Reasoning with three times the steps, what is missing; after `_questions`"
    found = saved_metrics('mmada-questions')
    for seed in range(seeds):
        key = f'reasoning, three times the steps|{seed}'
        if key not in found:
            found[key] = run_questions('reasoning', seed, 3 * ANSWER_STEPS)
            save_run('mmada-questions', found, f'{COMMAND} questions; {COMMAND} longer')
            print(key, found[key], flush=True)


def _unigrpo(seeds):
    "All arms with a reward, what is missing, and retrieval before it"
    found, world = saved_metrics('mmada-unigrpo'), World(1)
    facts = dict(steps=WRITER_STEPS, rounds=ROUNDS, prompts=PROMPTS, group=GROUP, mu=MU, lr=LR, **SIZES)
    for seed in range(seeds):
        missing = [arm for arm in ('before', *REWARD_ARMS) if f'{arm}|{seed}' not in found]
        model = writer(world, seed) if missing else None
        for arm in missing:
            row = _first(model, world, seed) if arm == 'before' else run_rewards(arm, model, world, seed)
            found[f'{arm}|{seed}'] = row
            save_run('mmada-unigrpo', found | facts, f'{COMMAND} unigrpo')
            print(arm, seed, row, flush=True)


def _first(model, world, seed, n=32):
    "Measurements of a writer before any reward, with retrieval in a pool of `n` pairs"
    ids, images, captions = world.batch(n, model.pictures.size, torch.Generator().manual_seed(seed))
    pool = dict(found=retrieval(model, images, captions), ceilings=retrieval_ceilings(world, ids, captions))
    return measure_writer(model, world) | dict(retrieval=pool)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing of one experiment, one seed of all arms after the other"
    parser = argparse.ArgumentParser(description=__doc__)
    parts = dict(questions=_questions, longer=_longer, unigrpo=_unigrpo)
    parser.add_argument('part', choices=list(parts))
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    parts[args.part](args.seeds)


if __name__ == '__main__':
    main()
