"Killed at any moment, a training continues to the same bits; a bad checkpoint is one line and code 2."

import hashlib, json, os, random, shutil, signal, subprocess, sys, time
from dataclasses import replace
from pathlib import Path
import pytest, torch
from visual_token_diffusion.core.errors import SaveError
from visual_token_diffusion.training.resume import state_files, save_state, load_state
from visual_token_diffusion.training.dataloaders import split_text, valid_windows, lm_dls
from visual_token_diffusion.training.language_model import lm_learner, train_text
from visual_token_diffusion.training.progress import ProgressCB
from visual_token_diffusion.training.resume import ResumeCB
from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.models.build import build_model
from fastai.callback.core import Callback
from visual_token_diffusion.core.errors import SaveError
from visual_token_diffusion.training.resume import load_state, save_state
from visual_token_diffusion import learner as L
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.worlds.stories import story_text

text = story_text(600, torch.Generator().manual_seed(0))
cfg = load_settings(
    'ci',
    [
        'width=16',
        'depth=1',
        'heads=1',
        'length=16',
        'batch=4',
        'steps=12',
        'epochs=3',
        'unit=words',
        'valid_sequences=8',
        'dropout=.1',
        'ema=.8',
        'save_steps=1',
        'threads=1',
        'feature_dim=16',
    ],
)


class Stop(Callback):
    "Interrupts after training step `at`, before or after the state of that step is saved"

    def __init__(self, at, order):
        self.at, self.order = at, order

    def after_batch(self):
        if self.training and self.train_iter == self.at:
            raise KeyboardInterrupt


def interrupted(path, c, at, order, monkeypatch):
    "Train until `at`, as `train_text` does"
    with monkeypatch.context() as m:
        plain = L.lm_learner
        m.setattr(
            L,
            'lm_learner',
            lambda model, dls, cfg, cbs: plain(model, dls, cfg, [*cbs, Stop(at, order)]),
        )
        with pytest.raises(KeyboardInterrupt):
            train_text(text, c, path, progress=False)


def same(a, b):
    "Equal tensors in both folders, bit for bit, and equal logs; the order of a safetensors header is chance"
    from safetensors.torch import load_file

    for f in ('model.safetensors', 'best/model.safetensors'):
        x, y = load_file(a / f), load_file(b / f)
        assert x.keys() == y.keys() and all(torch.equal(x[k], y[k]) for k in y), f
    assert (a / 'log.csv').read_text() == (b / 'log.csv').read_text() and history(a) == history(b)


def history(path):
    return [(h['train'], h['valid']) for h in load_state(path)['history']]


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    d = tmp_path_factory.mktemp('whole')
    return train_text(text, cfg, d, progress=False)[0], d


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
    c = replace(cfg, save_steps=every)
    interrupted(tmp_path, c, at, order, monkeypatch)
    a, b = (
        train_text(text, c, tmp_path, resume=True, progress=False)[0].state_dict(),
        whole[0].state_dict(),
    )
    assert all(torch.equal(a[k], b[k]) for k in b)
    same(tmp_path, whole[1])


def test_short_names_resume_to_the_same_bits(tmp_path, monkeypatch):
    c = replace(cfg, names='short')
    a = train_text(text, c, tmp_path / 'a', progress=False)[0]
    interrupted(tmp_path / 'b', c, 7, 99, monkeypatch)
    train_text(text, c, tmp_path / 'b', resume=True, progress=False)
    same(tmp_path / 'a', tmp_path / 'b')
    assert a.embed.more.weight.abs().sum() > 0 and 'head.more.weight' not in a.state_dict()


def test_twice_interrupted(whole, tmp_path, monkeypatch):
    interrupted(tmp_path, cfg, 3, 99, monkeypatch)
    with monkeypatch.context() as m:
        plain = L.lm_learner
        m.setattr(
            L,
            'lm_learner',
            lambda model, dls, cfg, cbs: plain(model, dls, cfg, [*cbs, Stop(9, 99)]),
        )
        with pytest.raises(KeyboardInterrupt):
            train_text(text, cfg, tmp_path, resume=True, progress=False)
    a = train_text(text, cfg, tmp_path, resume=True, progress=False)[0].state_dict()
    assert all(torch.equal(a[k], v) for k, v in whole[0].state_dict().items())


