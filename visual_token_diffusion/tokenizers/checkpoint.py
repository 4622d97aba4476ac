"A folder that holds a tokenizer of pictures whole; any of the library's own classes and quantizers may be in it."

from ..core.configured_files import load_configured, save_configured
from ..core.registry import seam_base

__all__ = ['load_tokenizer', 'save_tokenizer']


def _known():
    "Have all classes imported that a file may name"
    seam_base('quantizer').load()
    seam_base('tokenizer').load()


def save_tokenizer(
    tokenizer,  # an `ImageTokenizer`
    folder,  # made if needed
):
    "Write `config.json` and `model.safetensors`; teachers are for training and stay behind. Raises `CheckpointError`"
    _known()
    save_configured(tokenizer, folder, 'tokenizer')


def load_tokenizer(
    cls,  # the class it must be of, such as `ImageTokenizer`
    folder,  # that `save_tokenizer` wrote
):
    "A saved tokenizer in evaluation mode. Raises `CheckpointError` for anything missing, damaged or foreign"
    _known()
    return load_configured(cls, folder, 'tokenizer')
