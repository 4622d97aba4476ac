"Codebooks: every token is counted, and codes that no token has are shown too."

import itertools

import pytest
import torch

from support.html_tags import check_view
from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.encoders.dct import DCTEncoder
from visual_token_diffusion.viz.album import Album
from visual_token_diffusion.viz.codebook_view import codebook_view


def test_codebooks_count_every_token(album):
    sizes, codes = album.encoder.sizes, album.encoder.codes
    capacity = album.encoder.table.capacity
    for i in (0, 7, len(codes) - 1):
        view = codebook_view(album, *codes[i].tolist())
        check_view(view.html)
        assert f'the picture of "{album.label(i)}"' in view.text
        assert f'{capacity-len(codes):,} are unassigned' in view.text
    used = {tuple(row) for row in codes.tolist()}
    every = itertools.product(*map(range, sizes))
    free = next(triple for triple in every if triple not in used)
    assert ': unassigned;' in codebook_view(album, *free).text
    with pytest.raises(ValueError, match='should lie in'):
        codebook_view(album, sizes[0])
    counts = torch.zeros(len(codes))
    counts[3] = 9
    n_pairs = sizes[0] * sizes[1]
    assert f'{n_pairs-1} of {n_pairs} pairs' in codebook_view(album, 0, 0, 0, counts).text


def test_an_encoder_without_codes_is_refused(album):
    class Waves:
        vocab = album.vocab
        encoder = DCTEncoder(torch.randn(300, 8, generator=torch.Generator().manual_seed(0)))

    with pytest.raises(CombinationError, match='three codes'):
        codebook_view(Album(Waves()))