def test_saving_does_not_change_the_training(whole):
    a = train_text(text, cfg, None, progress=False)[0].state_dict()
    assert all(torch.equal(a[k], v) for k, v in whole[0].state_dict().items())


def test_a_finished_training_resumes_to_itself(whole, tmp_path):
    shutil.copytree(whole[1], tmp_path / 'm')
    a = train_text(text, cfg, tmp_path / 'm', resume=True, progress=False)[0].state_dict()
    assert all(torch.equal(a[k], v) for k, v in whole[0].state_dict().items())


def test_the_newest_stay_and_the_best_is_the_best(whole, tmp_path):
    train_text(text, replace(cfg, keep=3, save_steps=2), tmp_path, progress=False)
    assert [f.name for f in state_files(tmp_path)] == [
        f'train_state-{s:08}.pt' for s in (8, 10, 12)
    ] and not list(tmp_path.glob('*.tmp'))
    from visual_token_diffusion.models.visual_token_lm import VisualTokenLM

    assert VisualTokenLM.from_pretrained(tmp_path / 'best')


def test_waiting_gradients_are_not_saved(tmp_path):
    "Not in the middle of an accumulated step: the state would lack them"
    from fastai.callback.training import GradientAccumulation

    vocab, train, valid = split_text(text, cfg)
    seen = []

    class See(ResumeCB):
        def save(self, epoch, it):
            ok = super().save(epoch, it)
            seen.append((self.train_iter, ok))
            return ok

    r = ProgressCB(1, 12, 64, None)
    c = replace(cfg, epochs=1)
    learn = lm_learner(
        build_model(vocab, train, c).train(),
        lm_dls(train, valid_windows(valid, c), c),
        c,
        [r, See(tmp_path, {}, r, 1), GradientAccumulation(12)],
    )
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
    assert [i for i, ok in seen if ok] == [0, 3, 6, 9, 12] and len(seen) > 6


# -- real processes, really killed

cli = [sys.executable, '-m', 'visual_token_diffusion']
args = [
    'train',
    'book.txt',
    '--profile',
    'ci',
    'width=16',
    'depth=1',
    'heads=1',
    'length=16',
    'batch=4',
    'steps=120',
    'epochs=3',
    'unit=words',
    'dropout=.1',
    'ema=.9',
    'save_steps=2',
    'threads=1',
    'feature_dim=16',
    'valid_sequences=8',
]


def start(d, out, *more):
    return subprocess.Popen(
        [*cli, *args, '-o', out, *more],
        cwd=d,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_and_compare(d, n, seed=0):
    (d / 'book.txt').write_text(text)
    rng, out, steps = random.Random(seed), d / 'killed', []
    for _ in range(n):
        before = state_files(out)[-1:] if out.exists() else []
        p = start(d, 'killed', *(['--resume'] if before else []))
        while p.poll() is None and state_files(out)[-1:] == before:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.3))
        p.send_signal(signal.SIGKILL)
        p.wait()
        for f in state_files(out):
            assert torch.load(f, weights_only=True)['format'] == 2, 'a state that cannot be read'
        steps.append(int(state_files(out)[-1].stem[-8:]))
    for name, more in (('killed', ['--resume']), ('whole', [])):
        p = start(d, name, *more)
        said = p.communicate()[1]
        assert p.returncode == 0, said
    same(out, d / 'whole')
    return steps


def test_killed_by_the_system_three_times(tmp_path):
    assert kill_and_compare(tmp_path, 3)


@pytest.mark.skipif(not os.environ.get('VTD_SLOW'), reason='twenty processes; set VTD_SLOW=1')
def test_killed_by_the_system_twenty_times(tmp_path):
    assert any(s % 40 for s in kill_and_compare(tmp_path, 20))


half = '''
import os, signal, torch
plain,n = torch.save,[0]
def save(obj, f):
    n[0] += 1
    if n[0] < 5: return plain(obj, f)
    import io; b = io.BytesIO(); plain(obj, b); f.write(b.getvalue()[:len(b.getvalue())//2]); f.flush(); os.kill(os.getpid(), signal.SIGKILL)
torch.save = save
from visual_token_diffusion.cli.main import main
main(%r)
'''


