"What all monitors share: sizes, patience, the warning and the stop."

from typing import NamedTuple

import pytest
import torch
from support.training import fit, learner

from visual_token_diffusion.training.monitor import CollapseError, MonitorCB, rms


def test_root_mean_square():
    x = [torch.randn(3, 4), torch.randn(5)]
    flat = torch.cat([t.flatten() for t in x])
    assert rms(x) == pytest.approx(flat.square().mean().sqrt().item()) and rms([]) == 0


class Signs(NamedTuple):
    step: int
    grad_rms: dict
    relative_update: dict


class Script(MonitorCB):
    "Finds what the script says, look by look"

    def __init__(self, script, **kwargs):
        super().__init__(every=1, **kwargs)
        self.script = script

    def look(self):
        self.signs.append(Signs(self.train_iter, dict(self.grad_rms), dict(self.relative_update)))

    def find(self):
        return {'trouble': 'evidence'} if self.script[len(self.signs) - 2] == 'x' else {}


def watch(script, **kwargs):
    lines = []
    cb = Script(script, patience=3, log=lines.append, **kwargs)
    learn = learner([cb], steps=8)
    cb.parts = dict(first=learn.model[0], last=learn.model[2])
    return learn, cb, lines


def test_what_stays_stops_the_training_after_one_warning():
    learn, cb, lines = watch('.xxxxxxx')
    with pytest.raises(CollapseError, match='stopped at step 4. trouble: evidence'):
        fit(learn)
    assert lines == ['step 2: signs of trouble: evidence'] and len(cb.signs) == 5


def test_what_passes_is_only_a_warning():
    learn, cb, lines = watch('.xx.xx.x')
    fit(learn)
    assert len(lines) == 1 and cb.failure_modes and not cb.diagnosis


def test_it_can_be_told_not_to_stop():
    learn, cb, _ = watch('xxxxxxxx', stop=False)
    fit(learn)
    assert cb.diagnosis == 'trouble: evidence' and len(cb.signs) == 9


def test_sizes_of_gradients_and_updates():
    learn, cb, _ = watch('.' * 8)
    fit(learn)
    assert all(size > 0 for s in cb.signs[1:] for size in s.grad_rms.values())
    updates = [s.relative_update['first'] for s in cb.signs[1:]]
    assert updates[0] > 0 and updates == sorted(updates), 'the largest so far'
