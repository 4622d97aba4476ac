"""Words through every tokenizer of the atlas, and a frozen reader behind them: TokBench at our size."""

# `python -m visual_token_diffusion.experiments.tokenizers.tokbench_lab` goes on where it stopped;
# `--family`, `--seeds` and
# `--workers` choose a part. Nine minutes of an H200 with 14 workers did 18 families of 27; one takes a quarter of an
# hour of one core.

import argparse
import base64
import io
import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from ...core.results import save_run
from ...metrics.tokbench import feature_similarity, t_acc, t_ned
from ...tokenizers.patch import from_patches, to_patches
from ...worlds.word_pictures import GROUNDS, KINDS, WordPictures, crops
from ..resume import saved_metrics
from .word_tokenizers import (
    ARMS, BATCH, FAMILIES, SIZES, build, fit, neighbors, recognizer, reconstruct, scaled, train_embedding,
    train_teacher,
)

__all__ = ['BITS', 'Lab', 'controls', 'main', 'measure', 'psnr', 'run_family']

RUN = 'tokbench'
COMMAND = 'python -m visual_token_diffusion.experiments.tokenizers.tokbench_lab'
BITS = 8, 12  # of each of 144 places
STEPS = 1500, 800  # of both stages
TRAIN, TEST = 8192, 256  # pictures
SIDES = 7, 12, 24  # of small pictures: 1,176 bits at eight bits a number, 432 numbers, 1,728 numbers
PARTS = ['controls', *FAMILIES]


def psnr(a, b):
    "(n,) decibels, of pictures in [0,1]"
    return -10 * (a - b).square().flatten(1).mean(1).clamp(min=1e-10).log10()


class Lab:
    "Pictures, teacher, embedding and reader"

    def __init__(self, train=TRAIN, test=TEST, teacher_steps=600, embedding_steps=2000):
        world = WordPictures(SIZES['size'])
        self.bank = world.batch(train, 0, 'train')
        self.test = world.batch(test, 1, 'valid')
        self.teacher, self.teacher_right = train_teacher(self.bank, teacher_steps)
        few = world.batch(min(train, 6000), 2, 'train')
        self.embedding, self.embedding_right = train_embedding(few, embedding_steps)


def measure(lab, back):
    "Everything about what came back (n,3,S,S) of the test pictures, by height: PSNR, T-ACC, T-NED, F-Sim"
    test, back = lab.test, back.clamp(0, 1).cpu()
    given, got = crops(test.pictures, test.boxes), crops(back, test.boxes)
    found = dict(psnr=float(psnr(back, test.pictures).mean()), heights=[])
    for j in range(len(given[0])):
        a, b = [row[j] for row in given], [row[j] for row in got]
        truths, reads = [words[j] for words in test.words], recognizer()(b)
        acc = np.array([t_acc(*pair) for pair in zip(truths, reads)])
        kinds = np.array([row[j] for row in test.kinds])
        near = feature_similarity(lab.embedding.pooled(scaled(a)), lab.embedding.pooled(scaled(b)))
        found['heights'].append(
            dict(
                psnr=float(np.mean([float(psnr(x[None], y[None])) for x, y in zip(a, b)])),
                acc=float(acc.mean()),
                ned=float(np.mean([t_ned(*pair) for pair in zip(truths, reads)])),
                fsim=float(near.mean()),
                kinds={kind: float(acc[kinds == kind].mean()) for kind in KINDS if kind in kinds},
                hits=''.join(str(int(a)) for a in acc),
                reads=reads[:8],
            )
        )
    return found


def controls(lab, bits=BITS):
    "`{name: pictures}` that no network has made"
    given, size = lab.test.pictures, SIZES['size']
    grounds = torch.tensor(GROUNDS)[lab.test.grounds].view(-1, 1, 1, 1).expand_as(given)
    flat = lab.bank.pictures.flatten(1)
    nearest = torch.cat([torch.cdist(part, flat).argmin(1) for part in given.flatten(1).split(32)])
    made = {'original': given, 'ground alone': grounds}
    made['mean picture'] = lab.bank.pictures.mean(0, keepdim=True).expand_as(given)
    made['nearest picture'] = lab.bank.pictures[nearest]
    for side in SIDES:
        small = F.interpolate(given, size=(side, side), mode='area')
        made[f'{side} x {side}'] = F.interpolate(small, size=(size, size), mode='bicubic')
    for n in bits:
        made[f'patch k-means, {n} bits'] = _by_patches(lab, 2**n)
    return made


