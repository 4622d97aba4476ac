"""Everything that a card should be asked, in one command of at most eight minutes; in miniature on a CPU."""

# `python -m visual_token_diffusion.experiments.gpu_bench --text book.txt` on a machine with a card goes on
# where it stopped; `--mini` runs the same code in seconds on any machine.

import argparse
import time
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch

from ..core.config import load_settings
from ..core.results import save_run
from ..training.language_model import train_text
from ..training.precision import is_faster_in_bf16
from ..worlds.stories import story_text
from .speed.benchmark_data import BenchmarkData
from .resume import saved_metrics
from .speed.gpu_steps import Timer, equal_time, matrix_rate, step_parts, utilization
from .speed.gpu_writing import learner_and_loop, process_steps, writing_rates

__all__ = ['FULL', 'MINI', 'Plan', 'main', 'measure']

COMMAND = 'python -m visual_token_diffusion.experiments.gpu_bench'
HEADS = ('flat, fused', 'feature_tree', 'sampled', 'adaptive', 'tied')


class Plan(NamedTuple):
    "Sizes and times of one run"

    sizes: tuple  # (width, depth) of backbones
    vocab_size: int  # of the timings
    unit: str  # of the comparison at equal times
    batch: int  # sequences in a step
    length: int  # tokens in a sequence
    matrix: int  # side of the matrices whose product is the card's limit
    seconds: float  # of each timing
    train_seconds: float  # of each arm of the equal-time comparison
    profile: str  # of the training through the Learner
    steps: int  # of that training
    texts: int  # written at once


FULL = Plan(((512, 8), (768, 12)), 49408, 'clip', 256, 64, 8192, 1.0, 20.0, 'gpu', 300, 64)
MINI = Plan(((32, 1),), 512, 'words', 4, 16, 128, 0.02, 0.2, 'ci', 4, 2)


def _settings(plan, device, parts=1):
    "Settings of the profile's training, or of a part of its steps"
    cfg = load_settings(plan.profile, ['monitor=0', f'steps={max(plan.steps // parts, 2)}', 'epochs=2'])
    return replace(cfg, device=str(device), batch=min(cfg.batch, plan.batch))


def _trained(plan, device, text):
    "A training of the profile through `train_text`: its metrics, tokens a second, peak memory, and a sample"
    cfg = _settings(plan, device)
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    model, metrics = train_text(text, cfg, progress=False)
    seconds = time.perf_counter() - began
    peak = torch.cuda.max_memory_allocated() / 2**30 if device.type == 'cuda' else None
    rate = plan.steps * cfg.batch * cfg.length / seconds
    return dict(metrics, tokens_per_s=rate, peak_gib=peak, sample=model.generate(seed=0)[0])


def _questions(plan, device, text, data, timer):
    "Name -> function of what is to be measured, in order"
    asked = {'matrix product': lambda: matrix_rate(plan.matrix, timer)}
    for width, depth in plan.sizes:
        for is_compiled in (False, True):
            how = 'compiled' if is_compiled else 'eager'
            asked[f'steps {width}x{depth} {how}'] = _steps(plan, width, depth, is_compiled, timer)
        asked[f'equal time {width}x{depth}'] = _equal(plan, width, depth, data, timer)
    asked['learner'] = lambda: learner_and_loop(text, _settings(plan, device, 10), timer)
    halves = replace(_settings(plan, device, 10), precision='bf16_weights')
    asked['learner, bf16 weights'] = lambda: learner_and_loop(text, halves, timer)
    asked['processes'] = lambda: process_steps(text, _settings(plan, device), timer)
    asked['writing'] = lambda: writing_rates(text, _settings(plan, device, 2), timer, plan.texts)
    asked['training'] = lambda: _trained(plan, device, text)
    return asked


def _steps(plan, width, depth, is_compiled, timer):
    sizes = (plan.vocab_size, plan.batch, plan.length)
    return lambda: step_parts((*HEADS, 'flat, table'), width, depth, sizes, timer, is_compiled)


def _equal(plan, width, depth, data, timer):
    return lambda: equal_time(HEADS, width, depth, plan.batch, data(), timer, plan.train_seconds)


def measure(
    plan: Plan,
    device: torch.device,
    text: str,  # for the training through the Learner
    found: dict = None,  # what an earlier call has measured
    save=None,  # function of what has been found so far
    log=print,
):
    "All measurements that are missing in `found`; one that fails says so and the others go on"
    found = dict(found or {})
    is_half = is_faster_in_bf16(device)
    context = torch.autocast(device.type, torch.bfloat16) if is_half else nullcontext()
    timer = Timer(device, plan.seconds, context)
    data = cache(lambda: BenchmarkData(text, unit=plan.unit, length=plan.length))
    for name, question in _questions(plan, device, text, data, timer).items():
        if name in found:
            continue
        try:
            found[name] = question()
        except (RuntimeError, ValueError) as error:
            found[name] = dict(failed=' '.join(str(error).split())[:300])
        log(f'{name}: {found[name]}')
        if save:
            save(found)
    found['utilization'] = utilization(found)
    log(f"utilization: {found['utilization']}")
    return found


def main(arguments=None):
    "Measure on the card, or in miniature"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--mini', action='store_true', help='the same code in seconds; saves nothing')
    parser.add_argument('--text', help='a UTF-8 text to train on; stories without it')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    args = parser.parse_args(arguments)
    device = torch.device(args.device)
    if device.type == 'cuda' and not torch.cuda.is_available():
        parser.error('there is no CUDA device here; --mini runs on the CPU')
    if device.type == 'cpu' and not args.mini:
        parser.error('without a card only the miniature makes sense: add --mini')
    text = Path(args.text).read_text(encoding='utf-8') if args.text else _stories(args.mini)
    if args.mini:
        return measure(MINI, device, text)
    save = lambda found: save_run('gpu-bench', found, COMMAND)
    return measure(FULL, device, text, saved_metrics('gpu-bench'), save)


def _stories(is_mini):
    return story_text(2000 if is_mini else 200000, torch.Generator().manual_seed(0))


if __name__ == '__main__':
    main()
