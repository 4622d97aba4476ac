"Compiled training: the weights of the plain one, one graph for all its steps, and nothing of it in what is kept."

import pytest
import torch
from fastai.callback.core import Callback
from support.training import parameters

from visual_token_diffusion.core.config import SettingsError, load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.training.compiling import CompileCB, is_compiled
from visual_token_diffusion.training.dataloaders import lm_dls, split_text, valid_windows
from visual_token_diffusion.training.language_model import lm_learner
from visual_token_diffusion.training.quiet import quietly
from visual_token_diffusion.worlds.stories import story_text

TEXT = story_text(200, torch.Generator().manual_seed(0))
SMALL = 'unit=words width=16 heads=1 depth=2 length=8 feature_dim=8 batch=4 steps=4 epochs=2 valid_sequences=8'.split()


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()


class Watch(Callback):
    "Which parts are compiled, in training and in validation"

    order = 150

    def before_fit(self):
        self.seen = dict(train=set(), valid=set())

    def after_batch(self):
        parts = [*self.model.backbone.blocks, self.model.head]
        compiled = all(part._compiled_call_impl is not None for part in parts)
        self.seen['train' if self.training else 'valid'].add(compiled)


def trained(cbs=(), options=()):
    cfg = load_settings('ci', [*SMALL, *options])
    vocab, train, valid = split_text(TEXT, cfg)
    model = build_model(vocab, train, cfg)
    learn = lm_learner(lm_dls(train, valid_windows(valid, cfg), cfg, vocab), model, cfg, list(cbs))
    learn.process_cb.fixed = True
    with quietly(learn):
        learn.fit(2)
    return learn


@pytest.mark.parametrize('process', ['masked', 'autoregressive', 'block'])
def test_a_compiled_training_is_the_training(process):
    options, watch = [f'process={process}', 'optimizer=adamw'], Watch()
    plain = trained(options=options)
    compiling = CompileCB(is_strict=True, backend='eager', fullgraph=True)
    with torch._dynamo.config.patch(error_on_recompile=True):
        learn = trained([compiling, watch], options)
    assert watch.seen == dict(train={True}, valid={False})
    assert torch._dynamo.utils.counters['stats']['unique_graphs'] == 2, 'one for all layers, one for the head'
    assert not torch._dynamo.utils.counters['graph_break']
    assert learn.model.state_dict().keys() == plain.model.state_dict().keys()
    for a, b in zip(parameters(learn.model), parameters(plain.model)):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3)
    assert all(part._compiled_call_impl is None for part in learn.model.backbone.blocks)


def broken(graph, inputs):
    raise RuntimeError('no compiler here')


def test_without_a_compiler_training_goes_on_unless_it_was_asked_for():
    learn = trained([CompileCB(backend=broken)])
    assert all(p.isfinite().all() for p in learn.model.parameters())
    assert not torch._dynamo.config.suppress_errors, 'the setting is as before'
    torch._dynamo.reset()
    with pytest.raises(Exception, match='no compiler here'):
        trained([CompileCB(is_strict=True, backend=broken)])


def test_the_setting():
    cpu, cuda = torch.device('cpu'), torch.device('cuda')
    assert not is_compiled('auto', cpu) and is_compiled('on', cpu) and not is_compiled('off', cuda)
    with pytest.raises(SettingsError, match='auto, on, off'):
        load_settings('ci', ['compile=yes'])
