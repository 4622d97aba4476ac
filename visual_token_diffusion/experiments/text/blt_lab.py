"""Where should a patch begin? BLT at an equal number of patches, beside bytes and byte pairs, on two texts."""

# `python -m visual_token_diffusion.experiments.text.blt_lab` goes on where it stopped; `--text`,
# `--arm` and `--seeds`
# choose a part. Counted are processor seconds, so that other work on the machine does not lengthen a step.

import argparse
import itertools
import math
import time

import torch

from ...core.results import save_run
from ...models.blt import BLT
from ...models.byte_model import ByteModel
from ...text.patches import OFFSET, patch_lengths
from ...text.patching import THRESHOLD, EntropyPatcher, Patcher, fit_threshold
from ...training.callbacks import SpeedCB
from .blt_texts import LENGTH, bpe_rows, entropies, fit, mean_length, ngram, patcher_of, small_model, text_rows
from ..resume import saved_metrics

__all__ = ['ARMS', 'STEPS', 'TEXTS', 'arm_starts', 'facts', 'main', 'run_arm', 'space_length', 'thresholds']

RUN = 'blt'
COMMAND = 'python -m visual_token_diffusion.experiments.text.blt_lab'
TEXTS = ('stories', 'wordnet')
STEPS = 400
BATCH = 16
LR = 8e-3  # highest learning rate
MOST = 24  # longest patch
SIZES = dict(width=64, depth=2, heads=2)  # of the network over patches, bytes or byte pairs
LOCAL = dict(local_width=32, local_heads=2, window=32, rows=2000, functions=1, patcher='space')
ARMS = {  # name: (source of entropies, rule)
    'exact entropy': ('exact', 'entropy'),
    'model entropy': ('model', 'entropy'),
    '4-gram entropy': ('4-gram', 'entropy'),
    'stride': (None, 'stride'),
    'spaces': (None, 'space'),
    'random': (None, 'random'),
    'exact, relative': ('exact', 'relative'),
    'every byte': (None, 'byte'),
    'bytes': None,
    'bytes, equal positions': None,
    'byte pairs': None,
}


def arm_starts(
    text: str,  # name of a text
    arm: str,  # of `ARMS`, one with patches
    seed: int = 0,  # of the byte model that says entropies
):
    "Where patches start in training rows and held-out rows; all arms have the mean length of the patches at spaces"
    rows = text_rows(text)
    source, rule = ARMS[arm]
    length = space_length(text)
    given = entropies(text, source, seed) if source else (None, None)
    some = rows.train[:1000], given[0] if source is None else given[0][:1000]
    if source:
        threshold = fit_threshold(*some, length, rule, max_patch_length=MOST)
        patcher = Patcher.make(rule, threshold=threshold, max_patch_length=MOST)
    else:
        patcher = patcher_of(rule, *some, length, MOST)
    return [patcher(tokens, H, next_byte=False) for tokens, H in zip(rows[:2], given)]


def _count(model):
    return sum(p.numel() for p in model.parameters())


def space_length(
    text: str,  # name of a text
):
    "Mean length of the patches at spaces, which all arms have"
    return mean_length(Patcher.make('space', max_patch_length=MOST)(text_rows(text).train, next_byte=False))


def run_arm(
    text: str,  # name of a text
    arm: str,  # of `ARMS`
    seed: int = 0,
    steps: int = STEPS,
):
    "Held-out bits per byte, positions of the large network per row, processor time of a step, parameters"
    rows = text_rows(text)
    batch = round(BATCH / space_length(text)) if arm == 'bytes, equal positions' else BATCH
    model, train, valid, positions = _plain(text, arm, seed) if ARMS[arm] is None else _patched(text, arm, seed)
    began, speed = time.process_time(), SpeedCB()
    model, bits = fit(model, train, valid, steps, seed, batch, LR, cbs=[speed])
    seconds = time.process_time() - began
    found = dict(bits=bits, positions=positions, batch=batch, parameters=_count(model))
    found['cpu_ms'], found['step_ms'] = 1e3 * seconds / steps, speed.rows[-1]['step_ms']
    if not math.isnan(rows.floor):
        found['excess'] = bits - rows.floor
    return found


def _patched(text, arm, seed):
    "A BLT, training rows and held-out rows with their starts, patches per held-out row"
    starts = arm_starts(text, arm, seed)
    torch.manual_seed(seed)
    train, valid = zip(text_rows(text)[:2], starts)
    return BLT(**SIZES, **LOCAL), train, valid, float(starts[1].sum(1).double().mean())


