"The monitor of `vtd train`: it changes nothing, warns, stops, and leaves healthy models alone."

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from support.training import SMALL_TEXT, small_settings

from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.networks.attention_masks import causal
from visual_token_diffusion.training.dataloaders import lm_dls, split_text, valid_windows
from visual_token_diffusion.training.language_collapse import (
    LanguageCollapseCB,
    LanguageSigns,
    diagnose_language,
)
from visual_token_diffusion.training.language_model import fit_text, lm_learner, train_text
from visual_token_diffusion.training.monitor import CollapseError
from visual_token_diffusion.training.resume import load_state

text = SMALL_TEXT
cfg = small_settings('steps=48', 'epochs=2', 'dropout=.1', 'monitor=4')


def weights(c):
    model, _ = train_text(text, c, progress=False)
    return torch.cat([p.flatten() for p in model.parameters()])


def see_all(model):
    "The network gets the masked tokens as well"
    model.embed.register_forward_pre_hook(lambda _, a: (a[0], torch.zeros_like(a[1])))


def test_looking_changes_nothing():
    assert torch.equal(weights(cfg), weights(replace(cfg, monitor=0)))


def test_it_warns_then_stops_and_leaves_what_was_saved(tmp_path, capsys):
    c = replace(cfg, steps=200)
    vocab, train, valid = split_text(text, c)
    model = build_model(vocab, train, c)
    see_all(model)
    dls = lm_dls(train, valid_windows(valid, c), c, vocab)
    with pytest.raises(CollapseError, match='^stopped at step .* label leak') as e:
        fit_text(model, dls, c, tmp_path, False, dict(settings={}))
    err = capsys.readouterr().err
    assert err.count('warning: step') == 1 and '\n' not in str(e.value)
    assert list(tmp_path.glob('train_state-*.pt'))


def looks(c, harm=lambda model: None):
    "The monitor after a training that looks every eighth step"
    vocab, train, valid = split_text(text, c)
    windows, lines = valid_windows(valid, c), []
    cb = LanguageCollapseCB(windows, 8, log=lines.append)
    model = build_model(vocab, train, c).train()
    harm(model)
    learn = lm_learner(lm_dls(train, windows, c), model, c, [cb])
    with learn.no_bar(), learn.no_logging():
        learn.fit(c.epochs)
    return cb, lines


PROCESSES = ['masked', 'autoregressive', 'partial', 'next_scale']


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('process', PROCESSES)
def test_healthy_models_of_every_process_are_not_flagged(process, seed):
    "An autoregressive model may see the tokens before, a partly masked one the visible codes"
    cb, lines = looks(replace(cfg, process=process, head='hierarchical', seed=seed))
    assert not cb.failure_modes and not lines
    assert all(s.leak == 0 and s.loss > 0 and 0 <= s.accuracy <= 1 for s in cb.signs)


def see_itself(model):
    "An autoregressive network gets the token that it predicts"
    model._from_left = lambda ids: model.backbone(model.embed(ids), causal)


@pytest.mark.parametrize('process', PROCESSES)
def test_a_leak_is_found_in_every_process(process):
    harm = see_itself if process == 'autoregressive' else see_all
    with pytest.raises(CollapseError, match='label leak'):
        looks(replace(cfg, process=process, head='hierarchical', steps=120, epochs=1), harm)


FIRST = LanguageSigns(
    step=0,
    progress=0.0,
    loss=5.0,
    accuracy=0.1,
    top_share=0.2,
    leak=0.0,
    grad_rms=dict(a=0.0),
    relative_update=dict(a=0.0),
    weight_ratio=dict(a=1.0),
)
GOOD = FIRST._replace(
    step=100,
    progress=0.5,
    loss=4.5,
    grad_rms=dict(a=1.0),
    relative_update=dict(a=2.0),
    weight_ratio=dict(a=1.1),
)
STILL = GOOD._replace(loss=5.0)


@pytest.mark.parametrize(
    'name,signs',
    [
        ('label leak', GOOD._replace(leak=0.5)),
        ('learning rate too high', GOOD._replace(loss=6.0)),
        ('learning rate too high', STILL._replace(weight_ratio=dict(a=4.0))),
        ('no gradient', GOOD._replace(grad_rms=dict(a=1.0, b=0.0))),
        ('vanishing weights', STILL._replace(weight_ratio=dict(a=0.01))),
        ('learning rate too low', STILL._replace(relative_update=dict(a=0.01))),
    ],
)
def test_each_sign_has_its_name(name, signs):
    assert list(diagnose_language(signs, FIRST)) == [name]
    assert not diagnose_language(GOOD, FIRST)


def test_the_command_line_says_it_in_one_line(tmp_path):
    (tmp_path / 'b.txt').write_text(text)
    sizes = ['unit=words', 'width=16', 'depth=1', 'heads=1', 'length=16', 'steps=60']
    command = [sys.executable, '-m', 'visual_token_diffusion', 'train', 'b.txt', '-o', 'm']
    r = subprocess.run(
        [*command, '--profile', 'ci', *sizes, 'lr=1e-7', 'monitor=3'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    lines = [l for l in r.stderr.splitlines() if l.startswith(('vtd', 'warning'))]
    assert r.returncode == 2 and len(lines) == 2, r.stderr
    assert all('learning rate too low' in l for l in lines), r.stderr


def test_a_resumed_monitor_remembers_the_start(tmp_path):
    train_text(text, replace(cfg, keep=1), tmp_path, progress=False)
    states = load_state(tmp_path)['callbacks']
    state = next(v for k, v in states.items() if 'collapse' in k)
    assert state['first']['step'] == 0 and state['start_rms']
    cb = LanguageCollapseCB(torch.zeros(2, 4).long())
    cb.load_state_dict(state)
    assert cb.signs[0].step == 0
