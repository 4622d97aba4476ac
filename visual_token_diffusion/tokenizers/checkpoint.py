"""A folder that holds a tokenizer of pictures whole, and a loader that believes nothing it reads."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from .. import __version__
from ..core.configured import Configured, build, recipe
from ..core.errors import CheckpointError
from ..core.files import replacing, write_text_atomically
from ..core.registry import seam_base

__all__ = ['load_tokenizer', 'save_tokenizer']

FORMAT = 1
WEIGHTS = 'model.safetensors'


def save_tokenizer(
    tokenizer,  # an `ImageTokenizer`
    folder,  # made if needed
):
    """Write `config.json` and `model.safetensors`, each by renaming a complete file. Teachers are for training and stay
    behind. Raises `CheckpointError` for a tokenizer that could not be built again"""
    try:
        config = dict(format=FORMAT, library_version=__version__, tokenizer=recipe(tokenizer))
        wanted = _skeleton(config['tokenizer'])
    except ValueError as e:
        raise CheckpointError(f'this tokenizer cannot be saved: {e}') from None
    state = {k: v for k, v in tokenizer.state_dict().items() if k in wanted}
    found = {k: list(v.shape) for k, v in state.items()}
    if found != wanted:
        odd = next(k for k in wanted if found.get(k) != wanted[k])
        raise CheckpointError(f"this tokenizer cannot be saved: its arguments do not tell the shape of '{odd}'")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in state.items()}
    with replacing(folder / WEIGHTS) as path:
        save_file(tensors, path, dict(format='pt'))
    write_text_atomically(folder / 'config.json', json.dumps(config, indent=1) + '\n')


def _skeleton(recipe):
    "`{name: shape}` of the tensors of what a recipe describes; nothing is allocated. Raises `ValueError`"
    seam_base('quantizer').load()
    seam_base('tokenizer').load()
    with torch.device('meta'):
        state = build(recipe).state_dict()
    return {name: list(tensor.shape) for name, tensor in state.items()}


def _read_config(path):
    "The recipe of a tokenizer. Raises `CheckpointError`"
    try:
        config = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise CheckpointError(f'there is no {path.name} in {path.parent}; is it a saved tokenizer?') from None
    except (OSError, ValueError, RecursionError):
        raise CheckpointError(f'{path} cannot be read as JSON; the checkpoint is damaged') from None
    if not isinstance(config, dict) or 'tokenizer' not in config:
        raise CheckpointError(f'{path} is not that of a tokenizer of pictures')
    if config.get('format') != FORMAT:
        found = f'{path} has format {config.get("format")!r}'
        raise CheckpointError(f'{found}; this version ({__version__}) reads format {FORMAT}')
    return config['tokenizer']


def _check_tensors(path, wanted):
    "Raises `CheckpointError` unless a file holds the tensors `{name: shape}`"
    try:
        with safe_open(path, 'pt') as f:
            found = {k: f.get_slice(k).get_shape() for k in f.keys()}
    except FileNotFoundError:
        raise CheckpointError(f'there is no {path.name} in {path.parent}; is it a saved tokenizer?') from None
    except (SafetensorError, OSError) as e:
        raise CheckpointError(f'{path} is damaged: {str(e).splitlines()[0]}') from None
    odd = [k for k in {**wanted, **found} if wanted.get(k) != found.get(k)]
    if odd:
        raise CheckpointError(f"{path} does not fit its config.json ('{odd[0]}')")


def _check_class(folder, config, cls):
    "Raises `CheckpointError` unless a recipe describes a known class that is a `cls`"
    seam_base('tokenizer').load()
    name = config.get('class') if isinstance(config, dict) else None
    if not isinstance(name, str) or name not in Configured.classes:
        known = 'import the module that defines it first'
        raise CheckpointError(f"{folder}: there is no class '{str(name)[:40]}'; {known}")
    if not issubclass(Configured.classes[name], cls):
        raise CheckpointError(f'{folder} holds a {name}, not a {cls.__name__}')


def load_tokenizer(
    cls,  # the class it must be of, such as `ImageTokenizer`
    folder,  # that `save_tokenizer` wrote
):
    "A saved tokenizer in evaluation mode. Raises `CheckpointError` for anything missing, damaged or foreign"
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(f'there is no folder {folder}; save a tokenizer there with `save_pretrained`')
    config = _read_config(folder / 'config.json')
    _check_class(folder, config, cls)
    try:
        wanted = _skeleton(config)
    except (ValueError, RuntimeError, TypeError, RecursionError) as e:
        raise CheckpointError(f'{folder}: {str(e).splitlines()[0]}') from None
    _check_tensors(folder / WEIGHTS, wanted)
    tokenizer = build(config)
    tokenizer.load_state_dict(load_file(folder / WEIGHTS))
    return tokenizer.eval()
