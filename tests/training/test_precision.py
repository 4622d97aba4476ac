"Lower precision: it learns, lets go, and leaves out the steps that overflow."

import pytest
import torch
from fastai.callback.core import Callback, CancelBatchException
from support.training import Watch, equal, fit, learner, parameters
from torch import nn

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.training.compiling import CompileCB
from visual_token_diffusion.training.dataloaders import lm_dls, split_text, valid_windows
from visual_token_diffusion.training.language_model import lm_learner, train_text
from visual_token_diffusion.training.precision import AutocastCB
from visual_token_diffusion.training.quiet import quietly
from visual_token_diffusion.training.resume import state_files
from visual_token_diffusion.worlds.stories import story_text


@pytest.mark.parametrize('dtype', ['bf16', 'fp16'])
def test_mixed_precision_learns_and_lets_go(dtype):
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    dtypes = []
    model[0].register_forward_hook(lambda m, x, out: dtypes.append(out.dtype))
    learn = fit(learner([AutocastCB(dtype)], model=model))
    assert set(dtypes) == {dict(bf16=torch.bfloat16, fp16=torch.float16)[dtype]}
    assert not torch.is_autocast_enabled('cpu')
    assert learn.pred is None or learn.pred.dtype == torch.float32
    model(torch.zeros(1, 3))
    assert dtypes[-1] == torch.float32, 'the model must be as before'


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
    assert amp.skipped == 1 and amp.scale == 512
    assert equal(watch.weights[1], watch.weights[2])


def test_other_types_are_refused():
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
    assert amp.skipped == 0
    for p, q in zip(a.model.parameters(), b.model.parameters()):
        assert torch.allclose(p, q, atol=2e-3)


@pytest.mark.parametrize('dtype', ['bf16', 'fp16'])
def test_weights_stay_float32_and_the_loss_is_nearly_that_of_fp32(dtype):
    torch.manual_seed(0)
    plain = fit(learner(model=nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    low = fit(learner([AutocastCB(dtype)], model=model))
    assert {p.dtype for p in low.model.parameters()} == {torch.float32}
    a, b = (learn.recorder.values[-1][1] for learn in (plain, low))
    assert abs(a - b) < 0.3 * a


TEXT = story_text(200, torch.Generator().manual_seed(0))
SMALL = ['unit=words', 'width=16', 'heads=1', 'depth=2', 'length=8', 'feature_dim=8', 'batch=4', 'steps=8', 'epochs=2']
SMALL += ['valid_sequences=8', 'monitor=0']


def trained(*options, path=None, **kwargs):
    cfg = load_settings('ci', [*SMALL, *options])
    return train_text(TEXT, cfg, path, progress=False, **kwargs)[0]


@pytest.mark.parametrize('options', [[], ['optimizer=adamw', 'ema=.9'], ['accumulate=2', 'clip=.5'], ['head=flat']])
def test_weights_in_bf16_take_the_steps_of_autocast(options):
    "Bit for bit: what is rounded once a batch is what autocast rounds at each use; and the model is float32"
    half, auto = (trained(f'precision={name}', *options) for name in ('bf16_weights', 'bf16'))
    full = trained('precision=fp32', *options)
    assert {p.dtype for p in half.parameters()} == {torch.float32}
    pairs = list(zip(parameters(half), parameters(auto)))
    if 'accumulate=2' in options:  # autocast adds what it has rounded to float32, too, in another order
        for a, b in pairs:
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)
    else:
        assert all(torch.equal(a, b) for a, b in pairs)
    assert not all(torch.equal(a, b) for a, b in zip(parameters(half), parameters(full)))


class Types(Callback):
    "Types of a weight while a batch is computed, and afterwards"

    order = 20

    def before_fit(self):
        self.seen = dict(forward=set(), step=set(), valid=set())

    def weight(self):
        return self.model.backbone.blocks[0].qkv.weight

    def after_pred(self):
        self.seen['forward' if self.training else 'valid'].add(self.weight().dtype)

    def before_step(self):
        self.seen['step'] |= {self.weight().dtype, self.weight().grad.dtype}


def test_the_optimizer_and_validation_see_float32():
    cfg, types = load_settings('ci', [*SMALL, 'precision=bf16_weights']), Types()
    vocab, train, valid = split_text(TEXT, cfg)
    dls = lm_dls(train, valid_windows(valid, cfg), cfg, vocab)
    learn = lm_learner(dls, build_model(vocab, train, cfg), cfg, [types])
    with quietly(learn):
        learn.fit(1)
    assert types.seen == dict(forward={torch.bfloat16}, step={torch.float32}, valid={torch.float32})


def test_weights_in_bf16_resume_to_the_same_bits(tmp_path):
    options = ['precision=bf16_weights', 'keep=9']
    whole = trained(*options, path=tmp_path / 'a')
    trained(*options, path=tmp_path / 'b')
    for file in state_files(tmp_path / 'b')[1:]:
        file.unlink()
    resumed = trained(*options, path=tmp_path / 'b', resume=True)
    assert all(torch.equal(a, b) for a, b in zip(parameters(whole), parameters(resumed)))


def test_a_batch_that_is_left_out_leaves_float32_weights():
    class Skip(Callback):
        order = 15

        def after_loss(self):
            if self.training:
                raise CancelBatchException()

    cfg = load_settings('ci', [*SMALL, 'precision=bf16_weights'])
    vocab, train, valid = split_text(TEXT, cfg)
    dls = lm_dls(train, valid_windows(valid, cfg), cfg, vocab)
    learn = lm_learner(dls, build_model(vocab, train, cfg), cfg, [Skip()])
    with quietly(learn):
        learn.fit(1)
    assert {p.dtype for p in learn.model.parameters()} == {torch.float32}


def test_weights_in_bf16_compile_once():
    "They have one type in every batch of a training"
    torch._dynamo.reset()
    cfg = load_settings('ci', [*SMALL, 'precision=bf16_weights'])
    vocab, train, valid = split_text(TEXT, cfg)
    dls = lm_dls(train, valid_windows(valid, cfg), cfg, vocab)
    compiling = CompileCB(is_strict=True, backend='eager', fullgraph=True)
    learn = lm_learner(dls, build_model(vocab, train, cfg), cfg, [compiling])
    learn.process_cb.fixed = True
    with torch._dynamo.config.patch(error_on_recompile=True), quietly(learn):
        learn.fit(2)
    torch._dynamo.reset()
    assert all(p.isfinite().all() for p in learn.model.parameters())
