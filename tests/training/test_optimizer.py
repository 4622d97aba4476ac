"The wrapper of optimizers: the same hyperparameters as fastai's, found and set."

import pytest
import torch
from fastai.optimizer import OptimWrapper

from visual_token_diffusion.training.optimizer import QuickOptimWrapper


def _both(n_groups):
    "fastai's wrapper and ours, of groups of one weight each"
    weights = [[torch.nn.Parameter(torch.ones(2))] for _ in range(n_groups)]
    return [wrapper(weights, opt=torch.optim.AdamW, lr=0.1) for wrapper in (OptimWrapper, QuickOptimWrapper)]


@pytest.mark.parametrize('n_groups', [1, 3])
def test_hyperparameters_are_those_of_fastai(n_groups):
    theirs, ours = _both(n_groups)
    assert ours.hypers == theirs.hypers and len(ours.hypers) == n_groups
    assert {'lr', 'mom', 'sqr_mom', 'wd', 'eps'} <= set(ours.hypers[0])


@pytest.mark.parametrize('n_groups', [1, 3])
@pytest.mark.parametrize('name,value', [
    ('lr', 0.01), ('mom', 0.8), ('wd', 0), ('lr', slice(0.1)), ('lr', slice(0.01, 0.1)),
])
def test_they_are_set_as_fastai_sets_them(n_groups, name, value):
    theirs, ours = _both(n_groups)
    for wrapper in (theirs, ours):
        wrapper.set_hyper(name, value)
    assert ours.hypers == theirs.hypers
    assert [group['betas'] for group in ours.opt.param_groups] == [group['betas'] for group in theirs.opt.param_groups]


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError):
        _both(1)[1].set_hyper('speed', 1.0)
