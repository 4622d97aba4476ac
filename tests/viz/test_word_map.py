"Maps: the plane of the largest variance, and names that do not touch."

import math

import pytest
import torch
import torch.nn.functional as F

from support.html_tags import check_view
from visual_token_diffusion.viz.word_map import map_view, word_map


def gen():
    return torch.Generator().manual_seed(0)


def test_maps():
    f = torch.randn(60, 5, generator=gen()) * torch.tensor([3.0, 2, 1, 0.5, 0.1])
    xy = word_map(f)
    x = F.normalize(f.double(), dim=1)
    x = x - x.mean(0)
    directions = torch.linalg.svd(x)[2][:2]
    for k in range(2):
        cosine = F.cosine_similarity(xy[:, k].double(), x @ directions[k], dim=0)
        assert abs(cosine.abs() - 1) < 1e-6
    assert word_map(torch.ones(3, 1)).shape == (3, 2)
    assert word_map(torch.zeros(4, 3)).isfinite().all()
    infinite = torch.full((2, 2), math.inf)
    for bad in ('x', torch.zeros(3), torch.zeros(0, 3), infinite):
        with pytest.raises(ValueError):
            word_map(bad)


class Words:
    "As little of a vocabulary as a map needs"

    unk, tokens = None, [f'w{i}' for i in range(100)]
    index = {token: i for i, token in enumerate(tokens)}

    def label(self, i):
        return self.tokens[i]

    def encode(self, text):
        return [self.index[text]]


def test_windows():
    xy = word_map(torch.randn(100, 5, generator=gen()))
    categories = {f'w{i}': 'odd' if i % 2 else 'even <b>' for i in range(100)}
    whole = map_view(xy, Words(), categories=categories)
    check_view(whole.html)
    assert whole.text.startswith('100 of 100 words') and whole.html.count('<g transform') == 100
    near = map_view(xy, Words(), find='w7', magnification=1000)
    assert near.text.startswith('1 of 100 words') and '"w7" is in the middle' in near.text
    few = map_view(xy, Words(), n_max=10)
    assert '10 of them drawn' in few.text and few.html.count('<g transform') == 10
    odd = map_view(xy, Words(), categories=categories, only='odd')
    assert odd.html.count('opacity="0.25"') == 50
    for bad in (dict(find='x'), dict(magnification=0.5), dict(categories=categories, only='x')):
        with pytest.raises(ValueError) as e:
            map_view(xy, Words(), **bad)
        assert '\n' not in str(e.value)


def test_named_words_show_their_pictures():
    xy = word_map(torch.randn(100, 5, generator=gen()))
    categories = {f'w{i}': 'odd' if i % 2 else 'even' for i in range(100)}

    def uris(ids):
        return [f'data:image/png,w{i}' for i in ids]

    whole = map_view(xy, Words(), uris=uris)
    check_view(whole.html)
    assert 0 < whole.html.count('<image ') == whole.html.count('<text ') < 100
    odd = map_view(xy, Words(), categories=categories, only='odd', uris=uris)
    shown = [i for i in range(100) if f'href="data:image/png,w{i}"' in odd.html]
    assert shown and all(i % 2 for i in shown)
    assert 'r="18"' in map_view(xy, Words(), find='w7', uris=uris).html
