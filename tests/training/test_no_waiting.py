"A training step never waits for the device; what is measured is read between the epochs."

from dataclasses import replace

import pytest
import torch
from fastai.callback.core import Callback
from support.standin import DEVICE, NoWaiting, StandIn, stand_in_device

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.training import dataloaders
from visual_token_diffusion.training.callbacks import NotFinite, TerminateOnNaNCB
from visual_token_diffusion.training.dataloaders import lm_dls, split_text, valid_windows
from visual_token_diffusion.training.language_collapse import LanguageCollapseCB
from visual_token_diffusion.training.language_model import lm_learner
from visual_token_diffusion.training.lm_callbacks import optional_callbacks, progress_callback, saving_callbacks
from visual_token_diffusion.training.loaders import SmoothLoss
from visual_token_diffusion.training.quiet import quietly
from visual_token_diffusion.worlds.stories import story_text

TEXT = story_text(200, torch.Generator().manual_seed(0))
SMALL = ['unit=words', 'width=16', 'heads=1', 'depth=1', 'length=8', 'feature_dim=8', 'batch=4', 'steps=6', 'epochs=1']


WAITS = [
    lambda x: x.sum().item(),
    lambda x: x[x > 0],
    lambda x: (x > 0).nonzero(),
    lambda x: bool(x.any()),
    lambda x: torch.ones(3).to(DEVICE),
    lambda x: x.cpu(),
    lambda x: f'{x.sum():.2f}',
    lambda x: x.unique(),
]


class Guard(Callback):
    "From the second batch to the last but one, a step may not wait"

    order = -100

    def __init__(self):
        self.mode = None

    def before_batch(self):
        self.let_go()
        if self.training and 0 < self.iter < self.learn.n_iter - 1:
            self.mode = NoWaiting()
            self.mode.__enter__()

    def let_go(self):
        if self.mode is not None:
            self.mode.__exit__(None, None, None)
        self.mode = None

    def after_train(self):
        self.let_go()

    def before_validate(self):
        self.let_go()

    def after_cancel_fit(self):
        self.let_go()


class Last(Callback):
    "Lets the guard go when a batch, or the last one, is over"

    order = 200

    def __init__(self, guard):
        self.guard, self.steps = guard, 0

    def after_batch(self):
        self.steps += self.guard.mode is not None
        self.guard.let_go()


@pytest.fixture
def on_the_device(monkeypatch):
    monkeypatch.setattr(dataloaders, 'torch_device', lambda name: DEVICE)
    # fastai takes the type off every tensor before the model sees it, and with it the stand-in device
    monkeypatch.setattr('fastai.learner._cast_tensor', lambda x: x)
    with stand_in_device():
        yield


def learner(cbs=(), options=()):
    cfg = load_settings('ci', [*SMALL, *options])
    vocab, train, valid = split_text(TEXT, cfg)
    model = build_model(vocab, train, cfg)
    dls = lm_dls(train, valid_windows(valid, cfg), cfg, vocab)
    return lm_learner(dls, model, cfg, list(cbs))


def fit(learn):
    with quietly(learn):
        learn.fit(1)


HEADS = ['feature_tree', 'hierarchical', 'flat', 'tied', 'sampled', 'adaptive', 'independent']
PAIRS = [(head, process) for head in HEADS for process in ('masked', 'autoregressive')]
OTHERS = [('hierarchical', 'partial'), ('feature_tree', 'next_scale'), ('feature_tree', 'block'), ('flat', 'block')]


@pytest.mark.parametrize('head,process', PAIRS + OTHERS)
def test_no_step_waits(on_the_device, head, process):
    guard = Guard()
    last = Last(guard)
    fit(learner([guard, last], [f'head={head}', f'process={process}', 'optimizer=muon', 'ema=.9']))
    assert last.steps == 4


TRAINED = [('flat', 'masked'), ('flat', 'autoregressive'), *OTHERS]


