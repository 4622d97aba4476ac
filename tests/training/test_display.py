"What a learner shows: something is drawn, and nothing else changes."

import matplotlib.pyplot as plt
import pytest
import torch
import torch.nn.functional as F
from fastai.data.core import DataLoaders
from torch import nn
from torch.utils.data import TensorDataset

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.diffusion.gaussian import RectifiedFlow
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.training.display import (
    Codes,
    PictureLearner,
    SentenceGrids,
    TokenIds,
    WordGrids,
    _code_label,
    code_row,
    token_rows,
)
from visual_token_diffusion.training.path_callbacks import NoiseCB
from visual_token_diffusion.training.pictures import world_dls
from visual_token_diffusion.worlds.captions import World

cfg = load_settings('ci', ['batch=8', 'steps=8', 'epochs=1', 'valid_sequences=8'])


def blurring():
    dls = world_dls(World(1), cfg, 24)
    learn = PictureLearner(dls, nn.AvgPool2d(3, 1, 1), loss_func=F.mse_loss)
    learn.results = lambda model, b: dict(given=b[0], blurred=model(b[0]))
    return learn


def test_showing_draws_and_changes_nothing():
    learn = blurring()
    learn.model.train()
    before = torch.get_rng_state()
    for ax in (*learn.show_batch(), *learn.show_results()):
        image = ax.images[0].get_array()
        assert image.shape[0] > 20 and image.std() > 1
    plt.close('all')
    assert learn.model.training and torch.equal(torch.get_rng_state(), before)


def test_it_draws_into_given_axes():
    ax = plt.subplots()[1]
    assert blurring().show_batch(ctxs=[ax]) == [ax] and ax.images
    plt.close('all')


def test_rows_of_tokens_without_an_encoder_are_blank_grids_with_words():
    vocab = make_vocab('words', 'the red dog sees a blue cat')
    ids = torch.tensor([vocab.encode('the red dog'), vocab.encode('sees a cat')])
    shown = token_rows(ids, None, vocab)
    masked = token_rows(ids, None, vocab, torch.ones_like(ids, dtype=torch.bool))
    assert shown.size == masked.size and shown.tobytes() != masked.tobytes()


words = 'the red dog sees a blue cat'.split()
V = len(words)
table = random_codes(V, 3, 3, torch.Generator().manual_seed(0))
encoder = SemanticVisualEncoder(table)


def reading(kind, x, ids, model=None, cbs=()):
    "A learner of a batch of some kind"
    ds, device = TensorDataset(x, ids), torch.device('cpu')
    dls = DataLoaders.from_dsets(ds, ds, bs=4, num_workers=0, device=device)
    learn = PictureLearner(dls, model or nn.Identity(), loss_func=F.cross_entropy, cbs=list(cbs))
    learn.kind, learn.vocab = kind, words
    learn.encoder = encoder
    return learn


ids = torch.arange(8).view(2, 4).repeat(4, 1) % V
KINDS = {
    WordGrids: (encoder(ids[0]), ids[0], lambda model, b: dict(read=b[1], grids=b[0])),
    SentenceGrids: (encoder(ids), ids, lambda model, b: dict(read=b[1].flip(1), grids=b[0])),
    Codes: (table.codes[ids], ids, lambda model, b: dict(given=b[0], masked=b[0] - 1)),
    TokenIds: (ids, ids, lambda model, b: dict(truth=(b[0], None))),
}


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_is_shown_wide_enough(kind):
    x, ids, results = KINDS[kind]
    learn = reading(kind, x, ids)
    learn.results = results
    for (ax,) in (learn.show_batch(), learn.show_results()):
        assert ax.images[0].get_array().shape[1] >= 900
        width = ax.figure.get_size_inches()[0] * ax.figure.dpi
        assert width >= 900
    plt.close('all')


def drawn(learn, **kwargs):
    (ax,) = learn.show_results(**kwargs)
    return ax.images[0].get_array()


def test_a_wrong_answer_is_written_beside_the_word():
    learn = reading(WordGrids, encoder(ids[0]), ids[0])
    pictures = []
    for answer in (ids[0], ids[0].roll(1)):
        learn.results = lambda model, b: dict(read=answer)
        pictures.append(drawn(learn).copy())
    right, wrong = pictures
    assert right.shape == wrong.shape and (right != wrong).any()
    below = (right != wrong).any(-1).any(1).nonzero()[0]
    assert below.min() > right.shape[0] / 2, 'only the words differ'
    plt.close('all')


def test_a_batch_is_shown_as_callbacks_change_it_and_nothing_stays():
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, V))
    learn = reading(WordGrids, encoder(ids[0]), ids[0], net, [NoiseCB(0.3)])
    b = learn.dls.one_batch()
    before = dict(vars(learn))
    noisy, same = learn.as_given(b)
    assert 0.2 < (noisy - b[0]).std() < 0.4 and torch.equal(same, b[1])
    after = {name: value for name, value in vars(learn).items() if name in before}
    assert all(after[name] is value for name, value in before.items())
    learn.show_results(as_given=True)
    learn.show_batch(as_given=True)
    plt.close('all')


def test_noise_of_a_process_is_shown_in_the_range_of_grids():
    learn = reading(WordGrids, encoder(ids[0]), ids[0], cbs=[NoiseCB(RectifiedFlow())])
    clean = encoder(ids[0])
    shown, _ = learn.as_given(learn.dls.one_batch(), training=False)
    assert abs(shown.mean() - clean.mean()) < 0.35 and shown.min() > -4


def test_codes_without_a_word_and_masked_ones_are_labelled():
    free = next(c for c in torch.cartesian_prod(*[torch.arange(3)] * 3) if table.ids(c) < 0)
    codes = torch.stack([table.codes[0], free, torch.tensor([-1, 0, 0])])
    assert _code_label(codes[0], table, words) == 'the'
    assert _code_label(codes[1], table, words) == ' '.join(map(str, free.tolist()))
    assert _code_label(codes[2], table, words) == '? 0 0'
    assert code_row(codes, encoder, words).width >= 900
