"Pictograms are read by ring, by icon and by both: agreement with the slow way, noise, and a ring that is gone."

import pytest
import torch
from support.parts import gen

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.decoders.pictograms import PictogramDecoder, PictogramSearch
from visual_token_diffusion.encoders.corruptions import CORRUPTIONS
from visual_token_diffusion.encoders.pictograms import PictogramEncoder
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.worlds.icons import icon_words

WORDS = [*icon_words(), *(f'{w}s' for w in icon_words()), *(f'zz{i}' for i in range(100))]
TABLE = random_codes(len(WORDS), 3, 9, generator=gen())
ENCODER = PictogramEncoder.build(TABLE, 16, None, WORDS)
DRAWN = (ENCODER.icon_of >= 0).nonzero()[:, 0]


def some(n=400, seed=0, of=None):
    of = torch.arange(len(WORDS)) if of is None else of
    return of[torch.randint(len(of), (n,), generator=gen(seed))]


@pytest.mark.parametrize('size', [8, 16])
@pytest.mark.parametrize('sigma', [0, 0.2, 0.8])
def test_the_fast_search_agrees_with_comparing_all_grids(size, sigma):
    encoder = PictogramEncoder.build(TABLE, size, None, WORDS)
    x = encoder(some()) + sigma * torch.randn(400, 3, size, size, generator=gen(1))
    grids = encoder(torch.arange(len(WORDS))).flatten(1)
    search = PictogramSearch(encoder)
    expected = x.flatten(1) @ grids.T - grids.square().sum(1) / 2
    torch.testing.assert_close(search.scores(x), expected, rtol=1e-4, atol=1e-3)
    chosen = expected.gather(1, search.nearest(x)[:, None])[:, 0]
    torch.testing.assert_close(chosen, expected.amax(1), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize('by', ['both', 'band', 'icon'])
def test_decode_is_the_best_of_log_probs(by):
    decoder = PictogramDecoder(ENCODER, by)
    x = CORRUPTIONS['noise_5'](ENCODER(some(100)), gen(2))
    log_probs = decoder.log_probs(x)
    torch.testing.assert_close(log_probs.exp().sum(1), torch.ones(100), rtol=1e-3, atol=1e-3)
    best = log_probs.gather(1, decoder.decode(x)[:, None])[:, 0]
    torch.testing.assert_close(best, log_probs.amax(1), rtol=1e-4, atol=1e-4)


def share(by, corruption, ids, same=False):
    "Share of exact tokens, or of tokens with the same icon"
    found = PictogramDecoder(ENCODER, by).decode(corruption(ENCODER(ids), gen(3)))
    right = ENCODER.icon_of[found] == ENCODER.icon_of[ids] if same else found == ids
    return right.float().mean().item()


@pytest.mark.parametrize('kind', ['nothing', 'noise_3', 'open_3', 'mask_side', 'mask_pixels'])
def test_the_ring_survives_noise_and_a_hidden_half(kind):
    assert share('band', CORRUPTIONS[kind], some()) >= 0.99
    assert share('both', CORRUPTIONS[kind], some()) >= 0.99


def test_jpeg_takes_the_colours_of_single_pixels_and_leaves_the_icon():
    drawn = some(of=DRAWN, seed=4)
    assert share('band', CORRUPTIONS['jpeg'], drawn) < 0.5
    assert share('icon', CORRUPTIONS['jpeg'], drawn, same=True) >= 0.95


def test_two_kinds_of_evidence_are_more_than_one():
    drawn = some(of=DRAWN, seed=5)
    both, band, icon = (share(by, CORRUPTIONS['noise_5'], drawn) for by in ('both', 'band', 'icon'))
    assert both >= band - 0.005 and both > icon + 0.3
    assert share('icon', CORRUPTIONS['noise_5'], drawn, same=True) > 0.8


def without_ring(value):
    "Grids whose ring is grey, or random"

    def corrupt(grids, generator):
        fill = torch.rand(grids.shape, generator=generator) if value is None else torch.full_like(grids, value)
        return torch.where(ENCODER.ring, fill, grids)

    return corrupt


@pytest.mark.parametrize('value', [0.5, 1.0, 0.0, None])
def test_where_the_ring_is_gone_a_word_of_the_same_picture_is_read(value):
    drawn = some(of=DRAWN, seed=6)
    for by in ('both', 'icon'):
        assert share(by, without_ring(value), drawn, same=True) >= 0.99
    assert share('icon', without_ring(value), drawn) < 0.9  # which of the words cannot be known


def test_where_the_icon_is_gone_the_ring_still_says_which():
    def thumb(grids, generator):
        return torch.where(ENCODER.ring, grids, 0.3)

    assert share('both', thumb, some(seed=7)) == 1


def test_the_nearest_decoder_takes_the_fast_search():
    ids = some(seed=8)
    assert isinstance(NearestDecoder(ENCODER).search, PictogramSearch)
    found, distance = NearestDecoder(ENCODER).decode_with_distance(ENCODER(ids))
    assert torch.equal(found, ids) and distance.max() < 1e-3


def test_only_pictograms_are_read():
    with pytest.raises(CombinationError, match='encoder=pictograms') as e:
        PictogramDecoder.build(SemanticVisualEncoder(random_codes(8, 3, 4, generator=gen()), 16))
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('options,said', [(dict(by='eye'), "'eye'"), (dict(counted=0), 'count')])
def test_bad_options_are_one_line(options, said):
    with pytest.raises(ValueError, match=said) as e:
        PictogramDecoder(ENCODER, **options)
    assert '\n' not in str(e.value)
