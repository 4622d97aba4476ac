"""Sentences a second beside what they are worth, way by way, and the Learner beside a bare loop; on any device."""

import copy
import time
from contextlib import nullcontext
from dataclasses import replace

import torch

from ...core.transfer import needs_fixed_shapes, to_device
from ...diffusion.base import antithetic_times
from ...metrics.ngram import NGram, unigram_entropy
from ...models.build import build_model
from ...models.kv_cache import KVCache, sample_autoregressive
from ...training.compiling import compile_parts, is_compiled
from ...training.dataloaders import lm_dls, split_text, valid_windows
from ...training.language_model import lm_learner, lm_optimizer, train_text
from ...training.muon import block_matrices
from ...training.precision import chosen_precision
from ...training.quiet import quietly

__all__ = ['PROCESSES', 'WAYS', 'learner_and_loop', 'process_steps', 'text_measures', 'writing_rates']


def _sampled(**options):
    "A way to write: the model's sampler, or another one"

    def write(model, n, seed):
        ids, mask = model.prompt_ids([''] * n)
        *_, last = model.fill_steps(ids, mask, torch.Generator().manual_seed(seed), **options)
        return last.x

    return write


def _cached(model, n, seed, cache=None):
    generator = torch.Generator().manual_seed(seed)
    return sample_autoregressive(model, n, model.length, generator=generator, cache=cache)


class _Static:
    "With a static cache, which is compiled once where training is"

    def __init__(self):
        self.caches = {}

    def __call__(self, model, n, seed):
        key = id(model), n
        if key not in self.caches:
            self.caches[key] = KVCache(model, n, model.length, is_static=True)
            if is_compiled('auto', model.device):
                self.caches[key].compile(dynamic=False)
        return _cached(model, n, seed, self.caches[key].reset())


# name: (process that the model was trained by, how it writes)
WAYS = {
    'masked, 8 calls': ('masked', _sampled(steps=8)),
    'masked, 16 calls': ('masked', _sampled(steps=16)),
    'masked, 32 calls': ('masked', _sampled(steps=32)),
    'entropy bound': ('masked', _sampled(sampler='entropy_bound')),
    'edited, 32 calls': ('masked', _sampled(sampler='editing')),
    'blocks, 32 calls': ('block', _sampled(steps=32)),
    'autoregressive, cache': ('autoregressive', _cached),
    'autoregressive, static cache': ('autoregressive', _Static()),
    'autoregressive, drafts': ('autoregressive', _sampled(sampler='speculative')),
    'autoregressive, no cache': ('autoregressive', _sampled()),
}


def text_measures(
    ids,  # (n,L) long
    judge,  # an `NGram` of the training text
):
    "What texts are worth: nats per token under a trigram model (low is usual), entropy of frequencies (high is varied)"
    rows = ids.cpu().numpy()
    return dict(trigram=float(-judge.log_prob(rows).mean()), entropy=float(unigram_entropy(rows, judge.vocab_size)))


def writing_rates(
    text: str,  # corpus
    cfg,  # `RunConfig` of three short trainings, one for each process
    timer,  # a `Timer`
    n: int = 64,  # texts at once
):
    "Texts a second of every way to write, and what they are worth, beside held-out text"
    vocab, train, valid = split_text(text, cfg)
    judge = NGram(train.cpu().numpy(), len(vocab), 3)
    held_out = valid_windows(valid, replace(cfg, valid_sequences=n))
    found, models = {'held-out text': text_measures(held_out, judge)}, {}
    for name, (process, write) in WAYS.items():
        if process not in models:
            models[process] = train_text(text, replace(cfg, process=process, monitor=0), progress=False)[0]
        model = models[process]
        seconds = timer.seconds_of(lambda: write(model, n, 0), warmup=1)
        found[name] = dict(per_second=n / seconds, **text_measures(write(model, n, 0), judge))
    return found


# process: a head that goes with it
PROCESSES = dict(masked='feature_tree', block='feature_tree', partial='hierarchical', next_scale='feature_tree')


def process_steps(
    text: str,  # corpus
    cfg,  # `RunConfig`: sizes and parts
    timer,  # a `Timer`
) -> dict:
    "Milliseconds of a training step of every process, with shapes that depend on the masks and with fixed ones"
    found = {}
    for process, head in PROCESSES.items():
        own = replace(cfg, process=process, head=head, device=str(timer.device))
        vocab, train, _ = split_text(text, own)
        loop = _Loop(build_model(vocab, train, own), train, own, timer.device)
        found[process] = {}
        for name, fixed in dict(masks=False, fixed=True).items():
            loop.is_fixed = fixed
            found[process][name] = 1e3 * timer.seconds_of(lambda: loop.step(0))
    return found


class _Loop:
    "What a `Learner` of `lm_learner` computes, as a loop of a few lines"

    def __init__(self, model, train, cfg, device):
        self.model, self.cfg = model.to(device).train(), cfg
        self.train, self.device = train.to(device), device
        self.is_fixed = needs_fixed_shapes(self.train)
        matrices = block_matrices(model) if cfg.optimizer == 'muon' else None
        make, parameters = lm_optimizer(device, matrices), list(model.parameters())
        self.optimizer = make(parameters, lr=cfg.lr, weight_decay=cfg.weight_decay)
        is_half = chosen_precision(cfg.precision, device).startswith('bf16')
        self.context = torch.autocast(device.type, torch.bfloat16) if is_half else nullcontext()
        if is_compiled(cfg.compile, device):
            compile_parts(model, dynamic=False)

    def step(self, number):
        batch, length = self.cfg.batch, self.cfg.length
        generator = torch.Generator().manual_seed(number)
        starts = torch.randint(len(self.train) - length + 1, (batch, 1), generator=generator)
        ids = self.train[to_device(starts + torch.arange(length), self.device)]
        noisy = self.model.process.corrupt(ids, antithetic_times(batch, generator), generator=generator)
        most = self.model.process.most_masked(batch, length) if self.is_fixed else None
        with self.context:
            nats = self.model(ids, noisy.mask, noisy.weight, most).float()
        is_flat = noisy.weight is not None and noisy.weight.dim() == 1
        loss = (nats / noisy.weight).mean() * 2 / length if is_flat else nats.mean() / length
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


def learner_and_loop(
    text: str,  # corpus
    cfg,  # `RunConfig`: steps of a round
    timer,  # a `Timer`, for its device
    rounds: int = 3,  # in turns, after one that does not count
):
    "Seconds of rounds of as many steps by the `Learner` and by a bare loop, and the median of their ratios"
    cfg = replace(cfg, epochs=1, monitor=0, ema=0.0, device=str(timer.device))
    vocab, train, valid = split_text(text, cfg)
    model = build_model(vocab, train, cfg)
    loop = _Loop(copy.deepcopy(model), train, cfg, timer.device)
    windows = valid_windows(valid, replace(cfg, valid_sequences=1))
    learn = lm_learner(lm_dls(train, windows, cfg, vocab), model, cfg)
    took = dict(learner=[], loop=[])

    def by_learner():
        with quietly(learn):
            learn.fit(1)

    def by_loop():
        for number in range(cfg.steps):
            loop.step(number)

    for _ in range(rounds + 1):
        for name, job in dict(learner=by_learner, loop=by_loop).items():
            timer.wait()
            began = time.perf_counter()
            job()
            timer.wait()
            took[name].append(time.perf_counter() - began)
    ratios = sorted(a / b for a, b in zip(took['learner'][1:], took['loop'][1:]))
    return dict(seconds=took, ratio=ratios[len(ratios) // 2])
