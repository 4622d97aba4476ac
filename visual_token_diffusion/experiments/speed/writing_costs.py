"""Where the time of a written text goes: start, network, head, sampler, pictures; and what drafts cost, way by way."""

# `python -m visual_token_diffusion.experiments.speed.writing_costs` saves the run 'writing-costs'.

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch

from ...codebooks.random import random_codes
from ...core.results import save_run
from ...models.kv_cache import KVCache
from ...models.text_methods import MASKED_STORYTELLER, STORYTELLER
from ...models.visual_token_lm import VisualTokenLM
from ...models.window_cache import WindowCache
from ...samplers.speculative import sample_speculative
from ...text.vocab import Vocab
from ...viz.frames import animate
from ...viz.grids import sentence_image, stack_images

__all__ = ['main', 'parts_of_writing', 'start_costs', 'draft_seconds', 'written_by']

COMMAND = 'python -m visual_token_diffusion.experiments.speed.writing_costs'

_START = '''
import json, time
began = time.process_time()
import torch
with_torch = time.process_time()
from visual_token_diffusion.cli.generate import load_model
with_library = time.process_time()
load_model(None)
loaded = time.process_time()
print(json.dumps({'import torch': with_torch - began, 'import the library': with_library - with_torch,
                  'load the model': loaded - with_library}))
'''


def start_costs(rounds: int = 3) -> dict:
    "Median processor seconds of what comes before the first word, in processes of their own"
    command = [sys.executable, '-W', 'ignore', '-c', _START]
    runs = [json.loads(subprocess.check_output(command, text=True).splitlines()[-1]) for _ in range(rounds)]
    return {part: median(run[part] for run in runs) for part in runs[0]}


class _Watch:
    "Adds the processor seconds of methods, the outermost of them only, to the part that they belong to"

    def __init__(self):
        self.spent, self.is_inside = dict(network=0.0, head=0.0), False

    def timed(self, method, part):
        def call(*args, **kwargs):
            if self.is_inside:
                return method(*args, **kwargs)
            self.is_inside, began = True, time.process_time()
            try:
                return method(*args, **kwargs)
            finally:
                self.is_inside = False
                self.spent[part] += time.process_time() - began

        return call

    @contextmanager
    def on(self, model):
        "While a model writes"
        head, names = type(model.head), ('sample', 'log_probs')
        parts = [(type(model), 'hidden_states'), (KVCache, 'step'), (WindowCache, 'states')]
        patches = [patch.object(base, name, self.timed(getattr(base, name), 'network')) for base, name in parts]
        patches += [patch.object(head, name, self.timed(getattr(head, name), 'head')) for name in names]
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in patches:
                one.stop()


def parts_of_writing(
    model,  # a `VisualTokenLM`
    n: int,  # texts at once
    rounds: int = 3,  # after one that does not count
    **options,  # of `generate_steps`
) -> dict:
    "Median processor seconds: in all, in the network, in the head, the sampler's own, decoding, a PNG and a GIF"
    found = []
    for seed in range(rounds + 1):
        watch, began = _Watch(), time.process_time()
        with watch.on(model):
            steps = list(model.generate_steps('', n, seed, **options))
        total = time.process_time() - began
        began = time.process_time()
        [model.vocab.decode(row) for row in steps[-1].x.tolist()]
        row = dict(watch.spent, sampler=total - sum(watch.spent.values()), decode=time.process_time() - began)
        found.append(row | _pictures(model, steps))
    return {part: median(row[part] for row in found[1:]) for part in found[0]}


def _pictures(model, steps):
    "Processor seconds of the pictures of at most eight samples, as `vtd generate` makes them"
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        for ending, made in dict(png=_png, gif=_gif).items():
            began = time.process_time()
            made(model, steps, Path(folder) / f'samples.{ending}')
            took[ending] = time.process_time() - began
    return took


def _rows(model, ids, mask):
    "The picture of a text at one step, blank where it is masked"
    words = ['' if is_masked else model.vocab.label(i) for i, is_masked in zip(ids.tolist(), mask.tolist())]
    return sentence_image(torch.where(mask[:, None, None, None], 0.92, model.encoder(ids)), words, cols=8)


def _samples(model, step, **kwargs):
    "The first eight samples of a step, one below the other"
    return stack_images([_rows(model, *row) for row in zip(step.x[:8], step.mask[:8])], **kwargs)


def _png(model, steps, path):
    _samples(model, steps[-1]).save(path)


def _gif(model, steps, path):
    animate([_samples(model, step, gap=12) for step in steps], path)


def written_by(
    vocab_size: int,
    process: str,
    width: int = 192,  # as in the profile `cpu`
    length: int = 64,
):
    "A model of many tokens with weights at random, on which the cost of a call does not depend"
    vocab = Vocab.make('words', tokens=['<unk>', *(f'w{i}' for i in range(1, vocab_size))])
    table, generator = random_codes(vocab_size, generator=_seeded()), _seeded()
    features = torch.randn(vocab_size, 128, generator=generator)
    torch.manual_seed(0)
    sizes = dict(width=width, depth=4, heads=3, length=length)
    return VisualTokenLM(vocab, table, features=features, process=process, **sizes).eval()


def _seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draft_seconds(
    model,  # a model from the left
    n: int,  # texts at once
    rounds: int = 5,  # in turns, after one that does not count
) -> dict:
    "Processor seconds of drafts that are checked by reading whole rows, with a cache, and of no drafts; round by round"
    predictor = model.process.predictor(model)
    blank = torch.zeros(n, model.length, dtype=torch.long)

    def drafts(predict, seed):
        with torch.no_grad():
            return list(sample_speculative(predict, None, blank, generator=_seeded(seed)))[-1].x

    ways = {
        'whole rows': lambda seed: drafts(lambda *where: predictor(*where), seed),
        'cache': lambda seed: drafts(predictor, seed),
        'no drafts': lambda seed: list(model.generate_steps('', n, seed, sampler='autoregressive'))[-1].x,
    }
    took, texts = {way: [] for way in ways}, {}
    for seed in range(rounds + 1):
        for way, write in ways.items():
            began = time.process_time()
            texts[way] = write(seed)
            took[way].append(time.process_time() - began)
        assert torch.equal(texts['whole rows'], texts['cache']), 'the texts are the same'
    return {way: seconds[1:] for way, seconds in took.items()}


def main(arguments=None):
    "Measure and save"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='small models, one round; saves nothing')
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rounds, sizes, numbers = (1, (50,), (1,)) if args.quick else (3, (8000, 49408), (1, 16))
    small = dict(width=24, length=8) if args.quick else {}
    small = dict(width=24, length=8) if args.quick else {}
    left = VisualTokenLM.from_pretrained(STORYTELLER)
    models = {'storyteller': (left, {})}
    if not args.quick:
        models['storyteller, no drafts'] = left, dict(sampler='autoregressive')
        models['masked storyteller'] = VisualTokenLM.from_pretrained(MASKED_STORYTELLER), {}
    for size in sizes:
        for process in ('autoregressive', 'masked'):
            models[f'{process}, {size:,} tokens'] = written_by(size, process, **small), {}
    parts = {}
    for name, (model, options) in models.items():
        for n in numbers:
            parts[f'{name}, {n} text{"s" * (n > 1)}'] = parts_of_writing(model, n, rounds, **options)
    found = dict(start=start_costs(rounds), parts=parts)
    found['drafts'] = {str(n): draft_seconds(left, n, 1 if args.quick else 5) for n in numbers}
    if not args.quick:
        save_run('writing-costs', found, COMMAND)
    return found


if __name__ == '__main__':
    print(json.dumps(main(), indent=1))
