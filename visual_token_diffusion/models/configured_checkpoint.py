"""A folder that holds a module that knows its own arguments, and a loader that checks what it reads."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from .. import __version__
from ..core.configured import Configured, build, recipe
from ..core.errors import CheckpointError
from ..core.files import replacing, write_json_atomically

__all__ = ['load_configured', 'save_configured']

FORMAT = 1
CONFIG, WEIGHTS = 'config.json', 'model.safetensors'


def save_configured(
    model,  # a `Configured` module
    folder,  # made if needed
):
    "Write `config.json` and `model.safetensors`, each by renaming a complete file. Raises `CheckpointError`"
    try:
        config = dict(format=FORMAT, library_version=__version__, model=recipe(model))
        with torch.device('meta'):
            wanted = {k: v.shape for k, v in build(config['model']).state_dict().items()}
    except ValueError as e:
        raise CheckpointError(f'this {type(model).__name__} cannot be saved: {e}') from None
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in model.state_dict().items()}
    if {k: v.shape for k, v in tensors.items()} != wanted:
        raise CheckpointError(f'this {type(model).__name__} cannot be saved: its arguments do not tell its shapes')
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as path:
        save_file(tensors, path, dict(format='pt'))
    write_json_atomically(folder / CONFIG, config, indent=1)


def _config(folder, cls):
    "The recipe in a folder. Raises `CheckpointError`"
    path = Path(folder) / CONFIG
    try:
        config = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise CheckpointError(f'there is no {CONFIG} in {folder}; save a model there first') from None
    except (OSError, ValueError, RecursionError):
        raise CheckpointError(f'{path} cannot be read as JSON; the checkpoint is damaged') from None
    if not isinstance(config, dict) or not isinstance(config.get('model'), dict):
        raise CheckpointError(f'{path} is not that of a {cls.__name__}')
    if config.get('format') != FORMAT:
        raise CheckpointError(f'{path} has format {config.get("format")!r}; this version reads format {FORMAT}')
    name = str(config['model'].get('class'))
    if not issubclass(Configured.classes.get(name, object), cls):
        raise CheckpointError(f'{folder} holds a {name[:40]}, not a {cls.__name__}')
    return config['model']


def load_configured(
    cls,  # the class that is expected
    folder,  # that `save_configured` wrote
):
    "The saved model in evaluation mode. Raises `CheckpointError` for anything missing, damaged or foreign"
    config = _config(folder, cls)
    try:
        model = build(config)
        model.load_state_dict(load_file(Path(folder) / WEIGHTS))
    except FileNotFoundError:
        raise CheckpointError(f'there is no {WEIGHTS} in {folder}; the checkpoint is incomplete') from None
    except (SafetensorError, OSError, ValueError, RuntimeError) as e:
        raise CheckpointError(f'{folder} is damaged: {str(e).splitlines()[0][:120]}') from None
    return model.eval()
