"Dead entries are counted, and moved to where vectors are."

import pytest
import torch
import torch.nn.functional as F
from support.training import fit, learner
from torch import nn

from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.training.codebook_callback import CodebookCB


class Coded(nn.Module):
    def __init__(self, q):
        super().__init__()
        self.lin, self.q = nn.Linear(3, 2), q

    def forward(self, x):
        quantized = self.q(self.lin(x))
        self.extra = sum(quantized.losses.values())
        return quantized.z


def run(reset_below):
    "A training whose entries all lie far away, except one"
    q = VectorQuantizer(2, 8, decay=None, generator=torch.Generator().manual_seed(0))
    q.initialized.fill_(True)
    q.codebooks.data[:, 1:] += 50
    model, cb = Coded(q), CodebookCB(q, reset_below)
    learn = learner([cb], model=model, opt=torch.optim.Adam, lr=0.01)
    learn.loss_func = lambda p, y: F.mse_loss(p, y) + model.extra
    fit(learn, 3)
    return cb


def test_dead_entries_are_counted_and_reset():
    alone, reset = run(0.0), run(0.1)
    assert [row['dead'][0] for row in alone.rows] == [7 / 8] * 3
    assert alone.rows[-1]['perplexity'][0] == pytest.approx(1)
    assert reset.n_resets >= 7 and reset.rows[-1]['dead'][0] < 0.5
    assert not alone.q._forward_hooks and not reset.q._forward_hooks, 'nothing watches after the training'


def test_only_entries_of_a_vector_quantizer_are_reset():
    with pytest.raises(ValueError, match='FSQ'):
        CodebookCB(FSQ((3, 3)), 0.1)


def test_its_state_comes_back():
    a = run(0.1)
    b = CodebookCB(a.q, 0.1)
    b.load_state_dict(a.state_dict())
    assert b.rows == a.rows and b.n_resets == a.n_resets
