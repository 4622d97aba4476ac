"Every registered tokenizer through `tokenizer_learner`: mixed precision, averaged weights, codebook columns, pictures."

import matplotlib
import pytest
import torch
from fastai.callback.core import Callback
from support.parts import seeded

from visual_token_diffusion.experiments.tokenizers.runs import tokenizer_dls, train_tokenizer
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.base import ImageTokenizer
from visual_token_diffusion.training.callbacks import NotFinite, TerminateOnNaNCB
from visual_token_diffusion.training.codebook_callback import CodebookCB
from visual_token_diffusion.training.learners import tokenizer_learner
from visual_token_diffusion.training.precision import AutocastCB
from visual_token_diffusion.training.quiet import quietly
from visual_token_diffusion.worlds.captions import World

matplotlib.use('agg')
WORLD = World(1)


def make(name):
    quantizer = VectorQuantizer(8, 16)
    return seeded(lambda: ImageTokenizer.make(name, quantizer, size=24, patch=8, width=16))


@pytest.mark.parametrize('name', ImageTokenizer.names())
@pytest.mark.parametrize('dtype', ['bf16', 'fp16'])
def test_a_training_in_half_precision_counts_codes_and_shows_pictures(name, dtype):
    model = make(name)
    health = CodebookCB(model.quantizer)
    learn = train_tokenizer(model, WORLD, 2, batch=8, valid=8, cbs=[health, AutocastCB(dtype)])
    assert learn.recorder.losses[-1].isfinite()
    row = health.rows[-1]
    assert 1 <= row['perplexity'][0] <= 16 and 0 <= row['dead'][0] < 1
    learn.show_results(max_n=2)
    matplotlib.pyplot.close('all')


class NaNBatch(Callback):
    "Puts a NaN into the second batch"

    order = 0

    def before_batch(self):
        if self.iter == 1:
            self.learn.xb = (self.xb[0] * float('nan'),)


def test_a_batch_with_nan_stops_the_training_and_the_weights_stay():
    model = make('vit')
    dls = tokenizer_dls(WORLD, 8, 4, valid=8)
    learn = tokenizer_learner(dls, model, cbs=[NaNBatch()])
    assert any(isinstance(cb, TerminateOnNaNCB) for cb in learn.cbs)
    with quietly(learn), pytest.raises(NotFinite, match='loss of training batch 2'):
        learn.fit(1, 1e-3)
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize('name', ImageTokenizer.names())
def test_pictures_with_nan_or_of_another_size_are_refused_in_one_line(name):
    model = make(name).eval()
    said = [['a red circle']] if model.reads_captions else []
    with pytest.raises(ValueError, match=r'expected pictures \(B,3,24,24\), got shape \(1, 3, 16, 16\)'):
        model.encode(torch.zeros(1, 3, 16, 16), *said)
    with pytest.raises(ValueError, match='nan'):
        model.encode(torch.full((1, 3, 24, 24), float('nan')), *said)


@pytest.mark.parametrize(
    'part,arguments',
    [
        ('vq', (8, 2**34)),
        ('multi_codebook', (64, 2**30, 8)),
        ('shared_index', (32, 8, 2**32)),
        ('text_aligned', (64, 2**32)),
    ],
)
def test_more_bits_than_memory_allows_are_refused_with_the_estimate(part, arguments):
    from visual_token_diffusion.core.registry import seam_base

    with pytest.raises(ValueError, match=r'need [\d,.]+ GB') as e:
        seam_base('quantizer').make(part, *arguments)
    assert '\n' not in str(e.value)
