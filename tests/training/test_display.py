"What a learner shows: something is drawn, and nothing else changes."

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.training.display import PictureLearner, token_rows
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
