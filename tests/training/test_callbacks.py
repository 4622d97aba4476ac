"Every callback alone."

import sys
import types
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from fastai.callback.core import Callback
from fastai.callback.training import GradientAccumulation
from PIL import Image
from support.training import Watch, equal, fit, learner, parameters

from visual_token_diffusion.training.callbacks import (
    AnnealCB,
    CSVCB,
    EMACB,
    NotFinite,
    SampleCB,
    SpeedCB,
    TerminateOnNaNCB,
    tracker,
)


def test_the_average_is_the_plain_recursion():
    watch, ema = Watch(), EMACB(0.8)
    learn = learner([watch, ema])
    mean = parameters(learn.model)
    fit(learn, 2)
    for n, weights in enumerate(watch.weights, 1):
        decay = min(0.8, (1 + n) / (10 + n))
        mean = [decay * m + (1 - decay) * w for m, w in zip(mean, weights)]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(mean, ema.mean))
    assert equal(watch.weights[-1], learn.model), 'the weights themselves must be back'
    ema.use()
    assert equal(ema.mean, learn.model)


def test_the_average_is_what_is_validated_and_saved():
    seen = {}

    class At(Callback):
        order = 61

        def after_epoch(self):
            seen['saved'] = parameters(self.model)

        def after_validate(self):
            seen['loss'] = self.recorder.loss.value.item()

    ema = EMACB(0.9)
    learn = fit(learner([ema, At()]))
    assert equal(seen['saved'], ema.mean)
    ema.use()
    x, y = learn.dls.valid.dataset.tensors
    assert abs(F.mse_loss(learn.model(x), y).item() - seen['loss']) < 1e-6


def test_the_average_comes_back_from_its_state():
    a = EMACB(0.9)
    fit(learner([a]))
    b = EMACB(0.9)
    b.load_state_dict(a.state_dict())
    assert b.steps == 8 and equal(a.mean, b.mean)


def test_a_gradient_that_is_no_number_is_named():
    learn = learner([TerminateOnNaNCB(gradients=True)])

    def loss(pred, y):
        zero = (pred - pred.detach()).abs()
        return (pred - y).square().mean() + zero.sqrt().sum()

    learn.loss_func = loss
    with pytest.raises(NotFinite, match='gradient of 0.weight.*batch 1 in epoch 1'):
        fit(learn)


def test_accumulated_batches_make_the_step_of_a_large_one():
    a = fit(learner([GradientAccumulation(16)], steps=8, bs=4))
    b = fit(learner(steps=2, bs=16))
    assert all(
        torch.allclose(p, q, atol=1e-6) for p, q in zip(a.model.parameters(), b.model.parameters())
    )


def test_speed():
    cb = SpeedCB()
    fit(learner([cb]), 2)
    assert len(cb.rows) == 2
    for row in cb.rows:
        assert row['step_ms'] > 0 and row['per_second'] > 0 and row['memory_mb'] > 10


def test_the_log_is_whole_and_continues(tmp_path):
    f = tmp_path / 'log.csv'
    cb = CSVCB(f)
    fit(learner([cb]), 3)
    whole = f.read_text()
    f.write_text(whole.rsplit('\n', 2)[0] + '\n3,half a li')
    fit(learner([CSVCB(f)]), 3, start_epoch=1)
    rows = CSVCB(f).rows()
    assert [r['epoch'] for r in rows] == ['1', '2', '3'] and rows[0] == cb.rows()[0]
    assert [p.name for p in tmp_path.iterdir()] == ['log.csv']
    fit(learner([CSVCB(f)]), 1)
    assert len(CSVCB(f).rows()) == 1, 'a new training begins a new log'


class Cooled:
    tau = 5.0


def test_annealing_follows_the_loop():
    seen, cooled = [], Cooled()

    class See(Callback):
        order = 3

        def before_batch(self):
            if self.training:
                seen.append((self.pct_train, cooled.tau))

    fit(learner([AnnealCB(cooled, 'tau', 2.0, 0.5), See()]), 2)
    assert len(seen) == 16 and all(abs(t - 2 * 0.25**p) < 1e-9 for p, t in seen)


@pytest.mark.parametrize(
    'bad',
    [
        dict(name='nu', start=1.0, end=2.0),
        dict(name='tau', start=0.0, end=1.0),
        dict(name='tau', start=1.0, end=2.0, shape='round'),
    ],
)
def test_annealing_that_cannot_be(bad):
    with pytest.raises(ValueError):
        AnnealCB(Cooled(), **bad)


def random_image(model):
    return Image.fromarray((torch.rand(4, 4) * 255).byte().numpy())


def test_samples_are_files_and_change_nothing(tmp_path):
    samples = SampleCB(random_image, tmp_path / 's', every=2, seed=3)
    a, b = fit(learner([samples]), 4), fit(learner(), 4)
    files = sorted((tmp_path / 's').iterdir())
    assert [f.name for f in files] == ['epoch-0002.png', 'epoch-0004.png']
    assert files[0].read_bytes() == files[1].read_bytes()
    assert equal(a.model, b.model)


def test_samples_are_shown_in_one_place(tmp_path, monkeypatch):
    import IPython.display

    calls = []
    place = types.SimpleNamespace(update=lambda image: calls.append('update'))

    def display(image, display_id):
        calls.append('display')
        return place

    monkeypatch.setattr(IPython.display, 'display', display)
    cb = SampleCB(lambda m: Image.new('RGB', (3, 3)), tmp_path, live=True)
    cb.learn = types.SimpleNamespace(model=torch.nn.Linear(1, 1), epoch=0)
    for _ in range(3):
        cb.trained_epoch()
    assert calls == ['display', 'update', 'update']


def test_a_tracker_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'wandb', None)
    with pytest.raises(ValueError, match='^the package wandb is not installed'):
        tracker('wandb', tmp_path)


def test_no_callback_shadows_a_method_of_the_model(recwarn):
    "fastai hands the model's attributes on; a callback of the same name would hide them"
    from visual_token_diffusion.core.config import load_settings
    from visual_token_diffusion.training.language_model import train_text
    from visual_token_diffusion.worlds.stories import story_text

    small = ['unit=words', 'steps=4', 'epochs=1', 'width=16', 'heads=1', 'depth=1']
    cfg = replace(load_settings('ci', small), monitor=1)
    train_text(story_text(300, torch.Generator().manual_seed(0)), cfg, progress=False)
    assert not [w for w in recwarn if 'shadowing' in str(w.message)]
