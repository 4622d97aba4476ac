"A JSON file that somebody else wrote: not too large, not too deep."

import json

import pytest
from support.fuzz_kinds import tiny_model

from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.core.files import read_json_file
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM


def test_what_is_read_and_what_is_not(tmp_path):
    path = tmp_path / 'x.json'
    path.write_text(json.dumps(dict(a='é')), encoding='utf-8')
    assert read_json_file(path) == dict(a='é')
    for text, said in (('[' * 100_000, 'nested too deeply'), ('[1, 2, 3]', 'more than 8 bytes'), ('{', 'Expecting')):
        path.write_text(text)
        with pytest.raises(ValueError, match=said):
            read_json_file(path, 8 if '1' in text else 2**28)
    with pytest.raises(FileNotFoundError):
        read_json_file(tmp_path / 'nowhere.json')


def test_a_config_that_swells_is_not_read_whole(tmp_path):
    "A file of half a gigabyte that takes no room on the disk"
    tiny_model('words', 0).save_pretrained(tmp_path)
    with open(tmp_path / 'config.json', 'r+b') as file:
        file.truncate(2**29)
    with pytest.raises(CheckpointError, match='cannot be read as JSON; the checkpoint is damaged'):
        VisualTokenLM.from_pretrained(tmp_path)
