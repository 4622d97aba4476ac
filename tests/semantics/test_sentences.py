"Features from a sentence model: without the package, with a model that does not load, and with one that does."

import sys

import pytest
import torch
from support.sentence_model import SentenceTransformer, module

from visual_token_diffusion.core.errors import DataError
from visual_token_diffusion.semantics.sentences import SentenceSemantics


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sentence_transformers', None)
    with pytest.raises(DataError, match=r"pip install 'visual_token_diffusion\[sentences\]'") as e:
        SentenceSemantics()
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('model', ['./nowhere', 'broken/model'])
def test_a_model_that_is_not_there_is_one_line(monkeypatch, model):
    monkeypatch.setitem(sys.modules, 'sentence_transformers', module())
    with pytest.raises(DataError, match=model.strip('./')) as e:
        SentenceSemantics(model)
    assert '\n' not in str(e.value)


def test_rows_are_unit_and_white_space_is_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sentence_transformers', module())
    rows = SentenceSemantics('some/model').features(['cat', ' cat', 'cats', '\n', ''])
    assert rows.dtype == torch.float32 and torch.equal(rows[0], rows[1])
    torch.testing.assert_close(rows.norm(dim=1), torch.tensor([1.0, 1, 1, 0, 0]))
    assert rows[0] @ rows[2] > 0.5


def test_the_name_comes_from_the_environment(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sentence_transformers', module())
    monkeypatch.setenv('VTD_SENTENCE_MODEL', 'my/model')
    assert SentenceSemantics().model.name == 'my/model'
    assert SentenceSemantics(SentenceTransformer('given')).model.name == 'given'


def test_a_real_model_made_here(tmp_path):
    "A transformer of two tiny layers with random weights, saved in a folder, loaded by that folder's name"
    st = pytest.importorskip('sentence_transformers')
    transformers = pytest.importorskip('transformers')
    words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'cat', 'dog', '##s', 'the']
    (tmp_path / 'vocab.txt').write_text('\n'.join(words))
    tokenizer = transformers.BertTokenizerFast(str(tmp_path / 'vocab.txt'))
    sizes = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    config = transformers.BertConfig(vocab_size=len(words), max_position_embeddings=32, **sizes)
    folder = tmp_path / 'bert'
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    models = pytest.importorskip('sentence_transformers.models')
    body = models.Transformer(str(folder))
    model = st.SentenceTransformer(modules=[body, models.Pooling(16)], device='cpu')
    model.save(str(tmp_path / 'model'))
    rows = SentenceSemantics(str(tmp_path / 'model')).features(['cat', 'the dogs', ' '])
    assert rows.shape == (3, 16) and rows[2].abs().sum() == 0
    torch.testing.assert_close(rows[:2].norm(dim=1), torch.ones(2))
