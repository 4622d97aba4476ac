"The monitor of `vtd train`, accumulation, clipping, trackers."

import subprocess, sys, types
from dataclasses import replace
import pytest, torch
from visual_token_diffusion.training.dataloaders import split_text
from visual_token_diffusion.training.dataloaders import lm_dls, valid_windows
from visual_token_diffusion.training.language_model import fit_text, train_text
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.worlds.stories import story_text
from visual_token_diffusion.training.monitor import CollapseError
from visual_token_diffusion.training.language_collapse import LanguageCollapseCB

text = story_text(600, torch.Generator().manual_seed(0))
cfg = load_settings(
    'ci',
    [
        'unit=words',
        'width=16',
        'depth=1',
        'heads=1',
        'length=16',
        'batch=8',
        'steps=48',
        'epochs=2',
        'valid_sequences=16',
        'dropout=.1',
        'monitor=4',
    ],
)


def weights(c, **kw):
    return torch.cat(
        [p.flatten() for p in train_text(text, c, progress=False, **kw)[0].parameters()]
    )


def hurt(harm, c, tmp_path):
    vocab, train, valid = split_text(text, c)
    w = valid_windows(valid, c)
    m = build_model(vocab, train, c)
    harm(m)
    fit_text(m, lm_dls(train, w, c, vocab), c, tmp_path, False, dict(settings={}))


def test_looking_changes_nothing():
    assert torch.equal(weights(cfg), weights(replace(cfg, monitor=0)))


def test_it_warns_then_stops_and_leaves_what_was_saved(tmp_path, capsys):
    with pytest.raises(CollapseError, match='^stopped at step .* label leak') as e:
        hurt(
            lambda m: m.embed.register_forward_pre_hook(
                lambda _, a: (a[0], torch.zeros_like(a[1]))
            ),
            replace(cfg, steps=200),
            tmp_path,
        )
    err = capsys.readouterr().err
    assert (
        err.count('warning: step') == 1
        and '\n' not in str(e.value)
        and list(tmp_path.glob('train_state-*.pt'))
    )


def test_the_command_line_says_it_in_one_line(tmp_path):
    (tmp_path / 'b.txt').write_text(text)
    r = subprocess.run(
        [
            sys.executable,
            '-m',
            'visual_token_diffusion',
            'train',
            'b.txt',
            '-o',
            'm',
            '--profile',
            'ci',
            'unit=words',
            'width=16',
            'depth=1',
            'heads=1',
            'length=16',
            'steps=60',
            'lr=1e-7',
            'monitor=3',
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    lines = [l for l in r.stderr.splitlines() if l.startswith(('vtd', 'warning'))]
    assert (
        r.returncode == 2 and len(lines) == 2 and all('learning rate too low' in l for l in lines)
    ), r.stderr


def test_a_resumed_monitor_remembers_the_start(tmp_path, monkeypatch):
    from visual_token_diffusion.training.resume import load_state

    train_text(text, cfg, tmp_path, progress=False)
    s = load_state(tmp_path)['callbacks']
    k = next(k for k in s if 'collapse' in k)
    assert s[k]['first']['step'] == 0 and s[k]['start']
    cb = LanguageCollapseCB(torch.zeros(2, 4).long())
    cb.load_state_dict(s[k])
    assert cb.seen[0].step == 0


@pytest.mark.parametrize('b', [8, 4, 2])
def test_accumulated_batches_are_one(b):
    "The same tokens a step and nearly the same weights; noise differs, since it is drawn per batch: so compare steps and gradients"
    a = replace(cfg, batch=b, accumulate=8 // b, dropout=0.0)
    m, f = train_text(text, a, progress=False)
    assert f['bound'] < f['unigram'] + 0.3
    from visual_token_diffusion.training.dataloaders import text_dls

    assert len(text_dls(text, a).train) == 24 * 8 // b


def test_clipping_bounds_the_gradient():
    from fastai.callback.core import Callback
    from visual_token_diffusion import learner as L

    norms = []

    class See(Callback):
        order = 15

        def before_step(self):
            norms.append(
                torch.nn.utils.get_total_norm(
                    [p.grad for p in self.model.parameters() if p.grad is not None]
                ).item()
            )

    plain = L.lm_learner
    L.lm_learner = lambda m, d, c, cbs: plain(m, d, c, [*cbs, See()])
    try:
        weights(replace(cfg, clip=0.01))
        assert max(norms) <= 0.0101 and len(norms) == 48
        norms.clear()
        weights(cfg)
        assert max(norms) > 0.0101
    finally:
        L.lm_learner = plain


def test_tensorboard_file(tmp_path):
    pytest.importorskip('tensorboard')
    train_text(text, replace(cfg, tracker='tensorboard'), tmp_path, progress=False)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    e = EventAccumulator(str(tmp_path / 'tensorboard'))
    e.Reload()
    log = [l.split(',') for l in (tmp_path / 'log.csv').read_text().splitlines()[1:]]
    assert (
        [round(x.value, 4) for x in e.Scalars('epoch/valid_loss')]
        == [round(float(l[2]), 4) for l in log]
        and [x.step for x in e.Scalars('epoch/valid_loss')] == [24, 48]
        and len(e.Scalars('train/loss')) == 4
    )


def test_wandb_is_called_as_it_wants(tmp_path, monkeypatch):
    calls = []
    run = types.SimpleNamespace(log=lambda f, step: calls.append((step, f)))
    monkeypatch.setitem(
        sys.modules, 'wandb', types.SimpleNamespace(init=lambda **kw: calls.append(kw) or run)
    )
    train_text(text, replace(cfg, tracker='wandb'), tmp_path, progress=False)
    assert calls[0]['config']['width'] == 16 and [
        s for s, f in calls[1:] if 'epoch/valid_loss' in f
    ] == [24, 48]


def test_a_tracker_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'wandb', None)
    with pytest.raises(ValueError, match='^the package wandb is not installed'):
        train_text(text, replace(cfg, tracker='wandb'), tmp_path, progress=False)


def test_samples_are_shown_in_one_place(tmp_path, monkeypatch):
    import IPython.display as D
    from PIL import Image
    from visual_token_diffusion.training.callbacks import SampleCB

    calls = []
    place = types.SimpleNamespace(update=lambda im: calls.append(('update', im)))
    monkeypatch.setattr(D, 'display', lambda im, display_id: calls.append(('display', im)) or place)
    cb = SampleCB(lambda m: Image.new('RGB', (3, 3)), tmp_path, live=True)
    cb.learn = types.SimpleNamespace(model=torch.nn.Linear(1, 1), epoch=0)
    for _ in range(3):
        cb.trained_epoch()
    assert [k for k, _ in calls] == ['display', 'update', 'update']
