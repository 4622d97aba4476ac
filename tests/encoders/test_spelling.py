"Words rendered letter by letter, against slow and obvious references."

import itertools
import random

import pytest
import torch

from support.strange_words import random_words
from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.encoders.spelling import SpellingRenderer, join_pieces, render_text, text_pieces
from visual_token_diffusion.encoders.symbols import N_ATOMS, atoms, check_bits
from visual_token_diffusion.text.vocab import UnknownToken, make_vocab


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def language(size, V=60, seed=0):
    return SemanticVisualEncoder.fit(torch.randn(V, 5, generator=gen(seed)), size)


@pytest.mark.parametrize('size', [8, 16])
def test_rendering_against_a_reference(size):
    "Pixel by pixel, from the words of the page"
    e = language(size)
    renderer, k = SpellingRenderer(e), size // 4
    rows = torch.randint(0, N_ATOMS, (3, size), generator=gen(3))
    codes = torch.randint(0, e.sizes[0], (3, 2), generator=gen(4))
    got = (renderer.render(rows, codes) * 255).round().long()
    for b in range(3):
        sign = 1 - 2 * check_bits(rows)[b]
        for c, y, x in itertools.product(range(3), range(size), range(size)):
            figure = e.structure[codes[b, 0], y // k, x // k].item()
            base = (e.colour[codes[b, 1], figure, c].item() + 128) // 2
            slot = (y // k) * k + x // 4
            t = atoms()[rows[b, slot], c, y % 2, x % 4].item() * sign[slot].item()
            assert got[b, c, y, x] == base + renderer.strength * t
    assert 0 <= got.min() and got.max() <= 255


def without_means(x):
    "Grids minus the means of their blocks of 2x2 pixels"
    means = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).mean((3, 5))
    return x - means.repeat_interleave(2, 2).repeat_interleave(2, 3)


@pytest.mark.parametrize('delta', [1, 30, 31, 60])
@pytest.mark.parametrize('size', [8, 16])
def test_a_token_and_a_spelled_picture_are_apart(size, delta):
    table = CodeTable(torch.cartesian_prod(*[torch.arange(5)] * 3), 5)
    e = SemanticVisualEncoder(table, size, delta)
    s, tokens = SpellingRenderer(e), e(torch.arange(125))
    rows = torch.randint(0, N_ATOMS, (300, size), generator=gen())
    x = s.render(rows, torch.randint(0, 5, (300, 2), generator=gen(1)))
    assert 0 <= x.min() and x.max() <= 1 and s.token_margin > 0
    distance = torch.cdist(x.flatten(1).double(), tokens.flatten(1).double())
    assert distance.min() >= s.token_margin
    assert torch.allclose(without_means(x).abs(), torch.tensor(s.strength / 255))
    assert torch.allclose(without_means(tokens).abs(), torch.tensor(delta / 255), atol=1e-6)


def test_ten_thousand_strings_as_texts():
    "A hundred texts of a hundred strings each: units, blanks, tokens and all"
    vocab = make_vocab('words', 'the brave princess finds a lamp .\nthe owl sleeps , and the cat sees it !')
    words = random_words(10_000, 2)
    rng = random.Random(3)
    known = [t for t in vocab.tokens if t.isalpha()]
    blanks = ['', ' ', '  ', '\n', '\n\n', ' \n', '\t']
    for k in range(100):
        parts = []
        for w in words[100 * k : 100 * k + 100]:
            parts += [w, rng.choice(blanks), rng.choice(['', rng.choice(known) + ' '])]
        text = ''.join(parts)
        assert join_pieces(vocab, text_pieces(vocab, text)) == text


def test_known_words_are_rendered_as_tokens():
    vocab = make_vocab('words', 'the cat sees a dog')
    e = language(8, len(vocab))
    grids, labels = render_text(e, vocab, 'the dog sees a cat')
    assert torch.equal(grids, e(torch.tensor(vocab.encode('the dog sees a cat'))))
    assert labels == ['the', 'dog', 'sees', 'a', 'cat']
    assert len(render_text(e, vocab, '')[0]) == 0


def test_small_grids_refuse_in_one_line():
    vocab = make_vocab('words', 'the cat sleeps')
    e = SemanticVisualEncoder.fit(torch.randn(len(vocab), 3, generator=gen()), 4)
    assert len(render_text(e, vocab, 'the cat')[0]) == 2
    with pytest.raises(UnknownToken, match="'zebra'"):
        render_text(e, vocab, 'the zebra')
    with pytest.raises(ValueError, match='use 8 or 16'):
        SpellingRenderer(e)
