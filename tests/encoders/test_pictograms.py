"Pictograms: orthogonal rings, the margin, icons that travel with a checkpoint, and what is refused."

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.parts import gen

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.codebooks.table import CodeTable, node_codes
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.encoders import icon_choice
from visual_token_diffusion.encoders.pictograms import PictogramEncoder, hadamard, ring_mask, ring_patterns
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.worlds.icons import draw_icon
from visual_token_diffusion.worlds.stories import story_text

WORDS = ['the', 'cat', 'cats', 'sleeps', 'house', 'of', 'king', 'red']


def encoder(size=16, words=WORDS):
    return PictogramEncoder.build(random_codes(len(words), 3, 4, generator=gen()), size, None, words)


@pytest.mark.parametrize('size', [8, 16, 32])
def test_ring_patterns_are_orthogonal_or_opposite_and_without_a_mean(size):
    patterns = ring_patterns(size)
    n = 4 * size - 4
    assert patterns.shape == (2 * n - 2, n) and ring_mask(size).sum() == n
    assert (patterns.sum(1) == 0).all()
    products = (patterns @ patterns.T).abs()
    assert set(products.unique().tolist()) == {0, n}
    assert len(patterns.unique(dim=0)) == len(patterns)


def test_where_no_construction_fits_it_says_so():
    with pytest.raises(ValueError, match='92'):
        hadamard(92)


@pytest.mark.parametrize('size', [8, 16, 32])
def test_the_margin_is_that_of_two_tuples_that_differ_in_one_code(size):
    table = CodeTable(node_codes(torch.arange(5**3), (5,) * 3), 5)
    plain = PictogramEncoder(table, size)
    grids = plain(torch.arange(125)).flatten(1).double()
    closest = torch.cdist(grids, grids).fill_diagonal_(torch.inf).min().item()
    assert abs(closest - plain.margin()) < 1e-6
    assert plain.margin() == pytest.approx((2 * (4 * size - 4)) ** 0.5 / 3)


def test_words_show_their_icons_and_words_without_one_a_tile():
    pictograms = encoder()
    assert (pictograms.icon_of[[0, 5]] == -1).all()
    assert (pictograms.icon_of[[1, 2, 3, 4, 6, 7]] >= 0).all()
    assert pictograms.icon_of[1] == pictograms.icon_of[2]
    inside = pictograms(torch.tensor([1]))[0, :, 1:-1, 1:-1]
    torch.testing.assert_close(inside, (draw_icon('cat', 14) * 255).round() / 255)
    tile = pictograms.tile(pictograms.codes[:1])[0].float() / 255
    torch.testing.assert_close(pictograms(torch.tensor([0]))[0, :, 1:-1, 1:-1], tile)


def test_render_of_a_tuple_that_no_token_has_shows_a_tile():
    pictograms = encoder()
    free = (pictograms.table.inverse < 0).nonzero()[:3]
    grids = pictograms.render(free)
    assert torch.equal(grids, pictograms.compose(free, torch.full((3,), -1)))


def test_render_takes_icons_of_tokens_by_any_shape():
    pictograms = encoder()
    codes = pictograms.codes[torch.tensor([[0, 1], [2, 3]])]
    assert torch.equal(pictograms.render(codes), pictograms(torch.tensor([[0, 1], [2, 3]])))


def model(tmp_path, seed=0):
    text = story_text(60, torch.Generator().manual_seed(seed))
    vocab = make_vocab('words', text)
    small = ['width=16', 'heads=1', 'depth=1', 'length=8', 'feature_dim=8', 'encoder=pictograms', 'grid=16']
    made = build_model(vocab, torch.tensor(vocab.encode(text)), load_settings('ci', small)).eval()
    made.save_pretrained(tmp_path)
    return made


