"A small training that is interrupted or killed, and what must be equal in the end."

import subprocess
import sys

import pytest
import torch
from fastai.callback.core import Callback
from safetensors.torch import load_file

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.training import language_model
from visual_token_diffusion.training.language_model import train_text
from visual_token_diffusion.training.resume import load_state
from visual_token_diffusion.worlds.stories import story_text

TEXT = story_text(600, torch.Generator().manual_seed(0))
SIZES = [
    'width=16',
    'depth=1',
    'heads=1',
    'length=16',
    'batch=4',
    'epochs=3',
    'unit=words',
    'valid_sequences=8',
    'dropout=.1',
    'threads=1',
    'feature_dim=16',
]
CFG = load_settings('ci', [*SIZES, 'steps=12', 'ema=.8', 'save_steps=1', 'keep=2'])
ARGS = ['train', 'book.txt', '--profile', 'ci', *SIZES, 'steps=120', 'ema=.9', 'save_steps=2', 'keep=2']


class Stop(Callback):
    "Interrupts after training step `at`, before or after the state of that step is saved"

    def __init__(self, at, order):
        self.at, self.order = at, order

    def after_batch(self):
        if self.training and self.train_iter == self.at:
            raise KeyboardInterrupt


def interrupted(path, cfg, at, order, monkeypatch, **kwargs):
    "Train until `at`, as `train_text` does"
    plain = language_model.lm_learner

    def stopping(dls, model, cfg, cbs):
        return plain(dls, model, cfg, [*cbs, Stop(at, order)])

    with monkeypatch.context() as m:
        m.setattr(language_model, 'lm_learner', stopping)
        with pytest.raises(KeyboardInterrupt):
            train_text(TEXT, cfg, path, progress=False, **kwargs)


def history(path):
    return [(h['train'], h['valid']) for h in load_state(path)['history']]


def same(a, b):
    "Equal tensors in both folders, bit for bit, and equal logs; the order of a safetensors header is chance"
    for f in ('model.safetensors', 'best/model.safetensors'):
        x, y = load_file(a / f), load_file(b / f)
        assert x.keys() == y.keys() and all(torch.equal(x[k], y[k]) for k in y), f
    assert (a / 'log.csv').read_text() == (b / 'log.csv').read_text()
    assert history(a) == history(b)


def same_state(model, other):
    a, b = model.state_dict(), other.state_dict()
    return all(torch.equal(a[k], v) for k, v in b.items())


def start(folder, out, *more):
    "`vtd train` in a process of its own"
    return subprocess.Popen(
        [sys.executable, '-m', 'visual_token_diffusion', *ARGS, '-o', out, *more],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(folder, out, *more):
    p = start(folder, out, *more)
    said = p.communicate()[1]
    assert p.returncode == 0, said
