"Lower precision: it learns, lets go, and leaves out the steps that overflow."

import pytest
import torch
from fastai.callback.core import Callback
from support.training import Watch, equal, fit, learner
from torch import nn

from visual_token_diffusion.training.precision import AutocastCB


@pytest.mark.parametrize('dtype', ['bf16', 'fp16'])
def test_mixed_precision_learns_and_lets_go(dtype):
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    dtypes = []
    model[0].register_forward_hook(lambda m, x, out: dtypes.append(out.dtype))
    learn = fit(learner([AutocastCB(dtype)], model=model))
    assert set(dtypes) == {dict(bf16=torch.bfloat16, fp16=torch.float16)[dtype]}
    assert not torch.is_autocast_enabled('cpu')
    assert learn.pred is None or learn.pred.dtype == torch.float32
    model(torch.zeros(1, 3))
    assert dtypes[-1] == torch.float32, 'the model must be as before'


def test_mixed_precision_lets_go_when_the_model_fails():
    class Bad(nn.Linear):
        def forward(self, x):
            raise RuntimeError('broken')

    with pytest.raises(RuntimeError, match='broken'):
        fit(learner([AutocastCB()], model=Bad(3, 2)))
    assert not torch.is_autocast_enabled('cpu')


def test_an_overflow_in_fp16_leaves_out_the_step_and_halves_the_scale():
    amp, watch = AutocastCB('fp16'), Watch()
    amp.scale = 1024.0

    class Blow(Callback):
        order = 11

        def after_loss(self):
            if self.training and self.iter == 2:
                self.learn.loss_grad = self.loss_grad * float('inf')

    fit(learner([amp, watch, Blow()], model=nn.Linear(3, 2)))
    assert amp.skipped == 1 and amp.scale == 512
    assert equal(watch.weights[1], watch.weights[2])


def test_other_types_are_refused():
    with pytest.raises(ValueError, match='bf16'):
        AutocastCB('fp8')


def test_fp16_takes_the_steps_of_fp32():
    "The scale cancels: but for rounding the steps are the same"
    amp = AutocastCB('fp16')
    amp.scale = 1024.0
    torch.manual_seed(0)
    a = fit(learner([amp], model=nn.Linear(3, 2)))
    torch.manual_seed(0)
    b = fit(learner(model=nn.Linear(3, 2)))
    assert amp.skipped == 0
    for p, q in zip(a.model.parameters(), b.model.parameters()):
        assert torch.allclose(p, q, atol=2e-3)


@pytest.mark.parametrize('dtype', ['bf16', 'fp16'])
def test_weights_stay_float32_and_the_loss_is_nearly_that_of_fp32(dtype):
    torch.manual_seed(0)
    plain = fit(learner(model=nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    low = fit(learner([AutocastCB(dtype)], model=model))
    assert {p.dtype for p in low.model.parameters()} == {torch.float32}
    a, b = (learn.recorder.values[-1][1] for learn in (plain, low))
    assert abs(a - b) < 0.3 * a
