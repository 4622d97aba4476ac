"Every registered vocabulary, source of meaning and image tokenizer."

import sys

import pytest
import torch
from support import sentence_model
from support.parts import WIDTH, gen, quantizers, randn, seeded
from support.standin import DEVICE, StandIn, on_device, stand_in_device

from visual_token_diffusion.core.registry import seam_base
from visual_token_diffusion.text.vocab import make_vocab, vocab_from_json, vocab_to_json

VOCABULARY, SEMANTICS = seam_base('vocabulary'), seam_base('semantics')
TOKENIZER = seam_base('tokenizer')
TEXT = 'the cat sees the dog\nthe dog sees a small red cat\n'
WORDS = ['circle', 'square', 'triangle', 'cross']


@pytest.mark.parametrize('name', VOCABULARY.names())
def test_a_vocabulary_returns_its_text(name):
    vocab = make_vocab(name, TEXT)
    ids = vocab.encode(TEXT)
    assert all(isinstance(i, int) and 0 <= i < len(vocab) for i in ids)
    assert vocab.decode(ids) == TEXT
    assert vocab.encode(TEXT) == ids and vocab.encode('') == []


@pytest.mark.parametrize('name', VOCABULARY.names())
def test_a_vocabulary_survives_being_stored(name):
    vocab = make_vocab(name, TEXT)
    again = vocab_from_json(vocab_to_json(vocab))
    assert again.fingerprint == vocab.fingerprint and again.encode(TEXT) == vocab.encode(TEXT)
    with pytest.raises(ValueError, match='altered') as e:
        vocab_from_json(vocab_to_json(vocab) | dict(fingerprint='0'))
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('name', SEMANTICS.names())
def test_a_source_gives_a_row_for_every_token(name, monkeypatch):
    monkeypatch.setitem(sys.modules, 'sentence_transformers', sentence_model.module())
    ids = torch.randint(len(WORDS), (400,), generator=gen())
    source = SEMANTICS.part(name).build(ids=ids, dim=4, window=2, seed=0)
    features = source.features(WORDS)
    assert features.shape[0] == len(WORDS) and features.dtype == torch.float32
    assert features.isfinite().all()
    assert torch.equal(features, SEMANTICS.part(name).build(ids=ids, dim=4, window=2, seed=0).features(WORDS))


def captions_for(tokenizer):
    "What its methods take beside pictures and codes"
    return [['a red circle', 'a dog']] if tokenizer.reads_captions else []


@pytest.mark.parametrize('name', TOKENIZER.names())
@pytest.mark.parametrize('quantizer', list(quantizers()))
def test_a_tokenizer_goes_there_and_back(name, quantizer):
    tokenizer = seeded(lambda: TOKENIZER.part(name)(quantizers()[quantizer], size=8, patch=4, width=16)).eval()
    images, said = randn(2, 3, 8, 8).sigmoid(), captions_for(tokenizer)
    out, quantized = tokenizer(images, *said)
    codes = tokenizer.encode(images, *said)
    assert out.shape == images.shape and torch.equal(codes, quantized.codes)
    torch.testing.assert_close(tokenizer.decode(codes, *said), out, rtol=1e-4, atol=1e-4)
    assert WIDTH == tokenizer.quantizer.dim


@pytest.mark.parametrize('name', TOKENIZER.names())
def test_a_tokenizer_trains_on_the_stand_in_device(name):
    tokenizer = seeded(lambda: TOKENIZER.part(name)(quantizers()['lfq'], size=8, patch=4, width=16))
    with stand_in_device():
        moved = on_device(tokenizer)
        images = randn(2, 3, 8, 8).sigmoid().to(DEVICE)
        said = captions_for(moved)
        heard = [['a red circle', 'a dog']] if moved.learns_from_captions else said
        out, quantized = moved(images, *heard)
        ((out - images).square().mean() + sum(quantized.losses.values())).backward()
        assert isinstance(moved.encode(images, *said), StandIn)
        assert all(isinstance(p.grad, StandIn) for p in moved.parameters() if p.requires_grad and p.numel())