def test_killed_in_the_middle_of_a_write(tmp_path):
    (tmp_path / 'book.txt').write_text(text)
    r = subprocess.run(
        [sys.executable, '-c', half % [*args, '-o', 'killed']],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    out = tmp_path / 'killed'
    assert r.returncode == -signal.SIGKILL and len(list(out.glob('*.tmp'))) == 1, r.stderr
    assert load_state(out)['step'] == 6
    for name, more in (('killed', ['--resume']), ('whole', [])):
        p = start(tmp_path, name, *more)
        said = p.communicate()[1]
        assert p.returncode == 0, said
    same(out, tmp_path / 'whole')
    assert not list(out.glob('*.tmp'))


# -- bad checkpoints


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    d = tmp_path_factory.mktemp('bad')
    (d / 'book.txt').write_text(text)
    from visual_token_diffusion.cli.main import main

    here = os.getcwd()
    os.chdir(d)
    try:
        assert main([*args, '-o', 'm', 'steps=6', 'save_steps=0']) == 0
    finally:
        os.chdir(here)
    return d


class Evil:
    def __reduce__(self):
        return (os.system, ('touch ran',))


def change(d, **kw):
    f = state_files(d)[-1]
    s = torch.load(f, weights_only=True)
    torch.save({k: v for k, v in (s | kw).items() if v is not None}, f)


def tensors(d, drop=None, extra=None):
    from safetensors.torch import load_file, save_file

    t = load_file(d / 'model.safetensors')
    t.pop(drop, None)
    save_file(t | (extra or {}), d / 'model.safetensors')


def edit(f, **kw):
    f.write_text(json.dumps(json.loads(f.read_text()) | kw))


def less(d):
    s = torch.load(state_files(d)[-1], weights_only=True)['model']
    s.pop('trunk.blocks.0.up.weight')
    return s


resume_traps = {
    'older state': (lambda d: change(d, format=1), 'earlier version'),
    'newer state': (lambda d: change(d, format=3, library_version='9.0'), 'written by version 9.0'),
    'state of another vocabulary': (lambda d: change(d, vocab='0' * 16), 'another vocabulary'),
    'state without a tensor': (lambda d: change(d, model=less(d)), 'up.weight'),
    'state without a part': (lambda d: change(d, opt=None), "no 'opt'"),
    'state with a pickle': (
        lambda d: torch.save(dict(format=2, evil=Evil()), state_files(d)[-1]),
        'not opened',
    ),
    'state that is a bare pickle': (
        lambda d: state_files(d)[-1].write_bytes(__import__('pickle').dumps(Evil())),
        'not opened',
    ),
    'half a state': (
        lambda d: state_files(d)[-1].write_bytes(state_files(d)[-1].read_bytes()[:5000]),
        'damaged',
    ),
    'empty state': (lambda d: state_files(d)[-1].write_bytes(b''), 'damaged'),
    'a list': (lambda d: torch.save([1], state_files(d)[-1]), 'not a training state'),
}
model_traps = {
    'newer model': (lambda d: edit(d / 'config.json', format=9), 'format 9'),
    'model without a tensor': (lambda d: tensors(d, 'trunk.blocks.0.up.weight'), 'up.weight'),
    'model without another tensor': (lambda d: tensors(d, 'trunk.blocks.0.down.weight'), 'damaged'),
    'pickle as model': (lambda d: torch.save(dict(a=Evil()), d / 'model.safetensors'), 'damaged'),
    'another vocabulary': (
        lambda d: (d / 'vocab.json').write_text(
            (d / 'vocab.json').read_text().replace('"cat"', '"zebu"')
        ),
        'altered',
    ),
}


@pytest.mark.parametrize('name', [*resume_traps, *model_traps])
def test_a_bad_checkpoint_is_one_line_and_code_2(trained, tmp_path, capsys, monkeypatch, name):
    from visual_token_diffusion.cli.main import main

    shutil.copytree(trained, tmp_path / 'x')
    monkeypatch.chdir(tmp_path / 'x')
    d = Path('m')
    spoil, want = (resume_traps | model_traps)[name]
    spoil(d)
    before = {p: p.read_bytes() for p in d.rglob('*') if p.is_file()}
    capsys.readouterr()
    code = main(
        [*args, '-o', 'm', 'steps=6', 'save_steps=0', '--resume']
        if name in resume_traps
        else ['generate', 'm']
    )
    err = capsys.readouterr().err
    assert code == 2 and err.count('\n') == 1 and want in err and len(err) < 400, err
    assert (
        not Path('ran').exists()
        and {p: p.read_bytes() for p in d.rglob('*') if p.is_file()} == before
    )


def test_a_disk_that_fills_up_later(trained, tmp_path, capsys, monkeypatch):
    "The start is saved, the next state is not: one line, code 2, and what was saved is whole"
    from visual_token_diffusion import checkpoints, cli

    monkeypatch.chdir(tmp_path)
    Path('book.txt').write_text(text)
    plain, n = checkpoints.torch.save, [0]

    def full(obj, f):
        n[0] += 1
        if n[0] == 2:
            f.write(b'half')
            raise OSError(28, 'No space left on device')
        return plain(obj, f)

    monkeypatch.setattr(checkpoints.torch, 'save', full)
    assert cli.main([*args, '-o', 'm']) == 2
    err = capsys.readouterr().err
    assert err.count('\n') == 1 and 'is the disk full' in err, err
    assert load_state('m')['step'] == 0 and not list(Path('m').glob('*.tmp'))


def test_a_folder_that_has_become_read_only(trained, tmp_path, capsys, monkeypatch):
    from visual_token_diffusion import checkpoints, cli

    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained / 'm', 'm')
    shutil.copy(trained / 'book.txt', '.')

    def ro(a, b):
        raise PermissionError(13, 'Permission denied', str(b))

    monkeypatch.setattr(
        checkpoints.os, 'replace', ro
    )  # root may write anywhere, so the system's answer is played
    assert cli.main([*args, '-o', 'n', 'steps=6', 'save_steps=0']) == 2
    err = capsys.readouterr().err
    assert err.count('\n') == 1 and 'read-only' in err, err


