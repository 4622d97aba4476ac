"Atomic writing for everything here that ends in a file: what goes wrong is said in one line."

from contextlib import contextmanager

from visual_token_diffusion.core.errors import SaveError
from visual_token_diffusion.core.files import replacing

__all__ = ['saving']


@contextmanager
def saving(
    path,  # file to be written
):
    "As `core.files.replacing`, but raises `SaveError` for what the file system refuses"
    try:
        with replacing(path) as temporary:
            yield temporary
    except OSError as e:
        raise SaveError(f"cannot write {path}: {e.strerror or e}") from None
