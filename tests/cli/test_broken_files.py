"Files made to break it: mutated ones, pictures that swell, checkpoints and states that promise too much."

import io
import json
import os
import time
import warnings
import zipfile
import zlib

import pytest
import torch

from support.fuzz_kinds import make_kinds, tiny_model
from support.fuzzing import Fuzzer, memory_peak
from support.png_mutations import join_chunks, make_png, png_chunks
from visual_token_diffusion.core.config import SettingsError, load_settings
from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.training.resume import load_state, save_state
from visual_token_diffusion.viz.png import load_sentence
from visual_token_diffusion.viz.png_bytes import NotOurPicture


def test_a_few_thousand_mutated_files(tmp_path):
    "The long run is `python tests/cli/fuzz.py`; its metrics are in nbs/lab/runs/fuzz.json"
    seed = int(os.environ.get('VTD_SEED', 0))
    metrics = Fuzzer(make_kinds(tmp_path), seed, found_in=tmp_path).run(1500)
    assert not metrics['findings'], metrics['findings'][:5]
    assert metrics['inputs'] == 1500 and all(kind['inputs'] for kind in metrics['kinds'].values())
    assert metrics['kinds']['png']['answers'] > 8


def zeros():
    "300 MB of them, packed"
    packer = zlib.compressobj(9)
    return b''.join(packer.compress(bytes(2**20)) for _ in range(300)) + packer.flush()


SQUARE = zlib.compress(bytes(8 * 25))
# Pictures whose few bytes stand for many: a function that makes one, and what is said of it
BOMBS = {
    'a gigabyte of nothing': (lambda: make_png(20000, 20000, zeros()), 'limit'),
    'more pixels than promised': (lambda: make_png(100, 100, zeros()), 'other pixels'),
    'fewer pixels than promised': (lambda: make_png(5000, 5000, zlib.compress(bytes(1000))), 'other pixels'),
    'no pixels at all': (lambda: make_png(5000, 5000, b''), 'other pixels'),
    'text that swells': (
        lambda: make_png(8, 8, SQUARE, zTXt=b'x\0\0' + zlib.compress(bytes(10**8), 9)),
        'damaged',
    ),
    'interlaced': (lambda: make_png(8, 8, SQUARE, interlaced=1), 'interlaced'),
    'white, in a thousand possible layouts': (
        lambda: make_png(2000, 2000, zlib.compress((b'\0' + b'\xff' * 6000) * 2000)),
        'layout',
    ),
}


@pytest.mark.parametrize('name', BOMBS)
def test_bombs_are_refused_quickly_and_in_little_memory(name, tmp_path):
    make, want = BOMBS[name]
    data = make()
    (tmp_path / 'x.png').write_bytes(data)
    began, memory = time.process_time(), memory_peak()
    with pytest.raises(NotOurPicture, match=want) as e:
        load_sentence(tmp_path / 'x.png', 8)
    assert '\n' not in str(e.value) and time.process_time() - began < 5
    assert memory_peak() - memory < 300


def test_transparency_that_is_told_late_is_noticed(tmp_path):
    "A tRNS chunk behind the pixels is read only with them"
    chunks = png_chunks(make_png(9, 9, zlib.compress(bytes(90)), color=3, PLTE=bytes(30)))
    chunks.insert(-1, (b'tRNS', b'\0\0\0'))
    (tmp_path / 'x.png').write_bytes(join_chunks(chunks))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(NotOurPicture, match='transparent'):
            load_sentence(tmp_path / 'x.png', 8)


@pytest.mark.skipif(not os.path.exists('/dev/zero'), reason='needs /dev/zero')
def test_a_file_without_an_end():
    with pytest.raises(NotOurPicture, match='larger than any of ours'):
        load_sentence('/dev/zero', 8)


@pytest.fixture
def checkpoint(tmp_path):
    "The folder of a small model"
    tiny_model('words', 0).save_pretrained(tmp_path / 'm')
    return tmp_path / 'm'


def edit_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


too_much = [
    dict(depth=1000), dict(width=4096), dict(features=4096), dict(sizes=[250] * 3),
    dict(heads=3), dict(format=9), dict(length=-1), dict(grid=7),
    dict(head='feature_tree'), dict(process='os:system'),
]


@pytest.mark.parametrize('changes', too_much)
def test_a_config_that_promises_more_than_the_file_holds(checkpoint, changes):
    edit_json(checkpoint / 'config.json', **changes)
    memory = memory_peak()
    with pytest.raises(CheckpointError) as e:
        VisualTokenLM.from_pretrained(checkpoint)
    assert '\n' not in str(e.value) and memory_peak() - memory < 100


def test_a_vocabulary_whose_kind_is_a_list(checkpoint):
    edit_json(checkpoint / 'vocab.json', name=[])
    with pytest.raises(CheckpointError, match='not a stored vocabulary'):
        VisualTokenLM.from_pretrained(checkpoint)


odd_settings = [('lr=inf', 'finite'), ('weight_decay=1e999', 'finite'), ('steps=3\\\n x', 'int')]


@pytest.mark.parametrize('setting,want', [*odd_settings, ('steps=' + '9' * 5000, 'int')])
def test_settings_that_look_like_numbers(setting, want):
    with pytest.raises(SettingsError, match=want) as e:
        load_settings('ci', [setting])
    assert '\n' not in str(e.value) and len(str(e.value)) < 200


def test_a_training_state_that_swells(tmp_path):
    file, path = io.BytesIO(), tmp_path / 'train_state-00000001.pt'
    torch.save(dict(a=torch.zeros(10**7)), file)
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as packed:
        for info in whole.infolist():
            packed.writestr(info.filename, whole.read(info))
    assert path.stat().st_size < 10**6
    with pytest.raises(CheckpointError, match='damaged'):
        load_state(tmp_path)


WHOLE_STATE = dict(
    epoch=0, iter=0, step=1, pct_train=0.0, smooth=(0, 0), opt={}, model={},
    config={}, history=[], callbacks={}, rng=[], settings={}, corpus_hash='', vocab='',
)
broken_states = [
    (dict(settings=3), 'settings'),
    (dict(history=[3]), 'history'),
    (dict(history=[{}]), 'history'),
    (dict(corpus_hash=None), 'corpus_hash'),
]


@pytest.mark.parametrize('changes,want', broken_states)
def test_a_training_state_that_lacks_a_part(tmp_path, changes, want):
    save_state(WHOLE_STATE, tmp_path, 1)
    assert load_state(tmp_path)['step'] == 1
    save_state(WHOLE_STATE | changes, tmp_path, 1)
    with pytest.raises(CheckpointError, match=want):
        load_state(tmp_path)
