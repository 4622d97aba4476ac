"A folder that holds a unified model whole: switches, words, weights, and what its pictures are made of."

import os
from dataclasses import fields
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from ... import __version__
from ...core.configured import Configured
from ...core.configured_files import load_configured, save_configured
from ...core.errors import CheckpointError
from ...core.files import read_json_file, replacing, write_json_atomically
from ...core.given import check_type, described
from ...core.registry import seam_base
from ...text.vocab import vocab_from_json, vocab_to_json
from .switches import Switches

__all__ = ['Checkpoints']

FORMAT = 1
CONFIG, VOCAB = 'config.json', 'vocab.json'
WEIGHTS = 'model.safetensors'
PICTURES = 'pictures'  # folder of the tokenizer or the latents, and the beginning of their tensors' names
LIMITS = dict(text_length=2**16, width=65536, depth=1024, heads=1024)


def _load_seams():
    "Import all classes that a file of a tokenizer may name"
    seam_base('quantizer').load()
    seam_base('tokenizer').load()


class Checkpoints:
    "How a `UnifiedModel` is kept"

    def save_pretrained(
        self,
        folder,  # made if needed
    ):
        """Write config, vocabulary, weights and the tokenizer or latents of pictures, each by renaming a complete file.
        Raises `CheckpointError`"""
        folder = Path(check_type(folder, (str, os.PathLike), 'a folder to save in'))
        if not isinstance(self.pictures, Configured):
            name = described(self.pictures)
            raise CheckpointError(f'pictures by {name} cannot be saved; derive it from core.configured:Configured')
        _load_seams()
        save_configured(self.pictures, folder / PICTURES, PICTURES)
        state = {k: v.detach().cpu() for k, v in self.state_dict().items() if not k.startswith(f'{PICTURES}.')}
        try:
            write_json_atomically(folder / VOCAB, vocab_to_json(self.vocab))
            with replacing(folder / WEIGHTS) as path:
                save_file({k: v.contiguous().clone() for k, v in state.items()}, path, dict(format='pt'))
            write_json_atomically(folder / CONFIG, _facts(self), indent=1)
        except (OSError, SafetensorError) as e:
            said = getattr(e, 'strerror', None) or str(e).splitlines()[0]
            raise CheckpointError(f'cannot save to {folder}: {said}') from None

    @classmethod
    def from_pretrained(
        cls,
        folder,  # that `save_pretrained` wrote
    ):
        "The saved model in evaluation mode. Raises `CheckpointError` for anything missing, damaged or foreign"
        folder = Path(check_type(folder, (str, os.PathLike), 'the folder of a saved model'))
        if not folder.is_dir():
            raise CheckpointError(f'there is no folder {folder}; save a model there with `save_pretrained`')
        config, vocab = _read_config(folder), _read_vocab(folder)
        tensors = _read_tensors(folder, config)
        _load_seams()
        pictures = load_configured(nn.Module, folder / PICTURES, PICTURES)
        try:
            return _built(cls, config, vocab, pictures, tensors).eval()
        except Exception as e:  # values out of a file can break any part that is built with them
            said = (str(e).splitlines() or [''])[0][:120] or type(e).__name__
            raise CheckpointError(f'{folder} is damaged: {said}') from None


def _facts(model):
    "What `config.json` says"
    facts = dict(format=FORMAT, library_version=__version__, model=model.config)
    if model.encoder is not None:
        facts['reading_pixels'] = [model.encoder.mean, model.encoder.std]
    return facts


def _read_object(path):
    "A JSON object. Raises `CheckpointError`"
    try:
        value = read_json_file(path)
    except FileNotFoundError:
        missing = f'there is no {path.name} in {path.parent}; save a model there with `save_pretrained`'
        raise CheckpointError(missing) from None
    except (OSError, ValueError):
        raise CheckpointError(f'{path} cannot be read as JSON; the checkpoint is damaged') from None
    if not isinstance(value, dict):
        raise CheckpointError(f'{path} is not what a checkpoint holds there')
    return value


def _read_config(folder):
    "The checked `config.json`. Raises `CheckpointError`"
    path = folder / CONFIG
    config = _read_object(path)
    if config.get('format') != FORMAT:
        found = f'{path} has format {str(config.get("format"))[:20]}'
        raise CheckpointError(f'{found}; this version ({__version__}) reads format {FORMAT}')
    model = config.get('model')
    wanted = {f.name for f in fields(Switches)} | set(LIMITS)
    if not isinstance(model, dict) or set(model) != wanted:
        raise CheckpointError(f'{path} describes no UnifiedModel')
    for key, most in LIMITS.items():
        if type(model[key]) is not int or not 0 < model[key] <= most:
            raise CheckpointError(f"{path} has no usable '{key}'; the checkpoint is damaged")
    return config


def _read_vocab(folder):
    "The vocabulary. Raises `CheckpointError`"
    path = folder / VOCAB
    try:
        return vocab_from_json(_read_object(path))
    except CheckpointError:
        raise
    except ValueError as e:
        raise CheckpointError(f'{path}: {e}') from None


def _sizes(model):
    "`{name: shape}` of tensors that decide how large a model is: nothing is built that has not its like in the file"
    width = model['width']
    blocks = {f'backbone.blocks.{i}.up.weight': [4 * width, width] for i in range(model['depth'])}
    return blocks | {'text_place': [1 + model['text_length'], width]}


def _read_tensors(folder, config):
    "The weights, if they have the sizes that the config asks for. Raises `CheckpointError`"
    path = folder / WEIGHTS
    if not path.exists():
        raise CheckpointError(f'there is no {WEIGHTS} in {folder}; the checkpoint is incomplete')
    try:
        with safe_open(path, 'pt') as file:
            names = set(file.keys())
            for name, shape in _sizes(config['model']).items():
                if name not in names or file.get_slice(name).get_shape() != shape:
                    raise CheckpointError(f"{path} does not fit its {CONFIG} ('{name}' should be {shape})")
        return load_file(path)
    except (SafetensorError, OSError) as e:
        raise CheckpointError(f'{path} is damaged: {str(e).splitlines()[0][:120]}') from None


def _built(cls, config, vocab, pictures, tensors):
    "The model with its weights. Raises an error of any type where something does not fit"
    model = config['model']
    sizes = {key: model[key] for key in LIMITS}
    switches = Switches(**{key: value for key, value in model.items() if key not in LIMITS})
    built = cls(switches, vocab, pictures, **sizes)
    if built.encoder is not None:
        built.encoder.mean, built.encoder.std = map(float, config['reading_pixels'])
    own = {f'{PICTURES}.{key}': value for key, value in pictures.state_dict().items()}
    built.load_state_dict(tensors | own)
    return built
