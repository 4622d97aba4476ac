"What a folder holds that is no language model: a unified model, a tokenizer of pictures, or a part of them."

from pathlib import Path

from .files import read_json_file

__all__ = ['other_model']

_LOADERS = dict(  # what is saved -> module and class that load it
    unified='models.unified.model:UnifiedModel', tokenizer='tokenizers.base:ImageTokenizer', BLT='models.blt:BLT',
)


def _read_config(folder):
    "The object in a folder's `config.json`; empty where there is none"
    try:
        config = read_json_file(Path(folder) / 'config.json', 2**24)
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _class_name(recipe):
    "The class that a recipe of `core.configured` names, or None"
    name = recipe.get('class') if isinstance(recipe, dict) else None
    return name if isinstance(name, str) and name.isidentifier() and len(name) < 80 else None


def _how(kept, folder):
    "How a folder is loaded, in words"
    module, name = _LOADERS[kept].split(':')
    return f"in Python, visual_token_diffusion.{module}.{name}.from_pretrained('{folder}') loads it"


def other_model(
    folder,  # any
) -> tuple | None:
    "`(what it holds, how that is loaded)` for a folder of another model than those of `vtd train`, else None"
    config = _read_config(folder)
    model = config.get('model')
    if isinstance(model, dict) and 'text_objective' in model:
        return 'a unified model of words and pictures', _how('unified', folder)
    if name := _class_name(config.get('tokenizer')):
        return f'a tokenizer of pictures ({name})', _how('tokenizer', folder)
    if name := _class_name(config.get('pictures')):
        parent = Path(folder).absolute().parent
        return f'what the pictures of a unified model are made of ({name})', f'the model is {parent}'
    if _class_name(model) == 'BLT':
        return 'a byte latent transformer', _how('BLT', folder)
    return None
