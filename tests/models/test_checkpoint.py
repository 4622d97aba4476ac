"A checkpoint is read whole, and refused where it is not what was written."

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.models.checkpoint import check_config, expected_shapes, find_checkpoint
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.text.vocab import make_vocab

WORDS = 'one two three four five six seven'
SIZE = dict(grid=4, width=8, depth=1, heads=1, length=6, process='masked', head='hierarchical')


def small_model(**options):
    vocab = make_vocab('words', WORDS)
    table = random_codes(len(vocab), 3, 3, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    return VisualTokenLM(vocab, table, **SIZE | options).eval()


def test_exchanged_pictures_are_noticed_by_the_fingerprint(tmp_path):
    "Two tokens change their codes: every shape is as before, and every token draws some token's picture"
    small_model().save_pretrained(tmp_path)
    weights = tmp_path / 'model.safetensors'
    tensors = load_file(weights)
    tensors['codes'] = tensors['codes'].flip(0).contiguous()
    save_file(tensors, weights)
    with pytest.raises(CheckpointError, match='pictures are not those it was saved with'):
        VisualTokenLM.from_pretrained(tmp_path)


@pytest.mark.parametrize('fingerprint', [None, '0' * 16])
def test_another_fingerprint_is_noticed(tmp_path, fingerprint):
    small_model().save_pretrained(tmp_path)
    path = tmp_path / 'config.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | dict(fingerprint=fingerprint)))
    with pytest.raises(CheckpointError, match='pictures are not those'):
        VisualTokenLM.from_pretrained(tmp_path)


def test_a_tensor_with_two_names_is_written_once_and_is_one_again(tmp_path):
    model = small_model(head='tied', encoder='semantic')
    model.save_pretrained(tmp_path)
    again = VisualTokenLM.from_pretrained(tmp_path)
    assert not again.training, 'a loaded model does not drop anything out'
    state = model.state_dict()
    assert len(load_file(tmp_path / 'model.safetensors')) < len(state)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in state.items())
    places = [{t.data_ptr() for t in m.state_dict().values()} for m in (model, again)]
    assert len(places[0]) == len(places[1])


def config():
    return json.loads(json.dumps(small_model().config))


@pytest.mark.parametrize('key,values', [
    ('width', [0, -1, 65537, True, 8.0, None]),
    ('depth', [0, 1025]),
    ('dropout', [-0.1, 1, 1.5, 'none', None]),
    ('features', [-1, 65537, 1.0]),
    ('sizes', [[], [0], [4097], [4] * 9, [4096, 4096, 2], 4, ['4']]),
    ('head', ['nobody', 'os:system', 3, None]),
])
def test_what_no_model_has_is_refused_before_it_is_built(key, values):
    for value in values:
        with pytest.raises(CheckpointError, match=f"no usable '{key}'"):
            check_config(config() | {key: value}, 'config.json')


@pytest.mark.parametrize('fine', [
    dict(width=65536), dict(width=1), dict(dropout=0), dict(dropout=0.99), dict(sizes=[4096, 4096]),
    dict(sampler='auto'), dict(sizes=[1]), dict(features=0), dict(features=65536, head='feature_tree'),
])
def test_the_largest_and_the_smallest_are_taken(fine):
    checked = check_config(config() | fine, 'config.json')
    assert all(checked[key] == value for key, value in fine.items())


def test_features_without_a_part_that_reads_them_are_refused():
    with pytest.raises(CheckpointError, match="no usable 'features'"):
        check_config(config() | dict(features=3, head='flat'), 'config.json')


def test_the_shapes_that_decide_the_size_are_those_of_the_model():
    model = small_model(head='feature_tree', features=torch.randn(len(small_model().vocab), 5))
    state = model.state_dict()
    shapes = expected_shapes(check_config(json.loads(json.dumps(model.config)), 'config.json'), len(model.vocab))
    assert {name: list(state[name].shape) for name in shapes} == shapes
    assert {'codes', 'backbone.blocks.0.up.weight', 'embed.features', 'skip.maps.0.weight'} <= set(shapes)


@pytest.mark.parametrize('name', ['./a/b', '~/a', 'a', 'a/b/c'])
def test_what_is_no_name_on_the_hub_is_not_asked_for(name, monkeypatch):
    monkeypatch.setattr('visual_token_diffusion.models.checkpoint.hf_hub_download', lambda *a, **k: 1 / 0)
    with pytest.raises(CheckpointError, match='there is no folder'):
        find_checkpoint(name)
