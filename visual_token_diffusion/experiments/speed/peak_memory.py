"""The most memory that tensors take at once during a call, and which part of a training step takes it."""

# `python -m visual_token_diffusion.experiments.speed.peak_memory` saves the run 'peak-memory'.

import argparse
from dataclasses import replace

import torch
from torch.profiler import ProfilerActivity, profile

from ...core.config import load_settings
from ...core.results import save_run
from ...diffusion.base import antithetic_times
from ...models.build import build_model, memory_needed
from ...training.dataloaders import split_text
from ...training.language_model import lm_optimizer
from ...training.muon import block_matrices
from ...worlds.stories import story_text

__all__ = ['HEADS', 'main', 'part_peaks', 'peak_bytes']

COMMAND = 'python -m visual_token_diffusion.experiments.speed.peak_memory'
HEADS = ('feature_tree', 'hierarchical', 'flat', 'tied', 'sampled', 'adaptive')


def peak_bytes(
    call,  # function without arguments
    device: torch.device = None,  # None is the CPU
) -> int:
    "Bytes that tensors made during a call take at most, beside those that were there before"
    if device is not None and device.type == 'cuda':
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        call()
    now = highest = 0
    for event in found.profiler.kineto_results.events():
        if event.name() == '[memory]':
            now += event.nbytes()
            highest = max(highest, now)
    return highest


def _loss(model, cfg, vocab_size):
    "A function without arguments: the loss of one batch of random tokens"
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(vocab_size, (cfg.batch, cfg.length), generator=generator)
    noisy = model.process.corrupt(ids, antithetic_times(cfg.batch, generator), generator=generator)
    return lambda: model(ids, noisy.mask, noisy.weight).mean()


def part_peaks(
    cfg,  # `RunConfig`: sizes and parts
    vocab,  # a `Vocab`
    train,  # (N,) long
) -> dict:
    "Bytes at most: of the weights, and beside them of the forward pass, the way back, the optimizer; and the estimate"
    model = build_model(vocab, train, cfg).train()
    loss = _loss(model, cfg, len(vocab))
    weights = sum(p.nbytes for p in model.parameters())
    optimizer = lm_optimizer(torch.device('cpu'), block_matrices(model))(list(model.parameters()), lr=1e-4)
    kept = []
    forward = peak_bytes(lambda: kept.append(loss()))
    both = peak_bytes(lambda: (loss().backward(), optimizer.zero_grad()))
    kept.clear()
    loss().backward()
    step = peak_bytes(optimizer.step)
    ids, mask = model.prompt_ids([''] * cfg.batch)
    writing = peak_bytes(lambda: list(model.fill_steps(ids, mask, torch.Generator().manual_seed(0), steps=4)))
    return dict(
        parameters=model.n_parameters, weights=weights, forward=forward, forward_backward=both,
        optimizer=step, writing=writing, estimate=memory_needed(len(vocab), cfg),
    )


def main(arguments=None):
    "Measure every head and save them"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='one head of a small model; saves nothing')
    args = parser.parse_args(arguments)
    cfg = load_settings('ci' if args.quick else 'cpu', ['unit=words', 'device=cpu'])
    vocab, train, _ = split_text(story_text(2000, torch.Generator().manual_seed(0)), cfg)
    heads = HEADS[:1] if args.quick else HEADS
    found = {head: part_peaks(replace(cfg, head=head), vocab, train) for head in heads}
    if not args.quick:
        save_run('peak-memory', dict(heads=found, vocab_size=len(vocab)), COMMAND, cfg)
    return found


if __name__ == '__main__':
    main()
