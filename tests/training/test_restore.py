"A training continues only as the same one, and a state cannot ask for a model that it does not hold."

import hashlib
import time
from dataclasses import replace

import pytest
import torch
from support.resuming import CFG, TEXT

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.training.language_model import train_text
from visual_token_diffusion.training.restore import MAY_CHANGE, restore_model

SMALL = load_settings(
    'ci',
    [
        'width=8',
        'heads=1',
        'depth=1',
        'length=8',
        'batch=2',
        'steps=2',
        'epochs=1',
        'unit=words',
        'valid_sequences=2',
        'head=hierarchical',
        'monitor=0',
        'keep=1',
    ],
)


@pytest.mark.parametrize(
    'key,value',
    [
        ('depth', 2**53),
        ('depth', 1000),
        ('width', 65536),
        ('sizes', [4096, 4096, 4096]),
        ('features', 60000),
        ('length', -1),
        ('heads', None),
        ('head', 'feature_tree'),
        ('process', 'no such process'),
    ],
)
def test_a_state_cannot_ask_for_a_model_that_it_does_not_hold(tmp_path, key, value):
    text = 'the cat sees a dog\n' * 60
    model, _ = train_text(text, SMALL, tmp_path, progress=False)
    corpus_hash = hashlib.sha256(text.encode()).hexdigest()
    f = next(tmp_path.glob('train_state-*.pt'))
    state = torch.load(f, weights_only=True)
    state['config'][key] = value
    torch.save(state, f)
    began = time.process_time()
    with pytest.raises(CheckpointError) as e:
        restore_model(tmp_path, SMALL, corpus_hash, model.vocab)
    assert '\n' not in str(e.value) and time.process_time() - began < 2


@pytest.mark.parametrize(
    'harm',
    [
        lambda o: o.pop('state'),
        lambda o: o.update(param_groups=3),
        lambda o: o['state'][0].pop('exp_avg'),
        lambda o: o['state'][0].update(exp_avg=o['state'][0]['exp_avg'][:1]),
    ],
    ids=['no state', 'no groups', 'half', 'another shape'],
)
def test_a_damaged_optimizer_is_one_line(tmp_path, harm):
    train_text(TEXT, CFG, tmp_path, progress=False)
    f = max(tmp_path.glob('train_state-*.pt'), key=lambda p: int(p.stem.split('-')[1]))
    state = torch.load(f, weights_only=True)
    harm(state['opt'])
    state.update(epoch=0, iter=0)
    torch.save(state, f)
    with pytest.raises(CheckpointError) as e:
        train_text(TEXT, CFG, tmp_path, progress=False, resume=True)
    assert 'optimizer' in str(e.value) and '\n' not in str(e.value)


def refused(folder, text, cfg):
    with pytest.raises(CheckpointError) as e:
        train_text(text, cfg, folder, progress=False, resume=True)
    assert '\n' not in str(e.value)
    return str(e.value)


def test_only_the_same_training_is_continued(tmp_path):
    cfg = replace(SMALL, steps=4, epochs=2)
    train_text(TEXT, cfg, tmp_path, progress=False)
    assert 'trained with lr=' in refused(tmp_path, TEXT, replace(cfg, lr=0.01))
    assert 'another text' in refused(tmp_path, TEXT[:-50], cfg)
    state = next(iter(tmp_path.glob('train_state-*.pt')))
    torch.save(torch.load(state, weights_only=True) | dict(processes=2), state)
    assert 'by 2 process(es)' in refused(tmp_path, TEXT, cfg)


def test_how_often_to_save_may_change(tmp_path):
    cfg = replace(SMALL, steps=4, epochs=2)
    model, _ = train_text(TEXT, cfg, tmp_path, progress=False)
    again, _ = train_text(TEXT, replace(cfg, save_steps=2), tmp_path, progress=False, resume=True)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters()))


def test_what_may_change_are_settings():
    assert all(hasattr(SMALL, name) for name in MAY_CHANGE)
