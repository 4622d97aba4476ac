"Emoji: one entry per concept, splits that share none, readable errors, and a library that works without them."

import pytest
import torch

from visual_token_diffusion.worlds.emoji import EmojiWorld, _roots
from visual_token_diffusion.worlds.emoji_categories import CATEGORIES, _NAMES, _STARTS, category
from visual_token_diffusion.worlds.emoji_font import EmojiFont
from visual_token_diffusion.worlds.emoji_names import FOLDS, LANGUAGES, clean_name, concepts, emoji_names as names_in
from visual_token_diffusion.worlds.emoji_oracle import is_flat, look_alikes, read_nearest


@pytest.fixture(scope='module')
def world():
    return EmojiWorld(16)


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
    assert world.draw([5, 7], 33).shape == (2, 3, 33, 33)
    assert world.draw([]).shape == (0, 3, 16, 16)
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
    everyone = EmojiWorld(16, fold=False, least_distance=0)
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


def test_nothing_touches_the_network(monkeypatch):
    import socket

    def refuse(*args, **kwargs):
        raise AssertionError('the network')
    monkeypatch.setattr(socket, 'socket', refuse)
    monkeypatch.setattr(socket, 'create_connection', refuse)
    world = EmojiWorld(10, 'ja', fold=('skin',), least_distance=0)
    assert world.draw(range(20)).shape == (20, 3, 10, 10)


def test_names_are_cleaned():
    assert clean_name(':red_apple:') == 'red apple'
    assert clean_name('Ä') == 'Ä'
    assert len(clean_name('e\u0301')) == 1


def test_no_other_name_differs_from_one_in_capitals_only():
    for concept in concepts(()):
        names = [name.lower() for name in (concept.name, *concept.aliases)]
        assert len(set(names)) == len(names), names
