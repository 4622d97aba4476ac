"Tokenizers kept in two files: what comes back, and what is refused in one line."

import json

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
        (lambda c: c.pop('tokenizer'), 'not that of a tokenizer'),
        (lambda c: c['tokenizer'].update({'class': 'Evil'}), "no class 'Evil'"),
        (lambda c: c['tokenizer'].update({'class': 'VectorQuantizer'}), 'holds a VectorQuantizer, not'),
        (lambda c: c['tokenizer']['arguments'].update(width=32), 'does not fit'),
        (lambda c: c['tokenizer']['arguments'].update(width=2**40), 'too large'),
        (lambda c: c['tokenizer']['arguments'].update(depth=10**5), 'too many'),
        (lambda c: c['tokenizer']['arguments'].update(os='x'), 'os'),
        (lambda c: c['tokenizer']['arguments'].update(size=9), 'do not tile'),
        (lambda c: c['tokenizer']['arguments'].update(width='a'), 'checkpoint|tokenizer|str'),
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
