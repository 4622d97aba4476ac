"""Atomic writing for everything here that ends in a file: what goes wrong is said in one line."""

import os
from contextlib import contextmanager
from pathlib import Path

from visual_token_diffusion.core.errors import CallError, SaveError
from visual_token_diffusion.core.files import replacing
from visual_token_diffusion.core.given import check_type

__all__ = ['checked_ending', 'saving']


def checked_ending(
    path,  # of a file to be written
    ending: str,  # '.png'
) -> Path:
    "The path, if it ends as its format does. Raises `CallError`"
    path = Path(check_type(path, (str, os.PathLike), f'the path of a {ending} file to write'))
    if path.suffix.lower() == ending:
        return path
    reason = ', as no other format brings the pixels back exactly' if ending == '.png' else ''
    raise CallError(f"'{path}' should end in {ending}{reason}")


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
