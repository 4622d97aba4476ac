"Noise is a function of seed, epoch and number, for any process, and the same for one process or two."

from dataclasses import replace

import pytest
import torch
from fastai.callback.core import Callback

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model, validation_nelbo
from visual_token_diffusion.training import dataloaders, process_callback
from visual_token_diffusion.training.dataloaders import lm_dls, split_text, valid_windows
from visual_token_diffusion.training.display import PictureLearner
from visual_token_diffusion.training.process_callback import ProcessCB, nelbo_loss
from visual_token_diffusion.worlds.stories import story_text

text = story_text(600, torch.Generator().manual_seed(0))
cfg = load_settings(
    'ci',
    [
        'unit=words',
        'width=16',
        'depth=1',
        'heads=1',
        'length=16',
        'batch=8',
        'steps=6',
        'epochs=2',
        'valid_sequences=22',
        'head=hierarchical',
    ],
)
PROCESSES = ['masked', 'autoregressive', 'partial', 'next_scale']


class Inputs(Callback):
    "What the model is called with, by part and epoch"

    order = 2

    def before_fit(self):
        self.seen = {}

    def before_batch(self):
        key = ('train' if self.training else 'valid', self.epoch)
        self.seen.setdefault(key, []).append(self.xb)


def learner(c, cbs=()):
    vocab, train, valid = split_text(text, c)
    model = build_model(vocab, train, c)
    dls = lm_dls(train, valid_windows(valid, c), c)
    return PictureLearner(dls, model, loss_func=nelbo_loss, cbs=[ProcessCB(3), *cbs])


def inputs(c):
    "All batches of a training of two epochs"
    cb = Inputs()
    learn = learner(c, [cb])
    with learn.no_bar(), learn.no_logging():
        learn.fit(2)
    return cb.seen


def tensors(batches):
    return [x for xb in batches for x in xb if x is not None]


@pytest.mark.parametrize('process', PROCESSES)
def test_any_process_trains_and_validates_the_same_twice(process):
    learn = learner(replace(cfg, process=process))
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
        a, b = (learn.validate()[0] for _ in range(2))
    assert a == b and torch.isfinite(torch.tensor(a))
    nelbo, _ = validation_nelbo(learn.model, learn.dls.valid_ds.tensors[0])
    assert abs(a - nelbo) < 1, 'the same loss, but for the noise'


@pytest.mark.parametrize('process', ['masked', 'partial'])
def test_validation_noise_is_fixed_and_training_noise_is_not(process):
    seen = inputs(replace(cfg, process=process))
    masks = {k: torch.cat([xb[1] for xb in v]) for k, v in seen.items()}
    assert torch.equal(masks['valid', 0], masks['valid', 1])
    assert not torch.equal(masks['train', 0], masks['train', 1])


@pytest.mark.parametrize('process', PROCESSES)
def test_two_processes_see_what_one_does(process, monkeypatch):
    "Row by row: windows, masks and weights; the last validation batch is short"
    c = replace(cfg, process=process)
    whole = inputs(c)
    parts = []
    for r in (0, 1):
        for module in (dataloaders, process_callback):
            monkeypatch.setattr(module, 'rank_world', lambda: (r, 2))
        parts.append(inputs(replace(c, batch=4)))
    for key, batches in whole.items():
        halves = [[xb for xb in part[key]] for part in parts]
        for one, *two in zip(batches, *halves):
            for x, *rows in zip(one, *two):
                assert x is None or torch.equal(x, torch.cat(rows))


def test_no_noise_without_masks_for_an_autoregressive_model():
    seen = inputs(replace(cfg, process='autoregressive'))
    assert all(xb[1] is None and xb[2] is None for v in seen.values() for xb in v)
    assert len(tensors(seen['train', 0])) == 3


def test_the_loss_is_per_token():
    assert nelbo_loss(torch.tensor([8.0, 16.0]), torch.zeros(2, 4)) == 3
