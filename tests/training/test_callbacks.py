"Every callback alone, and the monitor's names for planted illnesses."

import math, sys
import pytest, torch
import torch.nn.functional as F
from functools import partial
from torch import nn
from visual_token_diffusion.training.callbacks import (
    EMACB, NotFinite, TerminateOnNaNCB, SpeedCB, CSVCB, AnnealCB, SampleCB,
)
from visual_token_diffusion.training.codebook_callback import CodebookCB
from visual_token_diffusion.training.precision import AutocastCB
from fastai.callback.core import Callback
from visual_token_diffusion.training.collapse import (
    Signs, spread, alignment, diagnose, CollapseCB, ask,
)
from visual_token_diffusion.training.monitor import CollapseError
from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from fastai.callback.progress import ProgressCallback
from fastai.callback.training import GradientAccumulation
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import OptimWrapper


def learner(cbs=(), seed=0, steps=8, bs=4, opt=torch.optim.SGD, model=None, lr=0.1):
    torch.manual_seed(seed)
    m = model or nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    g = torch.Generator().manual_seed(seed)
    dt = next(m.parameters()).dtype
    x, y = torch.randn(steps * bs, 3, generator=g).to(dt), torch.randn(
        steps * bs, 2, generator=g
    ).to(dt)
    d = torch.utils.data.TensorDataset(x, y)
    dls = DataLoaders.from_dsets(
        d, d, bs=bs, shuffle=False, num_workers=0, device=torch.device('cpu')
    )
    return Learner(
        dls, m, loss_func=F.mse_loss, opt_func=partial(OptimWrapper, opt=opt), lr=lr, cbs=list(cbs)
    )


def fit(l, n=1, **kw):
    with l.no_bar(), l.no_logging():
        l.fit(n, **kw)
    return l


class Watch(Callback):
    "Weights after every step"

    order = 5

    def before_fit(self):
        self.w = []

    def after_step(self):
        self.w.append([p.detach().clone() for p in self.model.parameters()])


def test_the_average_is_the_plain_recursion():
    watch, ema = Watch(), EMACB(0.8)
    l = learner([watch, ema])
    mean = [p.detach().clone() for p in l.model.parameters()]
    fit(l, 2)
    for n, ws in enumerate(watch.w, 1):
        d = min(0.8, (1 + n) / (10 + n))
        mean = [d * m + (1 - d) * w for m, w in zip(mean, ws)]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(mean, ema.mean))
    assert all(
        torch.equal(a, b) for a, b in zip(watch.w[-1], l.model.parameters())
    ), 'the weights themselves must be back'
    ema.use()
    assert all(torch.equal(a, b) for a, b in zip(ema.mean, l.model.parameters()))


def test_the_average_is_what_is_validated_and_saved():
    seen = {}

    class At(Callback):
        order = 61

        def after_epoch(self):
            seen['saved'] = [p.detach().clone() for p in self.model.parameters()]

        def after_validate(self):
            seen['loss'] = self.recorder.loss.value.item()

    ema = EMACB(0.9)
    l = fit(learner([ema, At()]))
    assert all(torch.equal(a, b) for a, b in zip(seen['saved'], ema.mean))
    ema.use()
    x, y = l.dls.valid.dataset.tensors
    assert abs(F.mse_loss(l.model(x), y).item() - seen['loss']) < 1e-6


def test_the_average_comes_back_from_its_state():
    a = EMACB(0.9)
    fit(learner([a]))
    b = EMACB(0.9)
    b.load_state_dict(a.state_dict())
    assert b.steps == 8 and all(torch.equal(x, y) for x, y in zip(a.mean, b.mean))


@pytest.mark.parametrize('dtype', ['bf16', 'fp16'])
def test_mixed_precision_learns_and_lets_go(dtype):
    m = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    kinds = []
    m[0].register_forward_hook(lambda m, x, o: kinds.append(o.dtype))
    l = fit(learner([AutocastCB(dtype)], model=m))
    assert set(kinds) == {
        dict(bf16=torch.bfloat16, fp16=torch.float16)[dtype]
    } and not torch.is_autocast_enabled('cpu')
    assert l.pred is None or l.pred.dtype == torch.float32
    m(torch.zeros(1, 3))
    assert kinds[-1] == torch.float32, 'the model must be as before'


def test_mixed_precision_lets_go_when_the_model_fails():
    class Bad(nn.Linear):
        def forward(self, x):
            raise RuntimeError('broken')

    with pytest.raises(RuntimeError, match='broken'):
        fit(learner([AutocastCB()], model=Bad(3, 2)))
    assert not torch.is_autocast_enabled('cpu')


