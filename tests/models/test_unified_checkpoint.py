"A saved unified model is the same, bit for bit; a damaged folder is refused in one line."

import json

import pytest
import torch
from support.unified import GIVEN, WORLD, build, pairs

from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.models.unified.model import UnifiedModel
from visual_token_diffusion.models.unified.pictures import PatchLatents
from visual_token_diffusion.models.unified.sampling import read, write
from visual_token_diffusion.models.unified.switches import PRESETS
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.base import ImageTokenizer
from visual_token_diffusion.training.unified_learner import unified_model


def written_and_read(model):
    "A picture, a caption and the losses of a model"
    images, captions = pairs(2)
    losses = model.losses(images, captions, GIVEN())
    return write(model, captions, generator=GIVEN()).images, read(model, images, generator=GIVEN()), losses


def assert_same(model, other):
    "Two models have the same weights, and answer alike, bit for bit"
    state = other.state_dict()
    assert set(state) == set(model.state_dict())
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    a, b = written_and_read(model), written_and_read(other)
    assert torch.equal(a[0], b[0]) and a[1] == b[1]
    assert all(torch.equal(a[2][name], b[2][name]) for name in a[2])


@pytest.mark.parametrize('name', PRESETS)
def test_a_saved_preset_comes_back(name, tmp_path):
    model = build(name).eval()
    model.save_pretrained(tmp_path / 'model')
    back = UnifiedModel.from_pretrained(tmp_path / 'model')
    assert back.switches == model.switches and back.config == model.config and not back.training
    assert_same(model, back)


def test_switches_of_nobody_and_other_pixels_come_back(tmp_path):
    model = build('janus', picture_objective='masked', attention='prefix', drop_text=0.25).eval()
    model.encoder.mean, model.encoder.std = 0.73, 0.31
    model.save_pretrained(tmp_path)
    back = UnifiedModel.from_pretrained(str(tmp_path))
    assert (back.encoder.mean, back.encoder.std) == (0.73, 0.31) and back.switches.drop_text == 0.25
    assert_same(model, back)


def test_any_tokenizer_is_saved_within(tmp_path):
    torch.manual_seed(0)
    tokenizer = ImageTokenizer.make('patch', VectorQuantizer(8, 33), size=24, patch=8, width=16)
    model = unified_model('show_o', WORLD, 24, tokenizer, 16, 1, 1).eval()
    model.save_pretrained(tmp_path)
    back = UnifiedModel.from_pretrained(tmp_path)
    assert type(back.pictures) is type(tokenizer)
    assert_same(model, back)


def test_fewer_latents_come_back(tmp_path):
    latents = PatchLatents(WORLD.render(torch.arange(288), 24), 12, 5)
    model = unified_model('transfusion', WORLD, 24, latents, 16, 1, 1).eval()
    model.save_pretrained(tmp_path)
    back = UnifiedModel.from_pretrained(tmp_path)
    assert back.codes_shape == (4, 5)
    assert_same(model, back)


# ---- what is refused ----


def changed(path, **values):
    "Change values of a JSON file; those of its model where it has one"
    content = json.loads(path.read_text())
    content.get('model', content).update(values)
    path.write_text(json.dumps(content))


def cut(path):
    "Leave half of a file"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


DAMAGE = {
    'there is no config.json': lambda f: (f / 'config.json').unlink(),
    'cannot be read as JSON': lambda f: cut(f / 'config.json'),
    'describes no UnifiedModel': lambda f: (f / 'config.json').write_text('{"format": 1, "model": {"width": 16}}'),
    'has format 9': lambda f: (f / 'config.json').write_text('{"format": 9}'),
    "no usable 'width'": lambda f: changed(f / 'config.json', width='wide'),
    'does not fit its config.json': lambda f: changed(f / 'config.json', width=32768),
    "'backbone.blocks.1.up.weight' should be": lambda f: changed(f / 'config.json', depth=1000),
    'attention cannot be': lambda f: changed(f / 'config.json', attention='sideways'),
    'is damaged': lambda f: changed(f / 'config.json', text_weight='much'),
    'fingerprint does not match': lambda f: changed(f / 'vocab.json', fingerprint='0' * 16),
    'there is no vocab.json': lambda f: (f / 'vocab.json').unlink(),
    'the checkpoint is incomplete': lambda f: (f / 'model.safetensors').unlink(),
    'model.safetensors is damaged': lambda f: cut(f / 'model.safetensors'),
    'pictures/model.safetensors is damaged': lambda f: cut(f / 'pictures' / 'model.safetensors'),
    'there is no folder': lambda f: (f / 'pictures').rename(f / 'elsewhere'),
    'have pictures as continuous': lambda f: changed(
        f / 'config.json', picture_form='continuous', picture_objective='flow'
    ),
}


@pytest.mark.parametrize('said', DAMAGE)
def test_a_damaged_folder_is_refused_in_one_line(said, tmp_path):
    folder = tmp_path / 'show_o'
    build('show_o').save_pretrained(folder)
    DAMAGE[said](folder)
    with pytest.raises(CheckpointError) as found:
        UnifiedModel.from_pretrained(folder)
    assert said in str(found.value) and '\n' not in str(found.value)


def test_another_model_or_no_folder_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match='there is no folder'):
        UnifiedModel.from_pretrained(tmp_path / 'nothing')
    with pytest.raises(ValueError, match='the folder of a saved model'):
        UnifiedModel.from_pretrained(3)
    (tmp_path / 'file').write_text('')
    with pytest.raises(CheckpointError, match='cannot save to'):
        build('show_o').save_pretrained(tmp_path / 'file')


def test_pictures_that_nobody_can_build_again_are_not_saved(tmp_path):
    model = build('show_o')
    model.pictures = torch.nn.Identity()
    with pytest.raises(CheckpointError, match='pictures by an Identity cannot be saved'):
        model.save_pretrained(tmp_path)