def _by_patches(lab, k, rounds=10, n=60000):
    "The test pictures from the k means of training patches: a codebook without a network"
    generator, patch = torch.Generator().manual_seed(0), SIZES['patch']
    rows = to_patches(lab.bank.pictures[:2048], patch).flatten(0, 1)
    rows = rows[torch.randperm(len(rows), generator=generator)[:n]]
    means = rows[:k].clone()
    for _ in range(rounds):
        near = torch.cat([torch.cdist(part, means).argmin(1) for part in rows.split(8192)])
        counts = near.bincount(minlength=len(means))[:, None]
        sums = torch.zeros_like(means).index_add_(0, near, rows)
        means = torch.where(counts > 0, sums / counts.clamp(min=1), means)
    given = to_patches(lab.test.pictures, patch)
    near = torch.cat([torch.cdist(part, means).argmin(1) for part in given.flatten(0, 1).split(8192)])
    return from_patches(means[near].view_as(given), patch, SIZES['size'])


def _free(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _strip(back, n=2):
    "The first pictures side by side as a PNG in base64"
    pixels = (back[:n].clamp(0, 1) * 255).round().byte()
    pixels = pixels.permute(2, 0, 3, 1).flatten(1, 2)
    data = io.BytesIO()
    Image.fromarray(pixels.cpu().numpy()).save(data, 'PNG')
    return base64.b64encode(data.getvalue()).decode()


def _second(first, family, quantizer, lab, steps, seed, batch):
    "The tokenizer of a family around a quantizer, trained on from free latents"
    torch.manual_seed(seed)
    model = build(family, quantizer, lab.teacher)
    old, new = first.state_dict(), model.state_dict()
    model.load_state_dict({k: v for k, v in old.items() if k in new and new[k].shape == v.shape}, strict=False)
    return fit(model, lab.bank, steps, seed, 1e-3, batch)


def _measured(lab, model, shown):
    back, use = reconstruct(model, lab.test)
    found = measure(lab, back) | dict(parameters=_free(model), use=use)
    return found | (dict(strip=_strip(back)) if shown else {})


def run_family(lab, family, seed, bits=BITS, steps=STEPS, batch=BATCH):
    "`{arm|bits: measurements}` of all arms of a family: free latents first, then each quantizer in their place"
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    first = fit(build(family, None, lab.teacher), lab.bank, steps[0], seed, 2e-3, batch)
    found = {f'{family}|free': _measured(lab, first, False)}
    for (arm, (of, quantizer)), n in itertools.product(ARMS.items(), bits):
        if of != family:
            continue
        model = _second(first, family, quantizer(n), lab, steps[1], seed, batch)
        found[f'{arm}|{n}'] = _measured(lab, model, seed == 0 and n == max(bits))
        if model.reads_captions:
            found[f'{arm}, other captions|{n}'] = _with_other_captions(lab, model)
    return found


def _with_other_captions(lab, model):
    "The same measurements where every picture has the caption of the next one"
    return measure(lab, reconstruct(model, neighbors(lab.test))[0])


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Train and measure what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--family', nargs='*', default=PARTS, choices=PARTS)
    parser.add_argument('--bits', nargs='*', type=int, default=BITS)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', nargs=2, type=int, default=STEPS)
    parser.add_argument('--workers', type=int, default=1)
    parser.add_argument('--quick', action='store_true', help='two steps on few pictures; nothing is kept')
    args = parser.parse_args(arguments)
    found = {} if args.quick else saved_metrics(RUN)
    todo = [(family, seed) for seed in range(args.seeds) for family in args.family]
    todo = [(part, seed) for part, seed in todo if seed == 0 or part != 'controls']
    todo = [(family, seed) for family, seed in todo if f'{family}|free|{seed}' not in found]
    if not todo:
        return
    if args.quick:
        args.steps = 2, 2
    lab = Lab(80, 8, 2, 2) if args.quick else Lab()
    for seed, arms in _all_runs(lab, todo, args):
        found |= {f'{arm}|{seed}': metrics for arm, metrics in arms.items()}
        if not args.quick:
            save_run(RUN, found, COMMAND)
        for arm, metrics in arms.items():
            print(seed, arm, _line(metrics), flush=True)


def _line(metrics):
    if 'heights' not in metrics:
        return metrics
    accs = [round(height['acc'], 3) for height in metrics['heights']]
    return round(metrics['psnr'], 2), accs, metrics.get('use')


def _controls(lab, bits):
    torch.set_num_threads(1)
    taught = dict(teacher=lab.teacher_right, embedding=lab.embedding_right)
    found = {f'{name}|control': measure(lab, made) for name, made in controls(lab, bits).items()}
    return found | {'controls|free': taught}


def _run(lab, family, seed, bits, steps):
    if family == 'controls':
        return _controls(lab, bits)
    return run_family(lab, family, seed, bits, steps)


def _all_runs(lab, todo, args):
    "`(seed, what `_run` gives)`, one after the other or in processes"
    given = args.bits, args.steps
    if args.workers <= 1:
        for family, seed in todo:
            yield seed, _run(lab, family, seed, *given)
        return
    with ProcessPoolExecutor(args.workers, multiprocessing.get_context('spawn')) as pool:
        runs = {pool.submit(_run, lab, family, seed, *given): seed for family, seed in todo}
        for run in as_completed(runs):
            yield runs[run], run.result()


if __name__ == '__main__':
    main()
