"""Worlds by name: scenes with one object or two, emoji, the stories' language, any text file."""

from functools import lru_cache
from pathlib import Path

import torch

from ...core.errors import DataError, InputError
from ...text.corpus import read_text
from ...worlds.captions import World
from ...worlds.stories import stories, story_text

__all__ = ['TextWorld', 'WORLDS', 'check_world', 'world_of']

WORLDS = {
    'tw-288': 'scenes with one object: 288, all listed',
    'tw-2': 'scenes with two objects and relations',
    'emoji': 'emoji with their names (needs the extra `emoji`)',
    'stories': 'the language of 192 words whose probabilities are known',
    'toy': 'sixty-four sequences with their probabilities',
}


class TextWorld:
    "A text, and its grammar where it has one"

    def __init__(self, path=None):
        self.path = path
        self.name = Path(path).stem if path else 'stories'
        self.grammar = None if path else stories()
        self._text = read_text([path]) if path else None
        if path and len(self._text) < 2000:
            raise DataError(f'{path} has {len(self._text)} characters; a comparison needs 2,000 at least')

    def text(self, sentences, seed=0):
        "The file's text, or `sentences` lines of stories"
        if self._text is not None:
            return self._text[: 60 * sentences]
        return story_text(sentences, torch.Generator().manual_seed(seed))


def check_world(comparison, name):
    "Refuse a world that a seam does not take. Raises `InputError`"
    if name in comparison.worlds:
        return
    takes_text = 'text' in comparison.worlds
    if name not in WORLDS and takes_text and Path(name).is_file():
        return
    listed = ', '.join(w for w in comparison.worlds if w != 'text') + (', any text file' if takes_text else '')
    if name in WORLDS:
        raise InputError(f"{comparison.seam}s are not compared in the world '{name}'; take one of: {listed}")
    if not takes_text and Path(name).is_file():
        raise InputError(f"{comparison.seam}s are not compared on a text such as '{name}'; take one of: {listed}")
    raise InputError(f"there is no world or text file '{name}'; take one of: {listed}")


@lru_cache(maxsize=4)
def world_of(name):
    "The world of a name, or of a text file. Raises `DataError`"
    if name in ('tw-288', 'tw-2'):
        return World(1 if name == 'tw-288' else 2)
    if name == 'emoji':
        from ...worlds.emoji import EmojiWorld

        return EmojiWorld(24)
    if name == 'toy':
        from ...metrics.toy import Toy

        return Toy()
    return TextWorld(None if name == 'stories' else name)
