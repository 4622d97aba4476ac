"A folder that holds a `Configured` module whole, and a loader that believes nothing it reads."

import os
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch.nn.modules import module as hooks

from .. import __version__
from .configured import Configured, build, recipe
from .errors import CheckpointError
from .files import read_json_file, replacing, write_json_atomically
from .given import check_type

__all__ = ['load_configured', 'save_configured']

FORMAT = 1
CONFIG, WEIGHTS = 'config.json', 'model.safetensors'
MOST_NUMBERS = 2**26  # of buffers that no file holds, such as masks


@contextmanager
def _at_most(
    n,  # modules and parameters
):
    "Raises `ValueError` where more are made: a short file can ask for millions of layers"
    left = [n]

    def count(owner, name, part):
        left[0] -= 1
        if left[0] < 0:
            raise ValueError('it describes far more parts than its file holds')

    registered = hooks.register_module_module_registration_hook, hooks.register_module_parameter_registration_hook
    handles = [register(count) for register in registered]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _shapes(
    config,  # of `recipe`
    n_tensors=2**20,  # that a file holds
) -> dict:
    "`{name: shape}` of the tensors of what a recipe describes; nothing is allocated. Raises `ValueError`"
    with torch.device('meta'), _at_most(256 + 32 * n_tensors):
        module = build(config)
    shapes = {name: list(tensor.shape) for name, tensor in module.state_dict().items()}
    others = sum(b.numel() for name, b in module.named_buffers() if name not in shapes)
    if others > MOST_NUMBERS:
        raise ValueError(f'it describes tables of {others:,} numbers beside those in its file')
    return shapes


def _kept(module, wanted):
    "The tensors of a module that are saved. Raises `ValueError` where its arguments do not tell their shapes"
    state = module.state_dict()
    if module.unsaved:
        state = {name: tensor for name, tensor in state.items() if name in wanted}
    found = {name: list(tensor.shape) for name, tensor in state.items()}
    odd = [name for name in {**wanted, **found} if found.get(name) != wanted.get(name)]
    if odd:
        raise ValueError(f"its arguments do not tell the shape of '{odd[0]}'")
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}


def save_configured(
    module,  # a `Configured` module
    folder,  # made if needed
    key: str = 'model',  # what the file calls it
):
    """Write `config.json` and `model.safetensors`, each by renaming a complete file; modules that are for training only
    stay behind. Raises `CheckpointError` for what could not be built again"""
    try:
        config = dict(format=FORMAT, library_version=__version__, **{key: recipe(module)})
        tensors = _kept(module, _shapes(config[key]))
    except ValueError as e:
        raise CheckpointError(f'this {type(module).__name__} cannot be saved: {e}') from None
    folder = Path(check_type(folder, (str, os.PathLike), 'a folder to save in'))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / WEIGHTS) as path:
            save_file(tensors, path, dict(format='pt'))
        write_json_atomically(folder / CONFIG, config, indent=1)
    except (OSError, SafetensorError) as e:
        said = getattr(e, 'strerror', None) or str(e).splitlines()[0]
        raise CheckpointError(f'cannot save to {folder}: {said}') from None


def _read_config(folder, cls, key):
    "The recipe in a folder. Raises `CheckpointError`"
    path = folder / CONFIG
    try:
        config = read_json_file(path)
    except FileNotFoundError:
        raise CheckpointError(f'there is no {CONFIG} in {folder}; save a model there with `save_pretrained`') from None
    except (OSError, ValueError):
        raise CheckpointError(f'{path} cannot be read as JSON; the checkpoint is damaged') from None
    if not isinstance(config, dict) or not isinstance(config.get(key), dict):
        raise CheckpointError(f'{path} describes no {cls.__name__}')
    if config.get('format') != FORMAT:
        found = f'{path} has format {str(config.get("format"))[:20]}'
        raise CheckpointError(f'{found}; this version ({__version__}) reads format {FORMAT}')
    return config[key]


def _check_class(folder, config, cls):
    "Raises `CheckpointError` unless a recipe describes a known class that is a `cls`"
    name = config.get('class')
    if not isinstance(name, str) or name not in Configured.classes:
        known = 'import the module that defines it first'
        raise CheckpointError(f"{folder}: there is no class '{str(name)[:40]}'; {known}")
    if not issubclass(Configured.classes[name], cls):
        raise CheckpointError(f'{folder} holds a {name}, not a {cls.__name__}')


def _file_shapes(path):
    "`{name: shape}` of the tensors in a file. Raises `CheckpointError`"
    try:
        with safe_open(path, 'pt') as f:
            return {name: f.get_slice(name).get_shape() for name in f.keys()}
    except FileNotFoundError:
        raise CheckpointError(f'there is no {WEIGHTS} in {path.parent}; the checkpoint is incomplete') from None
    except (SafetensorError, OSError) as e:
        raise CheckpointError(f'{path} is damaged: {str(e).splitlines()[0][:120]}') from None


def load_configured(
    cls,  # the class that it must be of
    folder,  # that `save_configured` wrote
    key: str = 'model',  # what the file calls it
):
    "The saved module in evaluation mode. Raises `CheckpointError` in one line for anything missing, damaged or foreign"
    folder = Path(check_type(folder, (str, os.PathLike), 'the folder of a saved model'))
    if not folder.is_dir():
        raise CheckpointError(f'there is no folder {folder}; save a model there with `save_pretrained`')
    config = _read_config(folder, cls, key)
    _check_class(folder, config, cls)
    found = _file_shapes(folder / WEIGHTS)
    try:
        wanted = _shapes(config, len(found))
        odd = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
        if odd:
            raise ValueError(f"{WEIGHTS} does not fit {CONFIG} ('{odd[0][:60]}')")
        module = build(config)
        module.load_state_dict(load_file(folder / WEIGHTS))
    except Exception as e:  # arguments out of a file can break any part that is built with them
        said = (str(e).splitlines() or [''])[0][:120] or type(e).__name__
        raise CheckpointError(f'{folder} is damaged: {said}') from None
    return module.eval()
