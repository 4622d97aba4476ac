"""All presets of the unified model side by side: excess over exact entropies, what is written, what is read."""

# `python -m visual_token_diffusion.experiments.unified.table` goes on where it stopped;
# `--world`, `--arm`, `--seeds`
# and `--steps` choose a part. With two objects half of what is read are questions.

import argparse
import time

import torch

from ...core.results import save_run
from ...models.unified.switches import PRESETS, preset, switches_of
from ...training.quiet import quietly
from ...training.unified_learner import caption_words, unified_learner, unified_model
from ...worlds.captions import World
from ...worlds.questions import Questions
from ..resume import saved_metrics
from .measures import loss_terms, measure, trivial

__all__ = ['ARMS', 'RUNS', 'check_steps', 'main', 'run_arm', 'run_switches']

RUNS = {1: 'unified', 2: 'unified-two'}  # by the objects of a scene
COMMAND = 'python -m visual_token_diffusion.experiments.unified.table'
ARMS = [name for name in PRESETS if name != 'janus_pro']  # its switches are those of janus
SIZES = dict(width=64, depth=2, heads=2)
BATCH, STEPS = 32, 1200
RATE = 3e-3  # highest learning rate of one cycle


def _asking(world, questions):
    "A function of scenes and a generator: captions, and pairs (question, answer), each for every second scene"

    def draw(ids, generator):
        texts = world.caption(ids, generator)
        pairs = questions.draw(ids, generator)
        return [pair if i % 2 else text for i, (text, pair) in enumerate(zip(texts, pairs))]

    return draw


def _words(world, questions):
    "`(vocab, length)` of captions, and of questions with their answers"
    vocab, length = caption_words(world, questions.vocab() if questions else ())
    return vocab, max(length, questions.length()) if questions else length


def run_switches(
    switches,  # `Switches`
    seed: int = 0,
    steps: int = STEPS,  # batches of 32 pairs
    world=None,  # None takes one object
    pictures=None,  # a tokenizer; None takes the world's exact one
    guidance: float = 1.0,  # another scale to write with
    cbs=(),  # callbacks
    **sizes,  # of the network, in place of `SIZES`
):
    "`(trained model, its measurements)`; with two objects it learns to answer questions, too"
    world = world or World(1)
    questions = Questions(world) if world.n_objects == 2 else None
    torch.manual_seed(seed)
    model = unified_model(switches, world, 24, pictures, words=_words(world, questions), **SIZES | sizes)
    captions = _asking(world, questions) if questions else None
    options = dict(steps=steps, batch=BATCH, seed=seed, captions=captions, metrics=[], cbs=list(cbs))
    learn = unified_learner(world, model=model, **options)
    learn.dls.valid.dataset.n = 1
    torch.manual_seed(seed)
    began = time.process_time()
    with quietly(learn):
        learn.fit_one_cycle(1, RATE)
    seconds = (time.process_time() - began) / steps
    found = measure(learn.model, world, guidance, questions)
    return learn.model, found | dict(losses=loss_terms(learn.model, world), cpu_seconds_a_step=seconds)


def run_arm(
    name: str,  # of a preset
    seed: int = 0,
    steps: int = STEPS,
    world=None,  # None takes one object
):
    "The measurements of a preset, trained for `steps` batches of 32 pairs"
    chosen = preset(name)
    return run_switches(chosen.switches, seed, steps, world, guidance=chosen.guidance)[1]


def check_steps(
    parser,  # an `ArgumentParser`
    found,  # of `saved_metrics`
    steps: int,  # that are asked for
):
    "Leave with one line and exit code 2 where an earlier run had other steps"
    if found and found['steps'] != steps:
        parser.error(f'the saved run has {found["steps"]} steps a model, not {steps}; remove it to start anew')


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing, one seed of all presets after the other"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--world', type=int, default=1, choices=list(RUNS), help='objects of a scene')
    parser.add_argument('--arm', nargs='*', default=ARMS, choices=list(PRESETS))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=STEPS)
    args = parser.parse_args(arguments)
    world, run = World(args.world), RUNS[args.world]
    found = saved_metrics(run)
    check_steps(parser, found, args.steps)
    for seed in range(args.seeds):
        for arm in args.arm:
            key = f'{arm}|{seed}'
            if key in found:
                continue
            found[key] = run_arm(arm, seed, args.steps, world)
            save_run(run, found | dict(trivial=trivial(world), steps=args.steps, **SIZES), COMMAND)
            row = found[key]
            print(key, row['excess'], row['writing'], row['reading'], row.get('answering'), flush=True)


if __name__ == '__main__':
    main()
