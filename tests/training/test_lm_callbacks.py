"Accumulation, clipping, trackers: what the settings of a training ask for."

import sys
import types
from dataclasses import replace

import pytest
import torch
from fastai.callback.core import Callback
from support.training import SMALL_TEXT, small_settings

from visual_token_diffusion.training import language_model
from visual_token_diffusion.training.dataloaders import text_dls
from visual_token_diffusion.training.language_model import train_text
from visual_token_diffusion.training.lm_callbacks import sample_strip

text = SMALL_TEXT
cfg = small_settings('steps=48', 'epochs=2', 'dropout=.1', 'monitor=4')


@pytest.mark.parametrize('b', [8, 4, 2])
def test_accumulated_batches_are_one(b):
    "The same tokens a step; noise differs, since it is drawn per batch"
    c = replace(cfg, batch=b, accumulate=8 // b, dropout=0.0)
    _, metrics = train_text(text, c, progress=False)
    assert metrics['nelbo'] < metrics['unigram'] + 0.3
    assert len(text_dls(text, c).train) == 24 * 8 // b


class Norms(Callback):
    "The norm of the gradient before every step"

    order = 15

    def before_fit(self):
        self.seen = []

    def before_step(self):
        grads = [p.grad for p in self.model.parameters() if p.grad is not None]
        self.seen.append(torch.nn.utils.get_total_norm(grads).item())


def norms(c, monkeypatch):
    plain, cb = language_model.lm_learner, Norms()

    def watched(dls, model, cfg, cbs):
        return plain(dls, model, cfg, [*cbs, cb])

    with monkeypatch.context() as m:
        m.setattr(language_model, 'lm_learner', watched)
        train_text(text, c, progress=False)
    return cb.seen


def test_clipping_bounds_the_gradient(monkeypatch):
    clipped = norms(replace(cfg, clip=0.01), monkeypatch)
    assert max(clipped) <= 0.0101 and len(clipped) == 48
    assert max(norms(cfg, monkeypatch)) > 0.0101


def test_tensorboard_file(tmp_path):
    pytest.importorskip('tensorboard')
    train_text(text, replace(cfg, tracker='tensorboard'), tmp_path, progress=False)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / 'tensorboard'))
    events.Reload()
    valid = events.Scalars('epoch/valid_loss')
    log = [l.split(',') for l in (tmp_path / 'log.csv').read_text().splitlines()[1:]]
    assert [round(x.value, 4) for x in valid] == [round(float(l[2]), 4) for l in log]
    assert [x.step for x in valid] == [24, 48] and len(events.Scalars('train/loss')) == 4


def test_wandb_is_called_as_it_wants(tmp_path, monkeypatch):
    settings, calls = {}, []
    run = types.SimpleNamespace(log=lambda metrics, step: calls.append((step, metrics)))

    def init(**kwargs):
        settings.update(kwargs)
        return run

    monkeypatch.setitem(sys.modules, 'wandb', types.SimpleNamespace(init=init))
    train_text(text, replace(cfg, tracker='wandb'), tmp_path, progress=False)
    assert settings['config']['width'] == 16
    assert [step for step, metrics in calls if 'epoch/valid_loss' in metrics] == [24, 48]


def test_a_tracker_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'wandb', None)
    with pytest.raises(ValueError, match='^the package wandb is not installed'):
        train_text(text, replace(cfg, tracker='wandb'), tmp_path, progress=False)


def test_samples_of_every_epoch(tmp_path):
    model, _ = train_text(text, replace(cfg, sample_epochs=1), tmp_path, progress=False)
    names = sorted(p.name for p in (tmp_path / 'samples').iterdir())
    assert names == ['epoch-0001.png', 'epoch-0002.png']
    assert sample_strip(model, 2, seed=1).tobytes() == sample_strip(model, 2, seed=1).tobytes()
