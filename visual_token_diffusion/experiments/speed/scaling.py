"""Memory and time of a training step on paper, and the same measured: what a larger training will need."""

# `python -m visual_token_diffusion.experiments.speed.scaling` measures five sizes on a CPU and saves
# the run 'scaling'.

import argparse
import time
from dataclasses import replace

import torch

from ...core.config import load_settings
from ...core.results import save_run
from ...diffusion.base import antithetic_times
from ...models.build import build_model
from ...training.dataloaders import split_text
from ...training.language_model import lm_optimizer
from ...training.muon import block_matrices
from ...worlds.stories import story_text
from .gpu_steps import model_flops

__all__ = [
    'SIZES', 'fitted', 'kept_bytes', 'main', 'measured_step', 'predicted_step', 'state_bytes',
    'step_seconds',
]

COMMAND = 'python -m visual_token_diffusion.experiments.speed.scaling'
SIZES = ((64, 1), (64, 2), (128, 4), (192, 6), (256, 4))  # (width, depth): two fit memory, three time; the rest checks
_FLOAT = 4  # bytes


def state_bytes(
    parameters: int,  # learned numbers of a model
    matrices: int = 0,  # those of them that Muon turns
) -> dict:
    "Bytes of weights, gradients and what the optimizer keeps: two averages, of Muon's matrices one"
    kept = 2 * (parameters - matrices) + matrices
    return dict(weights=_FLOAT * parameters, gradients=_FLOAT * parameters, optimizer=_FLOAT * kept)


def kept_bytes(
    model,
    call,  # function of the model: a loss
) -> int:
    "Bytes of activations that a loss keeps for the way back; weights and buffers are not counted"
    own = {x.untyped_storage().data_ptr() for x in (*model.parameters(), *model.buffers())}
    seen = {}

    def pack(x):
        storage = x.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        call(model)
        return sum(seen.values())


def _batch(model, cfg, vocab_size):
    "`(ids, noisy)` of one batch of random tokens"
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(vocab_size, (cfg.batch, cfg.length), generator=generator)
    return ids, model.process.corrupt(ids, antithetic_times(cfg.batch, generator), generator=generator)


def measured_step(
    cfg,  # `RunConfig`: sizes and parts
    vocab,  # a `Vocab`
    train,  # (N,) long
    steps: int = 3,  # that are timed, after one that is not
) -> dict:
    "Parameters, bytes of activations and of the optimizer, and processor seconds of a step (the least of some)"
    model = build_model(vocab, train, cfg).train()
    ids, noisy = _batch(model, cfg, len(vocab))
    loss = lambda m: m(ids, noisy.mask, noisy.weight).mean()
    activations = kept_bytes(model, loss)
    matrices = block_matrices(model)
    optimizer = lm_optimizer(torch.device('cpu'), matrices)(list(model.parameters()), lr=1e-4)
    seconds = []
    for _ in range(steps + 1):
        began = time.process_time()
        loss(model).backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.process_time() - began)
    states = [x for state in optimizer.opt.state.values() for x in state.values() if torch.is_tensor(x)]
    return dict(
        width=cfg.width, depth=cfg.depth, positions=cfg.batch * cfg.length, length=cfg.length,
        parameters=model.n_parameters, matrices=sum(p.numel() for p in matrices),
        activations=activations, optimizer=sum(x.nbytes for x in states), seconds=min(seconds[1:]),
    )


def fitted(
    one: dict,  # `measured_step` of some size
    two: dict,  # of the same with another depth
    wide: dict = None,  # of a third size of another width; without it time is not fitted
) -> dict:
    "Numbers that a position keeps per feature, in a layer and outside; seconds in the same way, and by products"
    scale = _FLOAT * one['positions'] * one['width']
    layer = (two['activations'] - one['activations']) / (two['depth'] - one['depth']) / scale
    outside = one['activations'] / scale - layer * one['depth']
    fit = dict(layer=layer, outside=outside)
    return fit if wide is None else fit | _fitted_time(one, two, wide)


def _fitted_time(one, two, wide):
    "Seconds per position and feature of a layer, per feature squared, and outside of layers"
    work = one['positions'] * one['width']
    layer = (two['seconds'] - one['seconds']) / (two['depth'] - one['depth']) / work
    outside = one['seconds'] / work - layer * one['depth']
    wider = (wide['seconds'] / (wide['positions'] * wide['width']) - outside) / wide['depth']
    product = (wider - layer) / (wide['width'] - one['width'])
    return dict(feature_s=layer - product * one['width'], product_s=product, outside_s=outside)


def predicted_step(
    width: int,
    depth: int,
    positions: int,  # of a batch
    parameters: int,
    matrices: int,  # numbers that Muon turns
    fit: dict,  # of `fitted`
    bytes_per_number: int = _FLOAT,  # of activations: 4, or 2 where all are of half precision
) -> dict:
    "Bytes of activations, of the optimizer, of all together; and seconds of a step, where they were fitted"
    activations = bytes_per_number * positions * width * (fit['layer'] * depth + fit['outside'])
    states = state_bytes(parameters, matrices)
    found = dict(activations=activations, optimizer=states['optimizer'], total=activations + sum(states.values()))
    if 'product_s' not in fit:
        return found
    layer = fit['feature_s'] + fit['product_s'] * width
    return found | dict(seconds=positions * width * (layer * depth + fit['outside_s']))


def step_seconds(
    width: int,
    depth: int,
    positions: int,
    length: int,
    tflops: float,  # that the card reaches in products of large matrices
    utilization: float,  # share of it that the model reaches
) -> float:
    "Seconds of a step on a card: operations by what is reached of its limit"
    return model_flops(width, depth, length) * positions / (utilization * tflops * 1e12)


def main(arguments=None):
    "Measure all sizes and save them"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='two small sizes; saves nothing')
    args = parser.parse_args(arguments)
    text = story_text(500, torch.Generator().manual_seed(0))
    cfg = load_settings('cpu', ['unit=words', 'batch=8', 'device=cpu'])
    vocab, train, _ = split_text(text, cfg)
    found = []
    for width, depth in SIZES[:2] if args.quick else SIZES:
        heads = width // 64
        found.append(measured_step(replace(cfg, width=width, depth=depth, heads=heads), vocab, train))
    if not args.quick:
        save_run('scaling', dict(sizes=found), COMMAND, cfg)
    return found


if __name__ == '__main__':
    main()
