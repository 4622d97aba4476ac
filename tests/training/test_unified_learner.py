"`unified_learner`: it learns, shows pairs, measures excess, and works with averages, mixed precision and resuming."

import matplotlib
import pytest
import torch
from fastai.callback.core import Callback
from support.unified import WORLD, build, pictures

from visual_token_diffusion.models.unified.switches import PRESETS
from visual_token_diffusion.training.callbacks import EMACB
from visual_token_diffusion.training.quiet import quietly
from visual_token_diffusion.training.restore import restore_optimizer
from visual_token_diffusion.training.resume import ResumeCB, load_state
from visual_token_diffusion.training.unified_learner import ExcessBits, caption_words, unified_learner
from visual_token_diffusion.worlds.captions import World

matplotlib.use('agg')


def learner(what='show_o', steps=2, **kwargs):
    return unified_learner(WORLD, model=build(what), steps=steps, batch=4, **kwargs)


@pytest.mark.parametrize('name', PRESETS)
def test_every_preset_learns_a_step_and_measures(name):
    learn = learner(name, ema=0.9)
    learn.dls.valid.dataset.n = 1
    with quietly(learn):
        learn.fit(1, 1e-3)
    names = learn.recorder.metric_names
    assert 'caption_excess' in names
    assert ('picture_excess' in names) == (learn.model.switches.picture_form == 'codes')
    assert all(isinstance(v, (int, float)) for v in learn.recorder.values[-1])
    assert learn.recorder.losses[-1].isfinite()


def test_pairs_and_results_are_shown():
    learn = learner('transfusion')
    learn.show_batch(max_n=4)
    axes = learn.show_results(max_n=2, steps=2)
    assert len(axes) == 6
    matplotlib.pyplot.close('all')


def test_averaged_weights_and_half_precision():
    learn = learner('janus_flow', ema=0.9, precision='bf16', metrics=[])
    with quietly(learn):
        learn.fit(1, 1e-3)
    assert next(cb for cb in learn.cbs if isinstance(cb, EMACB)).steps == 2
    assert all(p.isfinite().all() and p.dtype == torch.float32 for p in learn.model.parameters())
    assert not any(p.requires_grad for p in learn.model.pictures.parameters())


class Stop(Callback):
    order = 99

    def after_batch(self):
        if self.training and self.train_iter == 2:
            raise KeyboardInterrupt


class History:
    history = []


def resumable(path, state=None, cbs=()):
    facts = dict(settings={}, corpus_hash='', vocab='')
    saving = ResumeCB(path, facts, History(), 1, 2, state)
    learn = learner('mmada', 4, metrics=[], ema=0.9, cbs=[saving, *cbs])
    if state:
        learn.model.load_state_dict(state['model'])
        restore_optimizer(learn, state['opt'], path)
    with quietly(learn), torch.random.fork_rng():
        torch.manual_seed(1)
        learn.fit(1, 1e-3, start_epoch=state['epoch'] if state else 0)
    return learn.model.state_dict()


def test_interrupted_it_goes_on_to_the_same_bits(tmp_path):
    whole = resumable(tmp_path / 'a')
    with pytest.raises(KeyboardInterrupt):
        resumable(tmp_path / 'b', cbs=[Stop()])
    resumed = resumable(tmp_path / 'b', load_state(tmp_path / 'b'))
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


def test_missing_captions_and_other_tokenizers():
    def sometimes(ids, generator):
        return [None if i % 2 else text for i, text in enumerate(WORLD.caption(ids, generator))]

    learn = learner('show_o', captions=sometimes)
    with quietly(learn):
        learn.fit(1, 1e-3)
    assert learn.recorder.losses[-1].isfinite()
    with pytest.raises(ValueError, match="did you mean 'emu2'"):
        unified_learner(WORLD, 'emu')
    with pytest.raises(ValueError, match='gives something else'):
        unified_learner(WORLD, 'show_o', pictures=pictures('continuous'))


def test_the_words_of_a_world_and_the_excess_of_a_uniform_guess():
    vocab, length = caption_words(WORLD)
    assert length == 9 and len(vocab) == 21
    longest = max(len(vocab.encode(text)) for i in (0, 8, 260, 287) for text in WORLD.captions(i))
    assert longest < length
    two = World(2)
    words, longest_two = caption_words(two)
    texts = two.caption(two.sample(200, torch.Generator().manual_seed(0)), torch.Generator().manual_seed(0))
    assert max(len(words.encode(text)) for text in texts) < longest_two
    assert not any(words.unknown(text) for text in texts)

    class Given:
        training = False
        unwrapped = build('janus')

    model = Given.unwrapped
    torch.nn.init.zeros_(model.picture_head.weight)
    torch.nn.init.zeros_(model.picture_head.bias)
    Given.xb = WORLD.render(torch.arange(2), 24), ['a red circle', None]
    metric = ExcessBits('picture', 2.085)
    metric.reset()
    assert metric.value is None
    metric.accumulate(Given)
    assert abs(metric.value - (9 * torch.tensor(33.0).log2().item() - 2.085)) < 1e-4
