"20 steps of every arm of the softmax benchmark, as before the packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.experiments.speed.benchmark_data import BenchmarkData
from visual_token_diffusion.experiments.speed.softmax_arms import ARMS, arm_model
from visual_token_diffusion.experiments.speed.softmax_benchmark import (
    BenchmarkRun, benchmark_batch, benchmark_nelbo, warmup_cosine)
from visual_token_diffusion.worlds.stories import story_text


def data():
    text = story_text(400, torch.Generator().manual_seed(0))
    return BenchmarkData(text, 'words', length=16, dim=64, windows=24)


def corpus():
    found = data()
    yield 'tokens', torch.cat([found.train[:200], found.valid.flatten()])
    yield 'features', found.features
    yield 'codes', torch.stack([found.table(kind, seed=2).codes for kind in ('balanced', 'random', 'frequency')])
    yield 'n-grams', list(found.ngrams().values())
    yield 'rates', [warmup_cosine(done) for done in (0.0, 0.03, 0.05, 0.4, 1.0)]
    yield 'batch', benchmark_batch(found.train, 4, 16, 3, 5)[0]


def arms():
    found = data()
    runs = [(arm, False, 1.0) for arm in ARMS] + [('feature_tree', True, 1.0), ('flat', True, 0.3)]
    for arm, causal, head_rate in runs:
        model = arm_model(found, arm, 1, width=64, depth=1, is_causal=causal, dim=24)
        run = BenchmarkRun(model, found, 1, steps=20, lr=3e-3, batch=8, ms=1.0, head_rate=head_rate)
        model.train()
        name = f'{arm}, causal' if causal else arm
        yield f'{name}: losses', [run.train_step() for _ in range(20)]
        yield f'{name}: bound', list(benchmark_nelbo(model, found.valid))


def test_corpus():
    hold('experiments: corpus', corpus(), rtol=1e-5)


def test_arms():
    hold('experiments: arms', arms(), rtol=1e-3)
