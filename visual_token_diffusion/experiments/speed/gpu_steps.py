"""Timings on any device: products of matrices, steps of a backbone with every head, equal times, writing."""

import time
from typing import NamedTuple

import torch

from ...training.compiling import compile_parts
from .softmax_arms import arm_model, optimizers
from .softmax_benchmark import benchmark_batch, benchmark_loss, benchmark_nelbo, warmup_cosine
from .peak_memory import peak_bytes
from .step_cost import ZipfData, no_output

__all__ = ['Timer', 'bench_model', 'equal_time', 'matrix_rate', 'model_flops', 'step_parts', 'utilization']


class Timer(NamedTuple):
    "Times calls on a device, which works on after a call has returned"

    device: torch.device
    seconds: float  # that a timing lasts
    context: object  # of the calls: mixed precision, or nothing

    def wait(self):
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)

    def seconds_of(self, call, warmup=3):
        "Mean seconds of a call, of one at least"
        for _ in range(warmup):
            call()
        self.wait()
        calls, began = 0, time.perf_counter()
        while not calls or time.perf_counter() - began < self.seconds:
            call()
            calls += 1
            if calls % 8 == 0:
                self.wait()
        self.wait()
        return (time.perf_counter() - began) / calls

    def peak(self, call):
        "GiB that a call takes at most, beside what was there before"
        return peak_bytes(call, self.device) / 2**30


def matrix_rate(
    side: int,  # of square matrices
    timer: Timer,
):
    "TFLOP/s of a large product of matrices: what a model could reach at best"
    a, b = (torch.randn(side, side, device=timer.device) for _ in range(2))
    with timer.context:
        seconds = timer.seconds_of(lambda: a @ b)
    return dict(tflops=2 * side**3 / seconds / 1e12)


def model_flops(width: int, depth: int, length: int):
    "Operations of a training step for one token: six for every weight, and those of attention"
    return 6 * 12 * depth * width**2 + 12 * depth * width * length


class _Setting(NamedTuple):
    "A model with data on its device, and what one step is"

    model: object
    batches: list
    optimizers: list
    loss: object

    def step(self, i):
        x, noise = self.batches[i % len(self.batches)], torch.Generator().manual_seed(i)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        value = self.loss(self.model, x, noise)
        value.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        return value


def bench_model(
    data,  # a `BenchmarkData`
    arm: str,  # an arm of the softmax benchmark; 'flat, fused' never has a table of logits, 'flat, table' always
    **options,  # of `arm_model`
):
    "`arm_model`, with the flat head in either of two ways"
    name, _, way = arm.partition(', ')
    model = arm_model(data, name, **options)
    if way:
        model.head.most_logits = dict(fused=0, table=2**62)[way]
    return model


def _setting(arm, width, depth, sizes, device):
    "`_Setting` of a head, or of the backbone alone"
    vocab_size, batch, length = sizes
    data = ZipfData(vocab_size, max(width, 128))
    is_limit = arm == 'backbone'
    model = bench_model(data, 'hierarchical' if is_limit else arm, codebook='random', width=width, depth=depth)
    if is_limit:
        model.head = torch.nn.Identity()
    torch.manual_seed(0)
    batches = [data.windows(batch, length).to(device) for _ in range(4)]
    model = model.to(device)
    return _Setting(model, batches, optimizers(model, 1e-4), no_output if is_limit else benchmark_loss)


def step_parts(
    heads,  # names of arms of the softmax benchmark
    width: int,
    depth: int,
    sizes: tuple,  # (vocabulary, batch, length)
    timer: Timer,
    is_compiled: bool = False,  # layers and head by `torch.compile`
):
    "Milliseconds of a step with each head and of the backbone alone, ratios, TFLOP/s, and peak memory in GiB"
    found = {}
    _, batch, length = sizes
    for arm in ('backbone', *heads):
        setting = _setting(arm, width, depth, sizes, timer.device)
        if is_compiled:
            compile_parts(setting.model, dynamic=False)
        count = iter(range(10**9))
        many = torch._dynamo.config.patch(recompile_limit=64)  # all heads share the code that is compiled
        with timer.context, many:
            seconds = timer.seconds_of(lambda: setting.step(next(count)))
            peak = timer.peak(lambda: setting.step(next(count)))
        flops = model_flops(width, depth, length) * batch * length
        found[arm] = dict(ms=1e3 * seconds, backbone_tflops=flops / seconds / 1e12, peak_gib=peak)
    for arm in heads:
        found[arm]['ratio'] = found[arm]['ms'] / found['backbone']['ms']
    return found


def equal_time(
    heads,
    width: int,
    depth: int,
    batch: int,  # sequences in a step
    data,  # a `BenchmarkData`
    timer: Timer,
    seconds: float,  # of each training
    lr: float = 1e-3,  # highest learning rate
):
    "Steps, held-out nats per token and standard error of every head after the same time, and of n-gram models"
    found = {'n-grams': data.ngrams()}
    train, valid = data.train.to(timer.device), data.valid[:512].to(timer.device)
    for arm in heads:
        model = bench_model(data, arm, width=width, depth=depth).to(timer.device)
        steps = _train_for(model, train, data.length, batch, timer, seconds, lr)
        nats, error = benchmark_nelbo(model.eval(), valid)
        found[arm] = dict(steps=steps, nats=nats, standard_error=error)
    return found


def _train_for(model, train, length, batch, timer, seconds, lr):
    "Train for so many seconds, one step at least; the steps that were made"
    found, began = optimizers(model, lr), time.perf_counter()
    steps, done = 0, 0.0
    while done < 1:
        x, noise = benchmark_batch(train, batch, length, 0, steps)
        for optimizer in found:
            for group in optimizer.param_groups:
                group['lr'] = lr * warmup_cosine(done)
            optimizer.zero_grad(set_to_none=True)
        with timer.context:
            loss = benchmark_loss(model, x, noise)
        loss.backward()
        for optimizer in found:
            optimizer.step()
        steps += 1
        if steps % 8 == 0:
            timer.wait()
        done = (time.perf_counter() - began) / seconds
    return steps


def utilization(
    found: dict,  # what `gpu_bench` has measured
):
    "Name of a step -> head -> model FLOP utilization: operations of the backbone a second over those of the matrices"
    limit = found.get('matrix product', {}).get('tflops')
    steps = {name: rows for name, rows in found.items() if name.startswith('steps ') and 'failed' not in rows}
    if not limit:
        return {}
    return {name: {head: row['backbone_tflops'] / limit for head, row in rows.items()} for name, rows in steps.items()}
