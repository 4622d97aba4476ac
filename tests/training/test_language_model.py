"From a text or a folder to a model, the same for both, and refused before anything is written."

from dataclasses import replace

import pytest
import torch
from support.training import SMALL_TEXT, small_settings

from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.text.shards import write_shards
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.training.language_model import (
    filled,
    train_folder,
    train_on,
    train_text,
)

text = SMALL_TEXT
cfg = small_settings('steps=12', 'epochs=2')


def test_a_text_becomes_a_model_with_metrics(tmp_path):
    accepted = []
    model, metrics = train_text(
        text, cfg, tmp_path, progress=False, started=lambda *a: accepted.append(a)
    )
    assert accepted[0][0] is model and not model.training
    assert {'nelbo', 'nelbo_se', 'unigram', 'bigram', 'bits_per_byte'} <= set(metrics)
    assert metrics['train_tokens'] + metrics['valid_tokens'] <= accepted[0][1]
    assert VisualTokenLM.from_pretrained(tmp_path).fingerprint == model.fingerprint


def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path):
    for words, c, want in (
        ('one word', cfg, 'too short'),
        (text, replace(cfg, device='cuda:99'), 'no device'),
    ):
        with pytest.raises(ValueError, match=want):
            train_text(words, c, tmp_path / 'm')
    assert not (tmp_path / 'm').exists()


def test_shards_and_documents_of_a_folder(tmp_path):
    (tmp_path / 'docs').mkdir()
    for i in range(6):
        (tmp_path / 'docs' / f'{i}.txt').write_text(text[i * 2000 : (i + 1) * 2000])
    write_shards(text.splitlines(), make_vocab('words', text), tmp_path / 'shards', 997)
    for name in ('docs', 'shards'):
        out = tmp_path / f'model of {name}'
        model, metrics = train_folder(tmp_path / name, cfg, out, progress=False)
        again, _ = train_folder(tmp_path / name, cfg, out, progress=False, resume=True)
        assert metrics['nelbo'] > 0 and again.fingerprint == model.fingerprint


def test_train_on_takes_settings_as_keywords():
    small = dict(unit='words', steps=4, epochs=1, width=16, heads=1, depth=1, length=16)
    model = train_on(text, 'ci', **small)
    assert model.config['width'] == 16 and model.generate(length=8)


def test_filling_in_keeps_what_is_visible():
    model, _ = train_text(text, cfg, progress=False)
    ids = torch.tensor([model.vocab.encode(text[:400])[:16]])
    shown = filled(model, (ids,))
    given, mask = shown['given']
    pred, truth = shown['filled'][0], shown['truth'][0]
    assert torch.equal(pred[~mask], ids[~mask]) and torch.equal(truth, ids)
    assert torch.equal(given, ids) and mask.any() and not mask.all()
