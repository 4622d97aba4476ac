"""Equal time, equal text, equal backbone: heads for a large vocabulary, measured side by side.

`run_arm('book.txt', 'feature_tree', seconds=600)` trains one of them and saves what was measured.
"""

import hashlib
import math
import time
from pathlib import Path

import torch

from ...core.files import replacing
from ...core.results import save_run
from ...core.transfer import needs_fixed_shapes, to_device
from ...diffusion.base import antithetic_times
from ...text.corpus import read_text
from .benchmark_data import BenchmarkData
from .softmax_arms import arm_model, optimizers

__all__ = [
    'BenchmarkRun', 'benchmark_batch', 'benchmark_loss', 'benchmark_nelbo', 'run_arm', 'run_name', 'warmup_cosine',
]


def warmup_cosine(
    done: float,  # share of the run, 0 to 1
    warmup: float = 0.05,  # share of it for warming up
) -> float:
    "The learning rate's share of its highest value"
    return done / warmup if done < warmup else 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))


def benchmark_batch(train, batch, length, seed, step):
    "`(windows (batch,length), generator)` of a step: the same for every model, and for every saved result"
    digest = hashlib.blake2b(repr(('race', seed, step)).encode(), digest_size=7).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest, 'big'))
    starts = torch.randint(len(train) - length + 1, (batch, 1), generator=generator)
    return train[to_device(starts + torch.arange(length), train.device)], generator


def _nats(model, x, t, generator, most=None):
    "(B,) nats of the sequences `x` (B,L): the bound of the model's process, of a causal model the likelihood"
    noisy = model.process.corrupt(x, t, generator=generator)
    return model(x, noisy.mask, noisy.weight, most)


def benchmark_loss(model, x, generator):
    "Nats per token of a batch (B,L); on a GPU with tensors of one shape"
    most = model.process.most_masked(*x.shape) if needs_fixed_shapes(x) else None
    return _nats(model, x, antithetic_times(len(x), generator), generator, most).mean() / x.shape[1]


@torch.no_grad()
def benchmark_nelbo(
    model,  # a `SequenceModel`
    windows,  # (n,L) long
    batch: int = 64,  # sequences at once
):
    "`(mean, standard error)` in nats per token, the noise always the same"
    generator = torch.Generator().manual_seed(0)
    times = antithetic_times(len(windows), generator)[torch.randperm(len(windows), generator=generator)]
    model.eval()
    values = [_nats(model, x, t, generator) for x, t in zip(windows.split(batch), times.split(batch))]
    model.train()
    values = torch.cat(values) / windows.shape[1]
    return values.mean().item(), values.std().item() / len(values) ** 0.5