def test_a_checkpoint_brings_its_icons_and_needs_nothing_to_draw_them(tmp_path, monkeypatch):
    made = model(tmp_path)
    assert len(made.encoder.icons) > 50

    def never(*args, **kwargs):
        raise AssertionError('icons are chosen when a model is made, not when it is loaded')

    monkeypatch.setattr(icon_choice, 'choose_icons', never)
    monkeypatch.setattr('visual_token_diffusion.encoders.pictograms.choose_icons', never)
    again = VisualTokenLM.from_pretrained(tmp_path)
    ids = torch.arange(len(made.vocab))
    assert again.fingerprint == made.fingerprint and torch.equal(again.encoder(ids), made.encoder(ids))
    assert again.decode_grids(again.encode_text('the cat')) == 'the cat'


def tampered(path, change):
    tensors = load_file(path / 'model.safetensors')
    change(tensors)
    save_file({k: v.contiguous() for k, v in tensors.items()}, path / 'model.safetensors')


CHANGES = dict(
    number=lambda t: t['encoder.icon_of'].__setitem__(3, 10_000),
    negative=lambda t: t['encoder.icon_of'].__setitem__(3, -7),
    swapped=lambda t: t.update({'encoder.icon_of': t['encoder.icon_of'].flip(0)}),
    painted=lambda t: t['encoder.icons'].fill_(9),
    fewer=lambda t: t.update({'encoder.icons': t['encoder.icons'][:3]}),
    small=lambda t: t.update({'encoder.icons': t['encoder.icons'][:, :, :9]}),
    floats=lambda t: t.update({'encoder.icons': t['encoder.icons'].float()}),
    short=lambda t: t.update({'encoder.icon_of': t['encoder.icon_of'][:5]}),
    gone=lambda t: t.pop('encoder.icons'),
)


@pytest.mark.parametrize('change', CHANGES)
def test_tampered_icons_are_refused_in_one_line(change, tmp_path):
    model(tmp_path)
    tampered(tmp_path, CHANGES[change])
    with pytest.raises(CheckpointError) as e:
        VisualTokenLM.from_pretrained(tmp_path)
    assert '\n' not in str(e.value)


def test_a_config_that_says_pictograms_where_none_are_is_refused(tmp_path):
    text = story_text(60, torch.Generator().manual_seed(0))
    vocab = make_vocab('words', text)
    small = ['width=16', 'heads=1', 'depth=1', 'length=8', 'feature_dim=8', 'grid=16']
    build_model(vocab, torch.tensor(vocab.encode(text)), load_settings('ci', small)).save_pretrained(tmp_path)
    path = tmp_path / 'config.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | dict(encoder='pictograms')))
    with pytest.raises(CheckpointError) as e:
        VisualTokenLM.from_pretrained(tmp_path)
    assert '\n' not in str(e.value)


TABLE = random_codes(8, 3, 4, generator=gen())
BAD = {
    'grid=16': lambda: PictogramEncoder(TABLE, 12),
    'three codes': lambda: PictogramEncoder(random_codes(8, 2, 4, generator=gen())),
    'strength': lambda: PictogramEncoder(TABLE, strength=200),
    'spells 54 codes': lambda: PictogramEncoder(random_codes(8, 3, 60, generator=gen()), 8),
    'spells 54': lambda: PictogramEncoder.suitable_sizes(300_000, 3, 8),
    'tokens as words': lambda: PictogramEncoder.build(TABLE, 16, None, ['cat']),
    'token ids': lambda: encoder()(torch.tensor([99])),
    'icons should be bytes': lambda: PictogramEncoder(TABLE, 16, torch.zeros(2, 3, 9, 9, dtype=torch.uint8)),
}


@pytest.mark.parametrize('said', BAD)
def test_bad_input_is_one_line(said):
    with pytest.raises(ValueError, match=said) as e:
        BAD[said]()
    assert '\n' not in str(e.value)


def test_one_token_alone_has_an_infinite_margin():
    assert PictogramEncoder(CodeTable(torch.zeros(1, 3, dtype=torch.long), 1)).margin() == float('inf')
