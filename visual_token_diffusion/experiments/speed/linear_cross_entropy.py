"""A softmax over a large vocabulary in four ways that say the same: time and memory of cost and gradients."""

# `python -m visual_token_diffusion.experiments.speed.linear_cross_entropy` saves the run 'linear-cross-entropy',
# size by size.

import argparse
import time

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

from ...networks.heads.linear_nll import linear_nll, table_nll
from ..resume import measure_missing
from .peak_memory import peak_bytes

__all__ = ['SIZES', 'WAYS', 'main', 'measured']

RUN = 'linear-cross-entropy'
COMMAND = 'python -m visual_token_diffusion.experiments.speed.linear_cross_entropy'
SIZES = (  # tokens, vocabulary, width
    (512, 1024, 128),
    (512, 8192, 128),
    (512, 16384, 128),
    (512, 49408, 192),
    (1024, 49408, 192),
)
_TORCH_MOST = 2**22  # logits that torch's own way is asked for; it takes seconds for more


def _checkpointed(h, weight, ids, bias):
    "Chunks of 2^23 logits, each computed again backwards by autograd"
    rows = max(1, 2**23 // len(weight))
    parts = zip(h.split(rows), ids.split(rows))
    costs = [checkpoint(table_nll, x, weight, true, bias, use_reentrant=False) for x, true in parts]
    return torch.cat(costs)


def _torchs(h, weight, ids, bias):
    options = torch.nn.LinearCrossEntropyOptions()
    return F.linear_cross_entropy(h, weight, ids, linear_bias=bias, reduction='none', options=options)


WAYS = {'table': table_nll, 'checkpointed chunks': _checkpointed, 'linear_nll': linear_nll, "torch's chunks": _torchs}


def _ways(n, vocab_size):
    "Those that this torch has, and that are over in time"
    has = hasattr(F, 'linear_cross_entropy') and n * vocab_size <= _TORCH_MOST
    return {name: way for name, way in WAYS.items() if has or way is not _torchs}


def _distance(a, b):
    "The largest difference, as a share of the largest number"
    return float((a - b).abs().max() / b.abs().max())


def measured(
    n: int,  # tokens
    vocab_size: int,
    width: int,
    rounds: int = 5,  # in turns, after one that does not count
) -> dict:
    "Per way: processor seconds of every round, bytes at most, and how far cost and gradients are from the table's"
    generator = torch.Generator().manual_seed(0)
    h, weight = (torch.randn(k, width, generator=generator) for k in (n, vocab_size))
    h, weight = h.requires_grad_(), weight.mul_(width**-0.5).requires_grad_()
    ids = torch.randint(vocab_size, (n,), generator=generator)
    bias = torch.randn(vocab_size, generator=generator)
    ways = _ways(n, vocab_size)

    def gradients(way):
        cost = way(h, weight, ids, bias)
        return cost.detach(), *torch.autograd.grad(cost.mean(), (h, weight))

    truth = gradients(table_nll)
    found = {name: dict(seconds=[]) for name in ways}
    for name, way in ways.items():
        error = max(map(_distance, gradients(way), truth))
        found[name] |= dict(peak=peak_bytes(lambda: gradients(way)), error=error)
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            gradients(way)
            found[name]['seconds'].append(time.process_time() - began)
    return found


def main(arguments=None):
    "Measure all sizes and save them"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='one small size; saves nothing')
    args = parser.parse_args(arguments)
    if args.quick:
        return measured(32, 64, 8, 1)
    torch.set_num_threads(1)
    tasks = [(' x '.join(map(str, size)), lambda size=size: measured(*size)) for size in SIZES]
    measure_missing(RUN, tasks, COMMAND)


if __name__ == '__main__':
    main()
