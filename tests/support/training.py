"Small trainings for the tests of callbacks, and what several test files ask of an error."

from functools import partial

import fastai.callback.progress  # brings `no_bar` and `no_logging`
import pytest
import torch
import torch.nn.functional as F
from fastai.callback.core import Callback
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import OptimWrapper
from torch import nn

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.worlds.stories import story_text

SMALL_TEXT = story_text(600, torch.Generator().manual_seed(0))
SMALL_SIZES = ['width=16', 'depth=1', 'heads=1', 'length=16', 'batch=8', 'valid_sequences=16']


def small_settings(*settings):
    "Settings of a language model of words that learns in a second"
    return load_settings('ci', ['unit=words', *SMALL_SIZES, *settings])


def one_line(f, *words):
    "`f` is refused in one line that has all `words`"
    with pytest.raises(ValueError) as e:
        f()
    said = str(e.value)
    assert '\n' not in said and all(w in said for w in words), said


def random_batches(steps, bs, dtype):
    g = torch.Generator().manual_seed(0)
    x = torch.randn(steps * bs, 3, generator=g).to(dtype)
    y = torch.randn(steps * bs, 2, generator=g).to(dtype)
    data = torch.utils.data.TensorDataset(x, y)
    return DataLoaders.from_dsets(
        data, data, bs=bs, shuffle=False, num_workers=0, device=torch.device('cpu')
    )


def learner(cbs=(), steps=8, bs=4, opt=torch.optim.SGD, model=None, lr=0.1):
    "A Learner of a tiny network on random numbers"
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    dls = random_batches(steps, bs, next(model.parameters()).dtype)
    opt_func = partial(OptimWrapper, opt=opt)
    return Learner(dls, model, loss_func=F.mse_loss, opt_func=opt_func, lr=lr, cbs=list(cbs))


def fit(learn, n=1, **kwargs):
    with learn.no_bar(), learn.no_logging():
        learn.fit(n, **kwargs)
    return learn


def parameters(model):
    return [p.detach().clone() for p in model.parameters()]


def equal(a, b):
    "Whether two models, or lists of tensors, are equal to the last bit"
    a, b = (list(m.parameters()) if isinstance(m, nn.Module) else m for m in (a, b))
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b))


class Watch(Callback):
    "Weights after every step"

    order = 5

    def before_fit(self):
        self.weights = []

    def after_step(self):
        self.weights.append(parameters(self.model))