class BenchmarkRun:
    "A training under a budget of `seconds` (processor time) or `steps`; `run` returns the curve"

    def __init__(
        self,
        model,
        data,  # a `BenchmarkData`
        seed: int = 0,  # of the batches
        seconds: float = None,
        steps: int = None,  # budget: one of the two
        lr: float = 1e-3,  # highest learning rate
        batch: int = 16,  # sequences in a step
        marks=(0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1),  # shares of the budget at which the model is measured
        quick: int = 256,  # held-out sequences on the way; the last mark takes all
        precision: str = 'fp32',  # or 'bf16'
        head_rate: float = 1.0,  # as in `optimizers`
        ms: float = None,  # count every step as so much time, as measured elsewhere; None measures
        path=None,  # file of the state; None keeps none
    ):
        if (seconds is None) == (steps is None):
            raise ValueError('a benchmark needs a budget: either seconds or steps')
        self.model, self.data = model, data
        self.seed, self.lr = seed, lr
        self.batch = batch
        self.seconds, self.steps = seconds, steps
        self.marks, self.quick = marks, quick
        self.precision, self.ms = precision, ms
        self.path = path and Path(path)
        self.optimizers = optimizers(model, lr, head_rate=head_rate)
        self.curve, self.times = [], []
        self.step, self.spent = 0, 0.0

    @property
    def done(self):
        "Share of the budget that is spent"
        return self.spent / self.seconds if self.seconds else self.step / self.steps

    def state(self):
        "Everything that going on depends on"
        return dict(
            model=self.model.state_dict(), optimizers=[o.state_dict() for o in self.optimizers],
            rng=torch.get_rng_state(), curve=self.curve, step=self.step, spent=self.spent,
            times=self.times[-2000:],
        )

    def save(self):
        "Write the state, if a file is named"
        if not self.path:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as temporary:
            torch.save(self.state(), temporary)

    def resume(self):
        "Go on from the state in `path`, if there is one"
        if not (self.path and self.path.exists()):
            return
        state = torch.load(self.path, weights_only=True)
        self.model.load_state_dict(state['model'])
        torch.set_rng_state(state['rng'])
        for optimizer, saved in zip(self.optimizers, state['optimizers']):
            optimizer.load_state_dict(saved)
        for name in ('curve', 'step', 'spent', 'times'):
            setattr(self, name, state[name])

    def train_step(self):
        "One step of training; its loss"
        began = time.process_time()
        x, generator = benchmark_batch(self.data.train, self.batch, self.data.length, self.seed, self.step)
        rate = self.lr * warmup_cosine(min(self.done, 1))
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group['lr'] = rate * group.get('share', 1)
        with torch.autocast('cpu', torch.bfloat16, enabled=self.precision == 'bf16'):
            loss = benchmark_loss(self.model, x, generator)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.times.append(self.ms / 1e3 if self.ms else time.process_time() - began)
        self.spent += self.times[-1]
        self.step += 1
        return loss.item()

    def measure(self, loss):
        "Measure the model and write the point of the curve down"
        is_last = len(self.curve) == len(self.marks) - 1
        windows = self.data.valid if is_last else self.data.valid[: self.quick]
        nelbo, se = benchmark_nelbo(self.model, windows)
        point = dict(step=self.step, seconds=round(self.spent, 2), nelbo=nelbo, se=se, loss=loss)
        self.curve.append(point)

    def run(self, log=None):
        "Train to the end: a list of dicts with step, seconds, bound, its standard error and the training loss"
        self.resume()
        self.model.train()
        while len(self.curve) < len(self.marks):
            loss = self.train_step()
            if self.done < self.marks[len(self.curve)]:
                continue
            self.measure(loss)
            self.save()
            if log:
                log(self.curve[-1])
        return self.curve


def run_name(arm, tag='', seconds=None, steps=None, seed=0):
    "The name of a result"
    budget = f'{seconds:g}s' if seconds else f'{steps}steps'
    return f"softmax-{arm.replace('_', '-')}{tag}-{budget}-{seed}"


def _command(facts):
    "What to type to measure it again"
    given = {k: v for k, v in facts.items() if k != 'arm' and v not in (None, '', {})}
    shown = ', '.join(f'{k}={v!r}' for k, v in given.items())
    call = f"run_arm('wordnet.txt', '{facts['arm']}', {shown})"
    return f'python -c "from {__name__} import run_arm; {call}"'


def run_arm(
    corpus,  # a `BenchmarkData`, or the name of a text file
    arm: str,  # one of `ARMS`
    seed: int = 0,  # of weights, batches and random codes
    seconds: float = None,
    steps: int = None,  # budget
    lr: float = 1e-3,  # highest learning rate
    tag: str = '',  # added to the result's name
    model=None,  # dict of options of `arm_model`
    folder=None,
    states='benchmark-states',  # where results and states are kept
    log=print,
    **options,  # of `BenchmarkRun`
) -> dict:
    "Train one arm under its budget and save the result as `softmax-<arm>-...`. An interrupted run goes on"
    data = corpus if isinstance(corpus, BenchmarkData) else BenchmarkData(read_text([corpus]), cache=states)
    model, name = model or {}, run_name(arm, tag, seconds, steps, seed)
    made = arm_model(data, arm, seed, **model)
    run = BenchmarkRun(made, data, seed, seconds, steps, lr, path=Path(states) / f'{name}.pt', **options)
    curve = run.run(lambda point: log(name, point) if log else None)
    facts = dict(arm=arm, seed=seed, seconds=seconds, steps=steps, lr=lr, tag=tag, model=model, **options)
    metrics = dict(
        facts, curve=curve, ms_per_step=1e3 * sorted(run.times)[len(run.times) // 2],
        learned=sum(p.numel() for p in made.parameters()), tokens=len(data.train),
    )
    save_run(name, metrics, _command(facts), folder=folder)
    return metrics