def test_an_overflow_in_fp16_leaves_out_the_step_and_halves_the_scale():
    amp, watch = AutocastCB('fp16'), Watch()
    amp.scale = 1024.0

    class Blow(Callback):
        order = 11

        def after_loss(self):
            if self.training and self.iter == 2:
                self.learn.loss_grad = self.loss_grad * float('inf')

    fit(learner([amp, watch, Blow()], model=nn.Linear(3, 2)))
    assert (
        amp.skipped == 1
        and amp.scale == 512
        and all(torch.equal(a, b) for a, b in zip(watch.w[1], watch.w[2]))
    )
    with pytest.raises(ValueError, match='bf16'):
        AutocastCB('fp8')


def test_fp16_takes_the_steps_of_fp32():
    "The scale cancels: but for rounding the steps are the same"
    amp = AutocastCB('fp16')
    amp.scale = 1024.0
    torch.manual_seed(0)
    a = fit(learner([amp], model=nn.Linear(3, 2)))
    torch.manual_seed(0)
    b = fit(learner(model=nn.Linear(3, 2)))
    assert amp.skipped == 0 and all(
        torch.allclose(p, q, atol=2e-3) for p, q in zip(a.model.parameters(), b.model.parameters())
    )


def test_a_gradient_that_is_no_number_is_named():
    l = learner([TerminateOnNaNCB(gradients=True)])
    l.loss_func = lambda p, y: (p - y).square().mean() + (p - p.detach()).abs().sqrt().sum()
    with pytest.raises(NotFinite, match='gradient of 0.weight.*batch 1 in epoch 1'):
        fit(l)


def test_accumulated_batches_make_the_step_of_a_large_one():
    a, b = fit(learner([GradientAccumulation(16)], steps=8, bs=4)), fit(learner(steps=2, bs=16))
    assert all(
        torch.allclose(p, q, atol=1e-6) for p, q in zip(a.model.parameters(), b.model.parameters())
    )


def test_speed():
    cb = SpeedCB()
    fit(learner([cb]), 2)
    assert len(cb.rows) == 2 and all(
        r['step_ms'] > 0 and r['per_second'] > 0 and r['memory_mb'] > 10 for r in cb.rows
    )


def test_the_log_is_whole_and_continues(tmp_path):
    f = tmp_path / 'log.csv'
    cb = CSVCB(f)
    fit(learner([cb]), 3)
    whole = f.read_text()
    f.write_text(whole.rsplit('\n', 2)[0] + '\n3,half a li')
    fit(learner([CSVCB(f)]), 3, start_epoch=1)
    rows = CSVCB(f).rows()
    assert (
        [r['epoch'] for r in rows] == ['1', '2', '3']
        and rows[0] == cb.rows()[0]
        and [p.name for p in tmp_path.iterdir()] == ['log.csv']
    )
    fit(learner([CSVCB(f)]), 1)
    assert len(CSVCB(f).rows()) == 1, 'a new training begins a new log'


def test_annealing_follows_the_loop():
    class O:
        tau = 5.0

    o, seen = O(), []

    class See(Callback):
        order = 3

        def before_batch(self):
            if self.training:
                seen.append((self.pct_train, o.tau))

    fit(learner([AnnealCB(o, 'tau', 2.0, 0.5), See()]), 2)
    assert len(seen) == 16 and all(abs(t - 2 * (0.25) ** p) < 1e-9 for p, t in seen)
    for bad in (
        dict(name='nu', start=1.0, end=2.0),
        dict(name='tau', start=0.0, end=1.0),
        dict(name='tau', start=1.0, end=2.0, shape='round'),
    ):
        with pytest.raises(ValueError):
            AnnealCB(o, **bad)


class Coded(nn.Module):
    def __init__(self, q):
        super().__init__()
        self.lin, self.q = nn.Linear(3, 2), q

    def forward(self, x):
        r = self.q(self.lin(x))
        self.extra = sum(r.losses.values())
        return r.z


def test_dead_entries_are_counted_and_reborn():
    def run(revive):
        q = VectorQuantizer(2, 8, decay=None, generator=torch.Generator().manual_seed(0))
        q.initialized.fill_(True)
        q.codebooks.data[:, 1:] += 50
        m = Coded(q)
        cb = CodebookCB(q, revive)
        l = learner([cb], model=m, opt=torch.optim.Adam, lr=0.01)
        l.loss_func = lambda p, y: F.mse_loss(p, y) + m.extra
        fit(l, 3)
        return cb

    alone, reborn = run(0.0), run(0.1)
    assert [r['dead'][0] for r in alone.rows] == [7 / 8] * 3 and alone.rows[-1]['perplexity'][
        0
    ] == pytest.approx(1)
    assert reborn.born >= 7 and reborn.rows[-1]['dead'][0] < 0.5
    with pytest.raises(ValueError, match='FSQ'):
        CodebookCB(FSQ((3, 3)), 0.1)