@pytest.mark.parametrize('head,process', TRAINED)
def test_no_step_waits_with_all_that_vtd_train_attaches(on_the_device, head, process, tmp_path):
    """Accumulation, and the monitor, checkpoints and states, whose turn does not come. Clipping is torch's own and
    asks below Python for the device, which here says that it is the CPU"""
    options = ['accumulate=2', 'monitor=50', 'save_steps=50', 'ema=.9', f'head={head}', f'process={process}']
    guard = Guard()
    last = Last(guard)
    learn = learner([guard, last], options)
    cfg = load_settings('ci', [*SMALL, *options])
    report = progress_callback(learn.dls, cfg, show=False)
    learn.add_cbs([report, *optional_callbacks(learn.dls, cfg, tmp_path, report)])
    learn.add_cbs(saving_callbacks(replace(cfg, sample_epochs=0), tmp_path, report, {}, {}))
    fit(learn)
    assert last.steps == 10


def test_the_monitor_says_the_same_on_a_device(on_the_device):
    "The size of gradients is kept where they are until there is a look"
    signs = []
    for device in (torch.device('cpu'), DEVICE):
        cfg = load_settings('ci', [*SMALL, 'monitor=2', 'dropout=0'])
        vocab, train, valid = split_text(TEXT, cfg)
        torch.manual_seed(0)
        dls = lm_dls(train, valid_windows(valid, cfg), replace(cfg, device=str(device)), vocab)
        dls.device = device
        learn = lm_learner(dls, build_model(vocab, train, cfg), cfg)
        monitor = LanguageCollapseCB(valid_windows(valid, cfg)[:4].to(device), 2)
        learn.add_cb(monitor)
        fit(learn)
        signs.append(monitor.signs)
    assert len(signs[0]) == len(signs[1]) > 2
    for a, b in zip(*signs):
        assert a.grad_rms == pytest.approx(b.grad_rms, rel=1e-5) and isinstance(b.grad_rms['head'], float)
    assert any(signs[0][-1].grad_rms.values())


def test_the_guard_catches_what_waits(on_the_device):
    "The controls: fastai's own average, an index by a mask, a copy that is waited for"
    x = torch.randn(4, 3).to(DEVICE)
    with NoWaiting():
        for wait in WAITS:
            with pytest.raises(RuntimeError, match='waits'):
                wait(x)
        assert isinstance(torch.ones(3).to(DEVICE, non_blocking=True) + x, StandIn)
    guard = Guard()
    learn = learner([guard, Last(guard)])
    learn.remove_cbs([cb for cb in learn.cbs if type(cb).__name__ == 'DeviceLossCB'])
    try:
        with pytest.raises(RuntimeError, match='waits'):
            fit(learn)
    finally:
        guard.let_go()


def test_the_average_is_fastais(on_the_device):
    learn = learner()
    fit(learn)
    assert isinstance(learn.recorder.smooth_loss, SmoothLoss)
    losses = torch.stack(list(learn.recorder.losses))
    assert not isinstance(losses, StandIn) and losses.isfinite().all() and len(losses) == 6


class Spoil(Callback):
    "Makes a loss of no number"

    order = 15

    def __init__(self, number):
        self.number = number

    def after_loss(self):
        if self.training and self.iter == self.number:
            self.learn.loss = self.loss * float('nan')


def test_a_loss_that_is_no_number_is_found_later_but_by_its_number(on_the_device):
    with pytest.raises(NotFinite, match='batch 3 in epoch 1'):
        fit(learner([Spoil(2)]))


def test_on_the_cpu_it_is_found_before_the_step():
    learn = learner([Spoil(2)])
    with pytest.raises(NotFinite, match='batch 3 in epoch 1'):
        fit(learn)
    assert all(p.isfinite().all() for p in learn.model.parameters())
    assert any(isinstance(cb, TerminateOnNaNCB) for cb in learn.cbs)
