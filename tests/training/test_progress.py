"Lines and history of a training, the model after every epoch, and the best one."

import io
import sys

import pytest
import torch
from support.training import SMALL_TEXT, fit, small_settings

from visual_token_diffusion.core.errors import SaveError
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.training.dataloaders import lm_dls, split_text, valid_windows
from visual_token_diffusion.training.language_model import lm_learner
from visual_token_diffusion.training.progress import CheckpointCB, ProgressCB

text = SMALL_TEXT
cfg = small_settings('steps=12', 'epochs=3', 'ema=.9')


def trained(progress, make=lambda progress: []):
    vocab, train, valid = split_text(text, cfg)
    dls = lm_dls(train, valid_windows(valid, cfg), cfg)
    model = build_model(vocab, train, cfg).train()
    return fit(lm_learner(dls, model, cfg, [progress, *make(progress)]), 3)


def test_a_line_per_epoch_and_its_history():
    lines = []
    progress = ProgressCB(3, 4, 8 * 16, lines.append)
    trained(progress)
    assert len(lines) == 3 and all('nats/token' in line for line in lines)
    assert [row['step'] for row in progress.history] == [4, 8, 12]
    assert f'{progress.history[-1]["valid"]:.3f}' in lines[-1]


@pytest.mark.parametrize('out,shown', [(print, True), (None, False)])
def test_the_bar_is_for_terminals_and_not_for_who_wants_silence(out, shown, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, 'stderr', terminal)
    progress = ProgressCB(3, 4, 8 * 16, out)
    progress.before_fit()
    progress.bar.close()
    assert bool(terminal.getvalue()) == shown


def test_history_of_before_is_kept():
    progress = ProgressCB(3, 4, 128, None, [dict(epoch=0, step=0, train=9.0, valid=9.0)])
    trained(progress)
    assert len(progress.history) == 4 and progress.history[0]['train'] == 9


def test_the_best_model_is_the_one_with_the_lowest_validation_loss(tmp_path):
    progress = ProgressCB(3, 4, 128, None)

    class Worse(CheckpointCB):
        def trained_epoch(self):
            if self.epoch == 2:
                self.progress.history[-1]['valid'] = 99.0
            super().trained_epoch()

    trained(progress, lambda p: [Worse(tmp_path, p)])
    last, best = (VisualTokenLM.from_pretrained(f) for f in (tmp_path, tmp_path / 'best'))
    a, b = last.state_dict(), best.state_dict()
    assert not all(torch.equal(a[k], b[k]) for k in a)


def test_a_disk_that_refuses_is_one_line(tmp_path):
    (tmp_path / 'model').write_text('')
    with pytest.raises(SaveError, match='cannot save the model') as e:
        trained(ProgressCB(3, 4, 128, None), lambda p: [CheckpointCB(tmp_path / 'model', p)])
    assert '\n' not in str(e.value).split('\n\t')[-1]


def test_steps_count_accumulated_batches():
    progress = ProgressCB(3, 4, 128, None, accumulate=2)
    trained(progress)
    assert [row['step'] for row in progress.history] == [2, 4, 6]
