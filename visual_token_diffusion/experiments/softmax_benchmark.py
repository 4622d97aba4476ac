"""Equal time, equal text, equal backbone: heads for a large vocabulary, measured side by side.

`python -c "from visual_token_diffusion.experiments.softmax_benchmark import run_arm; run_arm('book.txt', 'feature_tree', seconds=600)"`
"""

import hashlib
import math
import time
from pathlib import Path

import torch

from ..core.files import replacing
from ..core.results import save_run
from ..diffusion.base import antithetic_times
from ..models.sequence import SequenceModel
from ..networks.embeddings import CodedEmbedding, FeatureEmbedding, LogBilinear, TokenEmbedding
from ..networks.heads.base import Head
from ..semantics.cooccurrence import rms_normalize
from ..text.corpus import read_text
from .benchmark_data import BenchmarkData

__all__ = [
    'ARMS', 'BenchmarkRun', 'arm_model', 'benchmark_batch', 'benchmark_loss', 'benchmark_nelbo', 'optimizers',
    'run_arm', 'run_name', 'warmup_cosine',
]

# Heads that are compared; those with a row for each token start it from the same features.
ARMS = ('feature_tree', 'hierarchical', 'flat', 'tied', 'sampled', 'adaptive')
_SPARSE = ('sampled', 'adaptive')


def arm_model(
    data,  # a `BenchmarkData`
    arm: str,  # one of `ARMS`
    seed: int = 0,  # of weights and random codes
    codebook: str = 'balanced',
    width: int = 192,
    depth: int = 4,
    is_causal: bool = False,
    dim: int = 128,  # columns of the features that the feature tree uses
    from_features: bool = True,  # rows of tokens start from the features, with a skip connection
) -> SequenceModel:
    "A fresh model of one arm, with its head at the token frequencies. Raises `ValueError`"
    if arm not in ARMS:
        raise ValueError(f"there is no arm '{arm}'; there are {', '.join(ARMS)}")
    table, part = data.table(codebook, seed=seed), Head.part(arm)
    torch.manual_seed(seed)
    embedding, features = arm_input(data, arm, table, width, dim, from_features)
    skip = part.takes_skip and features is not None
    head = part.build(
        table=table, width=width, features=features, embedding=embedding, counts=data.counts, skip=skip
    )
    offsets = (-2, -1) if is_causal else (-2, -1, 1, 2)
    connection = LogBilinear(embedding.features.shape[1], offsets) if skip else None
    return SequenceModel(embedding, head, width, depth, max(width // 64, 1), is_causal, connection)


def arm_input(data, arm, table, width, dim, from_features):
    "`(embedding, features)` that go with a head; features are None where nothing is known of a token"
    if arm == 'feature_tree':
        features = data.features[:, :dim]
        return FeatureEmbedding(table, features, width), features
    if arm == 'hierarchical':
        return CodedEmbedding(table, width), None
    start = data.features if from_features and arm != 'flat' else None
    embedding = TokenEmbedding(len(table), width, start, sparse=arm in _SPARSE)
    if start is not None and Head.part(arm).takes_skip:
        embedding.register_buffer('features', rms_normalize(start[:, :width]))
    return embedding, start


def optimizers(
    model,
    lr: float,
    weight_decay: float = 0.01,
    head_rate: float = 1.0,  # the learning rate of head and skip connection, as a share of `lr`
) -> list:
    "AdamW for dense parameters, SparseAdam for tables with sparse gradients; groups know their `share` of the rate"
    tables = [m.weight for m in model.modules() if isinstance(m, torch.nn.Embedding) and m.sparse]
    sparse = {id(t) for t in tables}
    dense = [p for p in model.parameters() if id(p) not in sparse]
    if head_rate != 1:
        parts = [part for part in (model.head, model.skip) if part is not None]
        slow = {id(p) for part in parts for p in part.parameters()}
        rest, head = [p for p in dense if id(p) not in slow], [p for p in dense if id(p) in slow]
        dense = [dict(params=rest, share=1.0), dict(params=head, share=head_rate)]
    found = [torch.optim.AdamW(dense, lr, betas=(0.9, 0.98), weight_decay=weight_decay, fused=True)]
    return found + ([torch.optim.SparseAdam(tables, lr, betas=(0.9, 0.98))] if tables else [])


def warmup_cosine(
    done: float,  # share of the run, 0 to 1
    warmup: float = 0.05,  # share of it for warming up
) -> float:
    "The learning rate's share of its highest value"
    return done / warmup if done < warmup else 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))


def benchmark_batch(train, batch, length, seed, step):
    "`(windows (batch,length), generator)` of a step: the same for every model"
    digest = hashlib.blake2b(repr(('race', seed, step)).encode(), digest_size=7).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest, 'big'))
    starts = torch.randint(len(train) - length + 1, (batch, 1), generator=generator)
    return train[starts + torch.arange(length)], generator


def benchmark_loss(model, x, generator):
    "Nats per token of a batch (B,L): the bound of the model's process"
    t = None if model.is_causal else antithetic_times(len(x), generator)
    if model.is_causal:
        return model(x).mean() / x.shape[1]
    noisy = model.process.corrupt(x, t, generator=generator)
    return model(x, noisy.mask, noisy.weight).mean() / x.shape[1]


@torch.no_grad()
def benchmark_nelbo(
    model,  # a `SequenceModel`
    windows,  # (n,L) long
    batch: int = 64,  # sequences at once
):
    "`(mean, standard error)` in nats per token, the noise always the same"
    generator = torch.Generator().manual_seed(0)
    model.eval()
    times = antithetic_times(len(windows), generator)[torch.randperm(len(windows), generator=generator)]
    values = []
    for x, t in zip(windows.split(batch), times.split(batch)):
        if model.is_causal:
            values.append(model(x))
            continue
        noisy = model.process.corrupt(x, t, generator=generator)
        values.append(model(x, noisy.mask, noisy.weight))
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
            rng=torch.get_rng_state(), curve=self.curve, step=self.step, spent=self.spent, times=self.times[-2000:],
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
        self.curve.append(dict(step=self.step, seconds=round(self.spent, 2), nelbo=nelbo, se=se, loss=loss))

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
    made, name = arm_model(data, arm, seed, **(model or {})), run_name(arm, tag, seconds, steps, seed)
    run = BenchmarkRun(made, data, seed, seconds, steps, lr, path=Path(states) / f'{name}.pt', **options)
    curve = run.run(lambda point: log(name, point) if log else None)
    facts = dict(arm=arm, seed=seed, seconds=seconds, steps=steps, lr=lr, tag=tag, model=model or {}, **options)
    metrics = dict(
        facts, curve=curve, ms_per_step=1e3 * sorted(run.times)[len(run.times) // 2],
        learned=sum(p.numel() for p in made.parameters()), tokens=len(data.train),
    )
    shown = ', '.join(f'{k}={v!r}' for k, v in facts.items() if k != 'arm' and v not in (None, '', {}))
    module = 'visual_token_diffusion.experiments.softmax_benchmark'
    command = f"python -c \"from {module} import run_arm; run_arm('wordnet.txt', '{arm}', {shown})\""
    save_run(name, metrics, command, folder=folder)
    return metrics
