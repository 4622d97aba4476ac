"Atomic writing: the whole file or the old one."

import json
from pathlib import Path

import pytest

from visual_token_diffusion.core.files import (
    replacing,
    write_bytes_atomically,
    write_json_atomically,
    write_text_atomically,
)


def test_files_are_written(tmp_path):
    write_bytes_atomically(tmp_path / 'a', b'x')
    write_text_atomically(tmp_path / 'b', 'ä\n')
    write_json_atomically(tmp_path / 'c', dict(x=1))
    assert (tmp_path / 'a').read_bytes() == b'x' and (tmp_path / 'b').read_bytes() == b'\xc3\xa4\n'
    assert json.loads((tmp_path / 'c').read_text()) == dict(x=1)
    assert {f.name for f in tmp_path.iterdir()} == {'a', 'b', 'c'}


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / 'a'
    path.write_text('old')
    with pytest.raises(KeyboardInterrupt):
        with replacing(path) as temporary:
            temporary.write_text('half')
            raise KeyboardInterrupt
    assert path.read_text() == 'old' and [f.name for f in tmp_path.iterdir()] == ['a']


def test_a_signal_while_the_temporary_file_is_made_leaves_none(tmp_path, monkeypatch):
    touch = Path.touch

    def interrupted(self, **options):
        touch(self, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, 'touch', interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_bytes_atomically(tmp_path / 'a', b'x')
    assert list(tmp_path.iterdir()) == []


def test_a_written_file_has_the_permissions_of_any_other(tmp_path):
    write_bytes_atomically(tmp_path / 'a', b'x')
    (tmp_path / 'b').write_bytes(b'x')
    assert (tmp_path / 'a').stat().st_mode == (tmp_path / 'b').stat().st_mode
