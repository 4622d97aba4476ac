"What the fuzzer found at the doors beside checkpoints and pictures: each kept as it was met, and refused in one line."

import json

import numpy as np
import pytest
from support.command_line import run_main

from visual_token_diffusion.core.errors import CheckpointError, DataError
from visual_token_diffusion.core.results import load_run
from visual_token_diffusion.text.corpus import FileDocs
from visual_token_diffusion.text.shards import TokenShards, write_shards
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.training.finished import finished_state
from visual_token_diffusion.viz.curves import training_view
from visual_token_diffusion.worlds.rendered_text import TextRenderer

DEEP = '[' * 100_000
STATE = dict(epoch=2, step=8, seconds=1.5, history=[], corpus_hash='a', vocab='b', processes=1)
STATE['settings'] = dict(steps=8, epochs=2)


@pytest.fixture
def shards(tmp_path):
    write_shards(['the cat sees a dog'], make_vocab('letters', 'the cat sees a dog\n'), tmp_path / 's')
    return tmp_path / 's'


def test_a_shard_whose_head_is_no_python(shards):
    path = next(shards.glob('*.npy'))
    data = path.read_bytes()
    path.write_bytes(data[:20] + b'(((' + data[23:])
    with pytest.raises(DataError, match='damaged or cut short') as e:
        TokenShards(shards)
    assert '\n' not in str(e.value)


def test_an_index_of_shards_with_odd_numbers(shards):
    path = shards / 'shards.json'
    index = json.loads(path.read_text())
    index['files'][0]['tokens'] = float('inf')
    for text in (json.dumps(index), DEEP):
        path.write_text(text)
        with pytest.raises(DataError, match='is damaged or from a newer version'):
            TokenShards(shards)


ODD = [dict(settings=dict(steps=8, epochs=0)), dict(settings=dict(steps=-8))]
ODD += [dict(history=[3]), dict(seconds=-1), dict(settings=dict(steps=8, epochs=10**400))]


@pytest.mark.parametrize('changes', ODD)
def test_a_finished_training_with_odd_numbers(changes, tmp_path):
    path = tmp_path / 'training.json'
    path.write_text(json.dumps(STATE))
    assert finished_state(tmp_path)['epoch'] == 2
    for text in (json.dumps(STATE | changes), DEEP):
        path.write_text(text)
        with pytest.raises(CheckpointError, match='is damaged'):
            finished_state(tmp_path)


def test_a_log_with_odd_rows(tmp_path):
    (tmp_path / 'log.csv').write_text('epoch,train_loss,valid_loss\n1,3.5,3.4\nx,1,1\n\n,\n2\n' + '9' * 400 + ',1,1\n')
    (tmp_path / 'settings.json').write_text(json.dumps(dict(steps='many', epochs=2)))
    (tmp_path / 'metrics.json').write_text('{"unigram": 1' + '0' * 400 + ', "bigram": "3.5"}')
    assert 'epoch 2' in training_view(str(tmp_path)).text
    for text in (DEEP, '[]'):
        (tmp_path / 'metrics.json').write_text(text)
        training_view(str(tmp_path))


def test_metrics_of_a_model_that_cannot_be_read(tmp_path, capsys):
    from support.fuzz_kinds import tiny_model

    tiny_model('words', 0).save_pretrained(tmp_path / 'm')
    for text in (DEEP, '{"nelbo": 1' + '0' * 400 + '}', '[]', '"x"', '{"nelbo": null}'):
        (tmp_path / 'm' / 'metrics.json').write_text(text)
        code, out, err = run_main(capsys, 'info', tmp_path / 'm')
        assert code == 0 and 'cannot be read' in out and err == '', text[:30]


def test_a_result_nested_too_deeply(tmp_path):
    (tmp_path / 'x.json').write_text(DEEP)
    with pytest.raises(ValueError, match='cannot be read as a result'):
        load_run('x', tmp_path)


def test_a_font_that_is_none(tmp_path):
    (tmp_path / 'x.ttf').write_bytes(np.random.default_rng(0).bytes(2000))
    for name in ('x.ttf', 'nowhere.ttf'):
        with pytest.raises(ValueError, match='cannot be read as a font') as e:
            TextRenderer(font=str(tmp_path / name))
        assert '\n' not in str(e.value)


def test_a_document_nested_too_deeply(tmp_path):
    (tmp_path / 'x.jsonl').write_text('{"text": "the cat"}\n' + DEEP + '\n')
    with pytest.raises(DataError, match='x.jsonl is damaged') as e:
        list(FileDocs(tmp_path))
    assert '\n' not in str(e.value)
