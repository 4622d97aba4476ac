"Interrupted at any step, a training continues to the same bits."

import shutil
from dataclasses import replace

import pytest
import torch
from fastai.callback.training import GradientAccumulation
from support.resuming import CFG, TEXT, interrupted, same, same_state

from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.training.dataloaders import lm_dls, split_text, valid_windows
from visual_token_diffusion.training.language_model import lm_learner, train_text
from visual_token_diffusion.training.progress import ProgressCB
from visual_token_diffusion.training.resume import ResumeCB, remove_unfinished, state_files


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp('whole')
    return train_text(TEXT, CFG, folder, progress=False)[0], folder


@pytest.mark.parametrize(
    'at,every,order',
    [
        (1, 1, 99),
        (3, 1, 80),
        (4, 1, 99),
        (5, 2, 99),
        (6, 4, 99),
        (8, 1, 80),
        (11, 3, 99),
        (12, 1, 99),
        (7, 0, 99),
        (3, 0, 99),
    ],
)
def test_resumed_anywhere_it_ends_in_the_same_bits(whole, tmp_path, monkeypatch, at, every, order):
    cfg = replace(CFG, save_steps=every)
    interrupted(tmp_path, cfg, at, order, monkeypatch)
    resumed = train_text(TEXT, cfg, tmp_path, resume=True, progress=False)[0]
    assert same_state(resumed, whole[0])
    same(tmp_path, whole[1])


@pytest.mark.parametrize('changed', [dict(head='hierarchical'), dict(process='autoregressive')])
def test_other_parts_resume_to_the_same_bits(tmp_path, monkeypatch, changed):
    cfg = replace(CFG, **changed)
    train_text(TEXT, cfg, tmp_path / 'a', progress=False)
    interrupted(tmp_path / 'b', cfg, 7, 99, monkeypatch)
    train_text(TEXT, cfg, tmp_path / 'b', resume=True, progress=False)
    same(tmp_path / 'a', tmp_path / 'b')


def test_twice_interrupted(whole, tmp_path, monkeypatch):
    interrupted(tmp_path, CFG, 3, 99, monkeypatch)
    interrupted(tmp_path, CFG, 9, 99, monkeypatch, resume=True)
    resumed = train_text(TEXT, CFG, tmp_path, resume=True, progress=False)[0]
    assert same_state(resumed, whole[0])


def test_saving_does_not_change_the_training(whole):
    assert same_state(train_text(TEXT, CFG, None, progress=False)[0], whole[0])


def test_a_finished_training_resumes_to_itself(whole, tmp_path):
    shutil.copytree(whole[1], tmp_path / 'm')
    again = train_text(TEXT, CFG, tmp_path / 'm', resume=True, progress=False)[0]
    assert same_state(again, whole[0])


def test_the_newest_stay_and_the_best_is_the_best(tmp_path):
    train_text(TEXT, replace(CFG, keep=3, save_steps=2), tmp_path, progress=False)
    names = [f.name for f in state_files(tmp_path)]
    assert names == [f'train_state-{s:08}.pt' for s in (8, 10, 12)]
    assert not list(tmp_path.glob('*.tmp'))
    assert VisualTokenLM.from_pretrained(tmp_path / 'best')


def test_waiting_gradients_are_not_saved(tmp_path):
    "Not in the middle of an accumulated step: the state would lack them"
    seen = []

    class See(ResumeCB):
        def save(self, epoch, it):
            done = super().save(epoch, it)
            seen.append((self.train_iter, done))
            return done

    cfg = replace(CFG, epochs=1)
    vocab, train, valid = split_text(TEXT, cfg)
    progress = ProgressCB(1, 12, 64, None)
    cbs = [progress, See(tmp_path, {}, progress, 1), GradientAccumulation(12)]
    dls = lm_dls(train, valid_windows(valid, cfg), cfg)
    learn = lm_learner(dls, build_model(vocab, train, cfg).train(), cfg, cbs)
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
    assert [i for i, done in seen if done] == [0, 3, 6, 9, 12] and len(seen) > 6


def test_what_a_kill_leaves_is_tidied(tmp_path):
    for name in ('.train_state-00000003.pt-abc.tmp', '.log.csv-def.tmp', 'notes.tmp'):
        (tmp_path / name).write_text('half')
    (tmp_path / '.saving-xyz').mkdir()
    remove_unfinished(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ['notes.tmp'], 'the user\'s own file stays'


def test_generators_are_left_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    train_text(TEXT, replace(CFG, epochs=1), progress=False)
    assert torch.equal(before, torch.get_rng_state())
