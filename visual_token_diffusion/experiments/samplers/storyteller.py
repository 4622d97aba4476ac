"""The models that ship: how the storyteller was trained, and what its sentences are worth beside true ones."""

# `python -m visual_token_diffusion.experiments.samplers.storyteller` measures both packaged models
# beside true text, and goes on where it stopped;
# `--train FOLDER` trains the storyteller anew, half an hour of one core, and measures nothing.

import argparse
import json
import math
import time
from pathlib import Path

import torch

from ...core.config import load_settings
from ...core.results import save_run
from ...models.text_methods import MASKED_STORYTELLER, STORYTELLER
from ...models.visual_token_lm import VisualTokenLM
from ...training.language_model import train_text
from ...worlds.stories import stories, story_text
from ..resume import saved_metrics

__all__ = [
    'SETTINGS', 'entropy_rate', 'main', 'measure_texts', 'measure_writing', 'train', 'true_texts', 'whole_sentences',
]

RUN = 'storyteller'
COMMAND = 'python -m visual_token_diffusion.experiments.samplers.storyteller'
SETTINGS = dict(
    unit='words', process='autoregressive', sampler='speculative',
    sentences=1000000, batch=32, steps=10000, dropout=0,
)  # fmt: skip
WINDOWS = 200
MODELS = {
    'storyteller': (STORYTELLER, {}),
    'storyteller, a token a call': (STORYTELLER, dict(sampler='autoregressive')),
    'masked, 32 calls': (MASKED_STORYTELLER, dict(steps=32)),
    'masked at random, 32 calls': (MASKED_STORYTELLER, dict(steps=32, order='random')),
    'masked at random, 64 calls': (MASKED_STORYTELLER, dict(steps=64, order='random')),
}


def entropy_rate() -> float:
    "Nats per token of an endless text of stories, ends of sentences counted"
    grammar = stories()
    return grammar.entropy() * math.log(2) / (grammar.mean_length() + 1)


def train(folder):
    "Train the storyteller and save it with what was measured"
    cfg = load_settings('cpu', [f'{name}={value}' for name, value in SETTINGS.items()])
    corpus = story_text(cfg.sentences, torch.Generator().manual_seed(cfg.seed))
    model, metrics = train_text(corpus, cfg)
    model.save_pretrained(folder)
    metrics['entropy'] = entropy_rate()
    (folder / 'metrics.json').write_text(json.dumps(metrics, indent=1) + '\n')


def whole_sentences(
    texts: list,  # windows of stories, cut anywhere
) -> list:
    "Lists of words: the sentences that no end of a window cuts"
    return [line.split() for text in texts for line in text.split('\n')[1:-1]]


def measure_texts(
    texts: list,  # windows of stories, cut anywhere
) -> dict:
    "Of the whole sentences: the grammatical share, the bits of one that is, how many differ, and their number"
    sentences = whole_sentences(texts)
    bits = torch.as_tensor(-stories().log_probs(sentences) / math.log(2))
    grammatical = bits.isfinite()
    fine = bits[grammatical]
    return dict(
        grammatical=float(grammatical.double().mean()),
        bits=float(fine.mean()),
        error=float(fine.std() / len(fine) ** 0.5),
        distinct=len({tuple(words) for words in sentences}) / len(sentences),
        sentences=len(sentences),
    )


def true_texts(
    seed: int,
    length: int,  # tokens of a window
    n: int = WINDOWS,
) -> list:
    "Windows of true stories, cut anywhere as those that a model learns from"
    vocab = VisualTokenLM.from_pretrained().vocab
    corpus = story_text(n * length // 4, torch.Generator().manual_seed(1000 + seed))
    ids = torch.tensor(vocab.encode(corpus))[: n * length].view(n, length)
    return [vocab.decode(row) for row in ids.tolist()]


def measure_writing(
    model,  # a `VisualTokenLM`
    seed: int,
    n: int = WINDOWS,
    **options,  # of `generate_steps`
) -> dict:
    "What its windows are worth, network calls over a row (mean and most), and seconds of processors for all"
    began = time.process_time()
    steps = list(model.generate_steps(n=n, seed=seed, **options))
    seconds = time.process_time() - began
    calls = sum(step.changed.any(1).double() for step in steps)
    found = measure_texts([model.vocab.decode(row) for row in steps[-1].x.tolist()])
    return found | dict(calls=float(calls.mean()), most_calls=float(calls.max()), seconds=seconds)


def _cells(args):
    "Keys of all that is measured, with what measures it"
    for name, (folder, options) in MODELS.items():
        model = VisualTokenLM.from_pretrained(folder).eval()
        for seed in range(args.seeds):
            length = model.length
            yield f'true text|{seed}', lambda: measure_texts(true_texts(seed, length, args.windows))
            yield f'{name}|{seed}', lambda: measure_writing(model, seed, args.windows, **options)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Measure, or train"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--train', type=Path, metavar='FOLDER', help='train the storyteller into a new folder')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--windows', type=int, default=WINDOWS)
    args = parser.parse_args(arguments)
    if args.train:
        return train(args.train)
    values = saved_metrics(RUN).get('values', {}) if args.windows == WINDOWS else {}
    for key, measure_cell in _cells(args):
        if key not in values:
            values[key] = measure_cell()
            save_run(RUN, dict(values=values), command=COMMAND)
    return values


if __name__ == '__main__':
    main()
