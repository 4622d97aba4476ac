"""Dropout sets in where a text is seen again and again, unless it is given; a training that goes on keeps its own."""

import pytest
import torch

from visual_token_diffusion.core.config import SettingsError, load_settings
from visual_token_diffusion.training.overfitting import passes, with_dropout
from visual_token_diffusion.training.resume import save_state


def test_passes_count_tokens_of_all_processes():
    cfg = load_settings('cpu', ['steps=10', 'batch=2', 'length=5', 'accumulate=3'])
    assert passes(cfg, 100) == 3 and passes(cfg, 100, processes=2) == 6


@pytest.mark.parametrize('n, expected', [(1000, 0.2), (10**7, 0.0)])
def test_a_short_text_gets_dropout(n, expected):
    cfg = load_settings('cpu')
    assert cfg.dropout == -1 and with_dropout(cfg, n).dropout == expected


def test_what_is_given_stays():
    assert with_dropout(load_settings('cpu', ['dropout=0']), 10).dropout == 0


def test_a_training_that_goes_on_keeps_its_own(tmp_path):
    counts = dict(epoch=0, iter=0, step=0, pct_train=0.0, smooth=())
    counts |= dict(history=[], rng=[torch.zeros(1)])
    rest = dict(opt={}, model={}, config={}, callbacks={}, corpus_hash='', vocab='')
    save_state(counts | rest | dict(settings=dict(dropout=0.2)), tmp_path, 0)
    assert with_dropout(load_settings('cpu'), 10**9, folder=tmp_path).dropout == 0.2


def test_other_negative_numbers_are_refused():
    with pytest.raises(SettingsError, match=r'dropout.*\[0,1\), or be -1'):
        load_settings('cpu', ['dropout=-.5'])
