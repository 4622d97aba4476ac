"""Writing that is never seen half done: into a temporary file beside the target, then renamed."""

import json
import os
import secrets
from contextlib import contextmanager
from pathlib import Path

__all__ = ['read_json_file', 'replacing', 'write_bytes_atomically', 'write_json_atomically', 'write_text_atomically']


@contextmanager
def replacing(
    path,  # file to be written
):
    "Yields a temporary path in the same folder, renamed to `path` when the block ends and removed when it fails"
    path = Path(path)
    temporary = path.parent / f'.{path.name}-{secrets.token_hex(4)}.tmp'
    try:  # a signal may come as soon as the file is there
        temporary.touch(exist_ok=False)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask():
    "The mask of this process, which can only be read by setting it"
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_bytes_atomically(path, data):
    "Write `data` to `path` by renaming a complete file"
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text_atomically(path, text):
    "Write `text` as UTF-8 to `path` by renaming a complete file"
    write_bytes_atomically(path, text.encode('utf-8'))


def write_json_atomically(path, value, **kwargs):
    "Write `value` as JSON to `path` by renaming a complete file; keywords as for `json.dumps`"
    write_text_atomically(path, json.dumps(value, **kwargs) + '\n')


def read_json_file(
    path,  # of a file
    most: int = 2**28,  # bytes that are read
):
    "What a JSON file holds. Raises `OSError` or `ValueError`, also for one that is too large or nested too deeply"
    with open(path, 'rb') as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f'{path} has more than {most:,} bytes')
    try:
        return json.loads(data.decode('utf-8'))
    except RecursionError:
        raise ValueError(f'{path} is nested too deeply') from None
