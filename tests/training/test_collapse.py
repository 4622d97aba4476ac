"The monitor's instruments against plain loops, and its names for planted failures."

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import OptimWrapper
from support.training import fit
from torch import nn

from visual_token_diffusion.training.collapse import (
    CollapseCB,
    CollapseSigns,
    alignment,
    diagnose,
    probe,
    token_variance,
)
from visual_token_diffusion.training.monitor import CollapseError


def test_signs_against_plain_loops():
    g = torch.randn(7, 3, 4, generator=torch.Generator().manual_seed(0)).double()
    f = g.flatten(1)
    pairs = [(i, j) for i in range(7) for j in range(7) if i != j]
    cosines = [F.cosine_similarity(f[i], f[j], 0).item() for i, j in pairs]
    assert alignment(g) == pytest.approx(sum(cosines) / len(cosines))
    within = [((column - column.mean()) ** 2).mean().item() for column in f.T]
    whole = ((f - f.mean()) ** 2).mean().item()
    assert token_variance(g) == pytest.approx(sum(within) / 12 / whole)


GOOD = CollapseSigns(
    step=50,
    progress=0.5,
    accuracy=0.2,
    confidence=0.5,
    top_share=0.1,
    unique=1.0,
    alignment=0.3,
    token_variance=0.9,
    leak=0.0,
    loss_floor=0.0,
    grad_rms=dict(a=1.0),
    relative_update=dict(a=5.0),
    weight_ratio=dict(a=1.0),
    codebook_usage={},
)


@pytest.mark.parametrize(
    'name,changed',
    [
        ('double softmax', dict(loss_floor=math.log(1 + 99 / math.e))),
        ('label leak', dict(leak=0.5)),
        ('no gradient', dict(grad_rms=dict(a=0.0, b=1.0))),
        ('dead codebook', dict(codebook_usage=dict(q=0.01))),
        ('tiny start', dict(token_variance=0.05)),
        ('vanishing weights', dict(weight_ratio=dict(a=0.01))),
        ('learning rate too low', dict(relative_update=dict(a=0.1))),
    ],
)
def test_each_sign_has_its_name(name, changed):
    signs = GOOD._replace(**changed)
    assert list(diagnose(signs, GOOD._replace(token_variance=signs.token_variance), 100)) == [name]
    assert not diagnose(GOOD, GOOD, 100)


class Little(nn.Module):
    "Twenty tokens, their grids, and what a decoder says of them"

    def __init__(self, leak=False, last=None):
        super().__init__()
        self.embedding, self.encoder = nn.Embedding(20, 16), nn.Linear(16, 12)
        self.decoder = nn.Linear(12 + 16 * leak, 20)
        self.leak, self.last = leak, last or nn.Identity()

    def forward(self, ids):
        x = self.encoder(self.embedding(ids))
        if self.leak:
            x = torch.cat([0.1 * x, self.embedding(ids)], 1)
        return self.last(self.decoder(x))


def watched(model):
    "A Learner with the monitor"
    ids = torch.randint(20, (1600,))
    data = torch.utils.data.TensorDataset(ids, ids)
    some = torch.utils.data.Subset(data, range(20))
    dls = DataLoaders.from_dsets(
        data, some, bs=20, shuffle=False, num_workers=0, device=torch.device('cpu')
    )
    parts = dict(embedding=model.embedding, encoder=model.encoder, decoder=model.decoder)
    cb = CollapseCB(torch.arange(20), model.encoder, parts)
    opt = partial(OptimWrapper, opt=torch.optim.AdamW)
    return Learner(dls, model, loss_func=F.cross_entropy, opt_func=opt, lr=0.02, cbs=cb), cb


def test_a_healthy_training_is_not_flagged():
    torch.manual_seed(0)
    learn, cb = watched(Little())
    fit(learn)
    assert not cb.failure_modes and cb.signs[-1].accuracy == 1


@pytest.mark.parametrize(
    'name,make',
    [('label leak', lambda: Little(True)), ('double softmax', lambda: Little(last=nn.Softmax(1)))],
)
def test_a_planted_failure_is_named(name, make):
    torch.manual_seed(0)
    learn, _ = watched(make())
    with pytest.warns(UserWarning, match=name), pytest.raises(CollapseError, match=name):
        fit(learn)


def test_looking_changes_nothing():
    ids, model = torch.arange(20), Little()
    model.train()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    out, _, _ = probe(model, ids, model.encoder)
    other = probe(model, ids, model.encoder, 1)[0]
    assert model.training and torch.equal(before, torch.get_rng_state())
    assert not model.encoder._forward_hooks
    assert torch.allclose(
        other, out.roll(1, 0), atol=1e-6
    ), "another token's grid gives another token's answer"