def test_a_started_training_is_not_overwritten(trained, monkeypatch, capsys, tmp_path):
    from visual_token_diffusion.cli.main import main

    monkeypatch.chdir(tmp_path)
    shutil.copy(trained / 'book.txt', '.')
    Path('m').mkdir()
    save_state(dict(a=1), 'm', 0)
    assert main([*args, '-o', 'm']) == 2 and '--resume' in capsys.readouterr().err


@pytest.mark.parametrize(
    'key,value',
    [
        ('depth', 2**53),
        ('depth', 1000),
        ('width', 65536),
        ('K', 4096),
        ('features', 60000),
        ('length', -1),
        ('heads', None),
        ('names', [2**16, 2**8]),
    ],
)
def test_a_state_cannot_ask_for_a_model_that_it_does_not_hold(tmp_path, key, value):
    from visual_token_diffusion.training.language_model import _resume

    text = 'the cat sees a dog\n' * 60
    cfg = load_settings(
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
            'inputs=codes',
            'monitor=0',
            'keep=1',
        ],
    )
    model, _ = train_text(text, cfg, tmp_path, progress=False)
    mark = hashlib.sha256(text.encode()).hexdigest()
    f = next(tmp_path.glob('train_state-*.pt'))
    s = torch.load(f, weights_only=True)
    s['config'][key] = value
    torch.save(s, f)
    t = time.process_time()
    with pytest.raises(CheckpointError) as e:
        _resume(tmp_path, cfg, mark, model.vocab)
    assert '\n' not in str(e.value) and time.process_time() - t < 2


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
def test_a_damaged_optimiser_is_one_line(tmp_path, harm):
    train_text(text, cfg, tmp_path, progress=False)
    f = max(tmp_path.glob('train_state-*.pt'), key=lambda p: int(p.stem.split('-')[1]))
    s = torch.load(f, weights_only=True)
    harm(s['opt'])
    s.update(epoch=0, iter=0)
    torch.save(s, f)
    with pytest.raises(CheckpointError) as e:
        train_text(text, cfg, tmp_path, progress=False, resume=True)
    assert 'optimiser' in str(e.value) and '\n' not in str(e.value)
