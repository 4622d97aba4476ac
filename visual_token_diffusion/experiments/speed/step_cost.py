"""What a training step of each benchmark arm costs in time and memory, beside the limit that no head can beat."""

import resource
import time

import torch

from ...codebooks.base import Codebook, smallest_codebook
from ...core.transfer import needs_fixed_shapes
from ...diffusion.base import antithetic_times
from ...diffusion.fixed_shape import first_masked
from .softmax_arms import arm_model, optimizers
from .softmax_benchmark import benchmark_loss

__all__ = ['ZipfData', 'no_output', 'step_cost']


class ZipfData:
    "What a model is built from, without a text: frequencies by Zipf's law (Mandelbrot's form), all else random"

    def __init__(self, vocab_size, dim):
        self.vocab_size, self.dim = vocab_size, dim
        self.counts = 1e6 / (torch.arange(vocab_size) + 2.7)

    @property
    def features(self):
        "(V,dim) random numbers; made only for an arm that asks"
        return torch.randn(self.vocab_size, self.dim, generator=torch.Generator().manual_seed(0))

    def table(self, codebook='random', n_codebooks=3, seed=0):
        "A `CodeTable`"
        sizes = (smallest_codebook(self.vocab_size, n_codebooks),) * n_codebooks
        generator = torch.Generator().manual_seed(seed)
        return Codebook.make(codebook).assign(torch.zeros(self.vocab_size, 1), sizes, generator=generator)

    def windows(self, batch, length):
        "(batch,length) tokens, each drawn by itself, as often as its frequency says"
        return torch.multinomial(self.counts, batch * length, replacement=True).view(batch, length)


def no_output(model, x, generator):
    "A loss without an output: what the backbone alone costs"
    noisy = model.process.corrupt(x, antithetic_times(len(x), generator), generator=generator)
    h = model.hidden_states(x, noisy.mask)
    if not needs_fixed_shapes(x):
        return h[noisy.mask].square().mean()
    index, is_masked = first_masked(noisy.mask, model.process.most_masked(*x.shape))
    return h.flatten(0, 1).index_select(0, index).square().mean(1).mul(is_masked).sum() / is_masked.sum()


def _peak():
    "The largest memory of this process so far, MiB"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _step_seconds(model, loss, x, generator, found, precision):
    "Seconds of one training step"
    began = time.perf_counter()
    with torch.autocast('cpu', torch.bfloat16, enabled=precision == 'bf16'):
        value = loss(model, x, generator)
    for optimizer in found:
        optimizer.zero_grad(set_to_none=True)
    value.backward()
    for optimizer in found:
        optimizer.step()
    return time.perf_counter() - began


def step_cost(
    arm: str,  # one of `ARMS`, or 'limit': codes in, nothing out
    width: int = 192,
    length: int = 64,  # tokens in a sequence
    vocab_size: int = 49408,
    batch: int = 16,  # sequences in a step
    steps: int = 5,
    warmup: int = 2,  # steps that do not count
    threads: int = 2,
    precision: str = 'fp32',  # or 'bf16'
    depth: int = 4,
    compiled: bool = False,  # the backbone by `torch.compile`; needs a C++ compiler
) -> dict:
    "`ms` (median of `steps`) of a training step, and this process' largest memory in MiB: `built` before, `peak` after"
    torch.set_num_threads(threads)
    is_limit, data = arm == 'limit', ZipfData(vocab_size, max(width, 128))
    model = arm_model(data, 'hierarchical' if is_limit else arm, codebook='random', width=width, depth=depth)
    if is_limit:
        model.head = torch.nn.Identity()
    if compiled:
        model.backbone.compile()
    loss, built = no_output if is_limit else benchmark_loss, _peak()
    found, times = optimizers(model, 1e-4), []
    for i in range(warmup + steps):
        x, generator = data.windows(batch, length), torch.Generator().manual_seed(i)
        times.append(_step_seconds(model, loss, x, generator, found, precision))
    return dict(ms=1e3 * sorted(times[warmup:])[steps // 2], peak=_peak(), built=built)