def test_samples_are_files_and_change_nothing(tmp_path):
    from PIL import Image

    def draw(model):
        return Image.fromarray((torch.rand(4, 4) * 255).byte().numpy())

    a, b = fit(learner([SampleCB(draw, tmp_path / 's', every=2, seed=3)]), 4), fit(learner(), 4)
    files = sorted((tmp_path / 's').iterdir())
    assert [f.name for f in files] == ['epoch-0002.png', 'epoch-0004.png'] and files[
        0
    ].read_bytes() == files[1].read_bytes()
    assert all(torch.equal(p, q) for p, q in zip(a.model.parameters(), b.model.parameters()))


# The monitor's instruments against plain loops
def test_signs_against_plain_loops():
    g = torch.randn(7, 3, 4, generator=torch.Generator().manual_seed(0)).double()
    f = g.flatten(1)
    cos = [F.cosine_similarity(f[i], f[j], 0).item() for i in range(7) for j in range(7) if i != j]
    assert alignment(g) == pytest.approx(sum(cos) / len(cos))
    within = sum(((f[:, k] - f[:, k].mean()) ** 2).mean().item() for k in range(12)) / 12
    assert spread(g) == pytest.approx(within / ((f - f.mean()) ** 2).mean().item())


def signs(**kw):
    good = dict(
        step=50,
        done=0.5,
        right=0.2,
        sure=0.5,
        top_share=0.1,
        unique=1.0,
        alignment=0.3,
        spread=0.9,
        leak=0.0,
        floor=0.0,
        reach=dict(a=1.0),
        travel=dict(a=5.0),
        left=dict(a=1.0),
        used={},
    )
    return Signs(**(good | kw))


@pytest.mark.parametrize(
    'name,kw',
    [
        ('double softmax', dict(floor=math.log(1 + 99 / math.e))),
        ('label leak', dict(leak=0.5)),
        ('no gradient', dict(reach=dict(a=0.0, b=1.0))),
        ('dead codebook', dict(used=dict(q=0.01))),
        ('tiny start', dict(spread=0.05)),
        ('vanishing weights', dict(left=dict(a=0.01))),
        ('learning rate too low', dict(travel=dict(a=0.1))),
    ],
)
def test_each_sign_has_its_name(name, kw):
    s = signs(**kw)
    assert list(diagnose(s, signs(spread=s.spread), 100)) == [name]
    assert not diagnose(signs(), signs(), 100)


class Little(nn.Module):
    def __init__(self, leak=False, last=None):
        super().__init__()
        self.words, self.painter, self.reader, self.leak, self.last = (
            nn.Embedding(20, 16),
            nn.Linear(16, 12),
            nn.Linear(12 + 16 * leak, 20),
            leak,
            last or nn.Identity(),
        )

    def forward(self, ids):
        x = self.painter(self.words(ids))
        return self.last(self.reader(torch.cat([0.1 * x, self.words(ids)], 1) if self.leak else x))


@pytest.mark.parametrize(
    'name,make',
    [
        (None, lambda: Little()),
        ('label leak', lambda: Little(True)),
        ('double softmax', lambda: Little(last=nn.Softmax(1))),
    ],
)
def test_the_monitor_in_a_training(name, make):
    torch.manual_seed(0)
    m = make()
    ids = torch.randint(20, (1600,))
    d = torch.utils.data.TensorDataset(ids, ids)
    dls = DataLoaders.from_dsets(
        d,
        torch.utils.data.Subset(d, range(20)),
        bs=20,
        shuffle=False,
        num_workers=0,
        device=torch.device('cpu'),
    )
    cb = CollapseCB(
        torch.arange(20), m.painter, dict(words=m.words, painter=m.painter, reader=m.reader)
    )
    l = Learner(
        dls,
        m,
        loss_func=F.cross_entropy,
        opt_func=partial(OptimWrapper, opt=torch.optim.AdamW),
        lr=0.02,
        cbs=cb,
    )
    if name is None:
        fit(l)
        assert not cb.ill and cb.seen[-1].right == 1
        return
    with pytest.warns(UserWarning, match=name), pytest.raises(CollapseError, match=name):
        fit(l)


def test_looking_changes_nothing():
    ids = torch.arange(20)
    m = Little()
    m.train()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    out, grids, _ = ask(m, ids, m.painter)
    other = ask(m, ids, m.painter, 1)[0]
    assert (
        m.training and torch.equal(before, torch.get_rng_state()) and not m.painter._forward_hooks
    )
    assert torch.allclose(
        other, out.roll(1, 0), atol=1e-6
    ), "another word's picture gives another word's answer"


def test_no_callback_shadows_a_method_of_the_model(recwarn):
    "fastai hands the model's attributes on; a callback of the same name would hide them"
    from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
    from visual_token_diffusion.worlds.stories import story_text

    VisualTokenLM.train_on(
        story_text(300, torch.Generator().manual_seed(0)),
        'ci',
        unit='words',
        steps=4,
        epochs=1,
        width=16,
        heads=1,
        depth=1,
    )
    assert not [w for w in recwarn if 'shadowing' in str(w.message)]
