"`unified_learner`: it learns, shows pairs, measures excess, and works with averages, mixed precision and resuming."

import matplotlib
import pytest
import torch
from fastai.callback.core import Callback
from support.unified import WORLD, build, pictures

from visual_token_diffusion.models.unified.switches import PRESETS, switches_of
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


@pytest.mark.parametrize('precision', ['bf16', 'fp16'])
@pytest.mark.parametrize('name', PRESETS)
def test_averaged_weights_and_half_precision(name, precision):
    "A few steps in half precision, near those in full precision; weights and averages stay float32"
    found = []
    for kind in (precision, 'fp32'):
        learn = learner(name, 3, ema=0.9, precision=kind, metrics=[])
        learn.dls.valid.dataset.n = 1
        with quietly(learn), torch.random.fork_rng():
            torch.manual_seed(3)
            learn.fit(1, 1e-3)
        found.append(learn.recorder.losses)
        assert all(p.isfinite().all() and p.dtype == torch.float32 for p in learn.model.parameters())
    half = next(cb for cb in learn.cbs if isinstance(cb, EMACB))
    assert half.steps == 3 and not any(p.requires_grad for p in learn.model.pictures.parameters())
    assert torch.allclose(torch.stack(found[0]), torch.stack(found[1]), rtol=0.05)


class Stop(Callback):
    order = 99

    def after_batch(self):
        if self.training and self.train_iter == 2:
            raise KeyboardInterrupt


class History:
    history = []


def resumable(name, path, state=None, cbs=()):
    facts = dict(settings={}, corpus_hash='', vocab='')
    saving = ResumeCB(path, facts, History(), 1, 2, state)
    learn = learner(name, 4, metrics=[], ema=0.9, cbs=[saving, *cbs])
    if state:
        learn.model.load_state_dict(state['model'])
        restore_optimizer(learn, state['opt'], path)
    with quietly(learn), torch.random.fork_rng():
        torch.manual_seed(1)
        learn.fit(1, 1e-3, start_epoch=state['epoch'] if state else 0)
    return learn.model.state_dict()


@pytest.mark.parametrize('name', ['mmada', 'janus', 'transfusion'])
def test_interrupted_it_goes_on_to_the_same_bits(name, tmp_path):
    whole = resumable(name, tmp_path / 'a')
    with pytest.raises(KeyboardInterrupt):
        resumable(name, tmp_path / 'b', cbs=[Stop()])
    resumed = resumable(name, tmp_path / 'b', load_state(tmp_path / 'b'))
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


@pytest.mark.parametrize('name', ['show_o', 'mmada', 'janus_flow', 'transfusion'])
def test_batches_with_some_and_without_any_captions(name):
    "In turns; validation without any leaves the excess out"

    def sometimes(ids, generator):
        said = WORLD.caption(ids, generator)
        sometimes.calls += 1
        return [None if i % 2 or sometimes.calls % 2 else text for i, text in enumerate(said)]

    sometimes.calls = 0
    learn = learner(name, 4, captions=sometimes)
    learn.dls.valid.dataset.n = 1
    with quietly(learn):
        learn.fit(1, 1e-3)
    assert torch.stack(learn.recorder.losses).isfinite().all()
    assert learn.recorder.values[-1][learn.recorder.metric_names.index('caption_excess') - 1] is None


def test_what_cannot_be_trained_is_refused_in_one_line():
    def nothing(ids, generator):
        return [None] * len(ids)

    def fit(**options):
        learn = learner(metrics=[], **options)
        with quietly(learn):
            learn.fit(1, 1e-3)

    for options, said in (
        (dict(what=switches_of('show_o', picture_weight=0.0), captions=nothing), 'its picture_weight is 0'),
        (dict(captions=lambda ids, generator: ['a red circle']), '4 pictures need as many captions'),
        (dict(captions=lambda ids, generator: 'a red circle'), 'captions are a list of strings'),
        (dict(ema=1.5), r'must lie in \[0,1\), got 1.5'),
        (dict(precision='int8'), "'bf16' or 'fp16', got 'int8'"),
    ):
        with pytest.raises(ValueError, match=said) as e:
            fit(**options)
        assert '\n' not in str(e.value)


def test_other_tokenizers():
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
