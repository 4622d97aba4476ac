"Tokenizers kept in two files: what comes back, and what is refused in one line."

import json
import time

import pytest
import torch
from support.parts import quantizers, randn, seeded

from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.core.registry import seam_base
from visual_token_diffusion.tokenizers.base import ImageTokenizer
from visual_token_diffusion.tokenizers.teacher import Teacher
from visual_token_diffusion.tokenizers.vit import ViTTokenizer

TOKENIZER = seam_base('tokenizer')


def said(tokenizer):
    return [['a red circle', 'a dog']] if tokenizer.reads_captions else []


def make(name, quantizer):
    return seeded(lambda: TOKENIZER.part(name)(quantizers()[quantizer], size=8, patch=4, width=16)).eval()


@pytest.mark.parametrize('name', TOKENIZER.names())
@pytest.mark.parametrize('quantizer', list(quantizers()))
def test_every_tokenizer_comes_back(name, quantizer, tmp_path):
    tokenizer = make(name, quantizer)
    tokenizer.save_pretrained(tmp_path)
    again = ImageTokenizer.from_pretrained(tmp_path)
    images = randn(2, 3, 8, 8).sigmoid()
    assert type(again) is type(tokenizer) and not again.training
    assert torch.equal(again(images, *said(again))[0], tokenizer(images, *said(tokenizer))[0])
    assert torch.equal(again.encode(images, *said(again)), tokenizer.encode(images, *said(tokenizer)))


def test_a_quantizer_that_was_put_in_later_is_saved(tmp_path):
    tokenizer = ViTTokenizer(size=8, patch=4, width=16, latent_dim=8).eval()
    tokenizer.quantizer = quantizers()['vq']
    tokenizer.save_pretrained(tmp_path)
    images = randn(2, 3, 8, 8).sigmoid()
    assert torch.equal(ViTTokenizer.from_pretrained(tmp_path).encode(images), tokenizer.encode(images))


def test_a_continuous_tokenizer_comes_back(tmp_path):
    tokenizer = ViTTokenizer(size=8, patch=4, width=16).eval()
    tokenizer.save_pretrained(tmp_path)
    images = randn(2, 3, 8, 8).sigmoid()
    assert torch.equal(ViTTokenizer.from_pretrained(tmp_path).latents(images), tokenizer.latents(images))


def test_another_tokenizer_is_refused(tmp_path):
    make('vit', 'vq').save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match='holds a ViTTokenizer, not a TexTok'):
        TOKENIZER.part('textok').from_pretrained(tmp_path)


def changed(folder, change):
    path = folder / 'config.json'
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(
    'change,message',
    [
        (lambda c: c.update(format=9), 'has format 9'),
        (lambda c: c.pop('tokenizer'), 'describes no ImageTokenizer'),
        (lambda c: c['tokenizer'].update({'class': 'Evil'}), "no class 'Evil'"),
        (lambda c: c['tokenizer'].update({'class': 'VectorQuantizer'}), 'holds a VectorQuantizer, not'),
        (lambda c: c['tokenizer']['arguments'].update(width=32), 'does not fit'),
        (lambda c: c['tokenizer']['arguments'].update(width=2**40), 'too large'),
        (lambda c: c['tokenizer']['arguments'].update(depth=10**5), 'too many'),
        (lambda c: c['tokenizer']['arguments'].update(os='x'), 'os'),
        (lambda c: c['tokenizer']['arguments'].update(size=9), 'do not tile'),
        (lambda c: c['tokenizer']['arguments'].update(width='a'), 'damaged'),
    ],
)
def test_a_changed_file_is_refused_in_one_line(tmp_path, change, message):
    make('vit', 'vq').save_pretrained(tmp_path)
    changed(tmp_path, change)
    with pytest.raises(CheckpointError, match=message) as e:
        ImageTokenizer.from_pretrained(tmp_path)
    assert '\n' not in str(e.value)


def test_damaged_and_missing_files_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match='there is no folder'):
        ImageTokenizer.from_pretrained(tmp_path / 'none')
    with pytest.raises(CheckpointError, match='there is no config.json'):
        ImageTokenizer.from_pretrained(tmp_path)
    make('vit', 'vq').save_pretrained(tmp_path)
    weights = tmp_path / 'model.safetensors'
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match='damaged'):
        ImageTokenizer.from_pretrained(tmp_path)
    weights.unlink()
    with pytest.raises(CheckpointError, match='there is no model.safetensors'):
        ImageTokenizer.from_pretrained(tmp_path)


def test_what_cannot_be_described_is_not_saved(tmp_path):
    tokenizer = make('textok', 'vq')
    tokenizer.text = torch.nn.Identity()
    with pytest.raises(CheckpointError, match='Identity cannot be described'):
        tokenizer.save_pretrained(tmp_path / 'new')
    assert not (tmp_path / 'new').exists()


def test_a_teacher_names_what_stands_where():
    teacher = Teacher(8, 4, 16, 1)
    assert teacher.features(randn(2, 3, 8, 8)).shape == (2, 4, 16)
    assert teacher.pooled(randn(2, 3, 8, 8)).shape == (2, 16)


def test_a_short_file_that_asks_for_much_is_refused_at_once(tmp_path):
    "Arguments that say how often something is repeated are no larger than the tensors in the file allow"
    from visual_token_diffusion.models.blt import BLT

    sizes = dict(width=8, depth=1, local_width=8, rows=20, functions=1, window=12, patcher='space')
    for name in ('encoder_depth', 'decoder_depth', 'window'):
        BLT(**sizes).save_pretrained(tmp_path)
        config = json.loads((tmp_path / 'config.json').read_text())
        config['model']['arguments'][name] = 2**24
        (tmp_path / 'config.json').write_text(json.dumps(config))
        began = time.process_time()
        if name == 'window':
            BLT.from_pretrained(tmp_path)
            continue
        with pytest.raises(CheckpointError, match='far more parts than its file holds'):
            BLT.from_pretrained(tmp_path)
        assert time.process_time() - began < 5


def test_a_pickle_in_the_place_of_weights_is_not_opened(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / 'ran'), 'w'))

    make('vit', 'vq').save_pretrained(tmp_path)
    for data in (pickle.dumps(Evil()), b'PK\x03\x04' + pickle.dumps(Evil())):
        (tmp_path / 'model.safetensors').write_bytes(data)
        with pytest.raises(CheckpointError, match='is damaged'):
            ImageTokenizer.from_pretrained(tmp_path)
    assert not (tmp_path / 'ran').exists()


def test_weights_of_another_model_are_refused(tmp_path):
    make('vit', 'vq').save_pretrained(tmp_path / 'a')
    make('vit', 'fsq').save_pretrained(tmp_path / 'b')
    (tmp_path / 'b' / 'model.safetensors').replace(tmp_path / 'a' / 'model.safetensors')
    with pytest.raises(CheckpointError, match='does not fit config.json'):
        ImageTokenizer.from_pretrained(tmp_path / 'a')


def test_saving_where_nothing_can_be_written_says_so(tmp_path):
    (tmp_path / 'file').write_text('x')
    with pytest.raises(CheckpointError, match='cannot save to .*file') as e:
        make('vit', 'vq').save_pretrained(tmp_path / 'file')
    assert '\n' not in str(e.value) and (tmp_path / 'file').read_text() == 'x'


def test_what_is_no_folder_is_refused():
    from visual_token_diffusion.core.errors import CallError

    for act in (ImageTokenizer.from_pretrained, make('vit', 'vq').save_pretrained):
        with pytest.raises(CallError, match='expected .*folder.*, got 3'):
            act(3)