def _plain(text, arm, seed):
    "A byte model, training rows and held-out rows, tokens per held-out row"
    torch.manual_seed(seed)
    if arm != 'byte pairs':
        train, valid = text_rows(text)[:2]
        return ByteModel(**SIZES), (train, None), (valid, None), LENGTH
    train, valid, size = bpe_rows(text)
    positions = float((valid >= 0).sum(1).double().mean())
    return ByteModel(size, **SIZES), (train, None), (valid, None), positions


def facts(
    text: str,  # name of a text
):
    "The floor and what trivial models need, bits per byte; patches of each arm"
    rows = text_rows(text)
    ids = [row[1:].tolist() for row in rows.valid]
    nats = {k: -ngram(text, k).log_prob(ids).mean() for k in (1, 2, 4)}
    bits = {f'{k}-gram': float(v) / math.log(2) for k, v in nats.items()}
    n_chars = sum(len(bytes(row).decode('utf-8', 'replace')) for row in (rows.valid[:, 1:] - OFFSET).tolist())
    per_char = rows.valid[:, 1:].numel() / n_chars
    patches = {}
    for arm, how in ARMS.items():
        if how is None or arm.startswith('exact') and text != 'stories':
            continue
        lengths = patch_lengths(arm_starts(text, arm)[1])
        lengths = lengths[lengths > 0].double()
        patches[arm] = dict(mean=float(lengths.mean()), deviation=float(lengths.std()), longest=int(lengths.max()))
    small = [small_model(text, seed=seed)[1] for seed in range(3)]
    return dict(floor=rows.floor, trivial=bits, bytes_per_char=per_char, patches=patches, small_model=small)


def _sources(text, other):
    "Yields (name, function of tokens: entropies) for the shipped threshold"
    rows = text_rows(text)
    if rows.exact[1] is not None:
        yield 'the grammar', lambda tokens: rows.exact[1]
    yield '4-gram', lambda tokens: entropies(text, '4-gram')[1]
    for steps in (0, 25, 50, 100, 200, 400):
        yield f'byte model, {steps} steps', (small_model(text, steps) if steps else _untrained())[0].entropies
    trained = small_model(text)[0]
    yield 'trained on the other text', small_model(other)[0].entropies
    yield 'bytes without their offset', lambda tokens: trained.entropies((tokens - OFFSET).clamp(min=0))
    yield 'context of 4 bytes', lambda tokens: _short(trained, tokens, 4)
    yield 'bits for nats', lambda tokens: trained.entropies(tokens) / math.log(2)


def _untrained():
    torch.manual_seed(0)
    return ByteModel(width=32, depth=1).eval(), 8.0


def _short(model, tokens, n):
    "Entropies of a model that starts anew after every `n` bytes"
    parts = [model.entropies(part) for part in tokens.split(n, 1)]
    return torch.cat(parts, 1)


def thresholds(
    text: str,  # name of a text
):
    "Mean patch with the published threshold and with 2.98 nats, for every source of entropies; its mean entropy"
    tokens, found = text_rows(text).valid, {}
    other = TEXTS[1 - TEXTS.index(text)]
    for name, source in _sources(text, other):
        H = source(tokens)
        lengths = [mean_length(EntropyPatcher(t)(tokens, H, next_byte=False)) for t in (THRESHOLD, 2.98)]
        share = float((H[:, 1:] > THRESHOLD).double().mean())
        mean = float(H[:, :-1].mean())
        found[name] = dict(mean=mean, published=lengths[0], higher=lengths[1], above=share)
    return found


def _jobs(text, args):
    "Yields (key, function that measures it)"
    for seed, arm in itertools.product(range(args.seeds), args.arm):
        if text == 'stories' or not arm.startswith('exact'):
            yield f'{arm}|{seed}', lambda: run_arm(text, arm, seed, args.steps)
        if arm == args.arm[-1] and seed == 0:
            yield 'thresholds', lambda: thresholds(text)
            yield 'facts', lambda: facts(text)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Make what is missing, one seed of all arms after the other, in one saved run for each text"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--text', nargs='*', default=list(TEXTS), choices=TEXTS)
    parser.add_argument('--arm', nargs='*', default=list(ARMS), choices=list(ARMS))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=STEPS)
    args = parser.parse_args(arguments)
    for text in args.text:
        steps = saved_metrics(f'{RUN}-{text}').get('steps', args.steps)
        if steps != args.steps:
            parser.error(f'the saved run has {steps} steps; move it away to begin with {args.steps}')
        for key, measure in _jobs(text, args):
            if key in saved_metrics(f'{RUN}-{text}'):
                continue
            measured = measure()
            found = saved_metrics(f'{RUN}-{text}') | {key: measured, 'steps': args.steps, 'length': LENGTH}
            save_run(f'{RUN}-{text}', found, f'{COMMAND} --text {text}')
            print(text, key, measured, flush=True)


if __name__ == '__main__':
    main()
