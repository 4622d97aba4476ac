"Grids of 192 and of 49,408 tokens, margins and spelled words are those of before the packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.codebooks.balanced_kmeans import balanced_codes
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.encoders import consistency
from visual_token_diffusion.encoders.corruptions import CORRUPTIONS, jpeg_like, keep_scales, mixture, scale_noise
from visual_token_diffusion.encoders.dct import DCTEncoder, components, dct_basis
from visual_token_diffusion.encoders.pyramid import PyramidEncoder, laplacian_pyramid, patterns
from visual_token_diffusion.encoders.robust import RobustEncoder, sphere_bound
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.encoders.spelling import SpellingRenderer, join_pieces, render_text, text_pieces
from visual_token_diffusion.encoders.symbols import atoms, check_bits, from_symbols, split_symbols, to_symbols
from visual_token_diffusion.encoders.visual_codebooks import layouts, palettes, textures
from visual_token_diffusion.text.vocab import make_vocab

IDS = torch.arange(192)
WORDS = ['cat', 'Wheelbarrow', 'naïve', '東京タワー', '', 'a b', 'supercalifragilistic', '\U0001f600', '42nd', "don't", '\t']


def gen(seed):
    return torch.Generator().manual_seed(seed)


def features(n=192, dim=24):
    centers = torch.randn(20, dim, generator=gen(0))[torch.randint(20, (n,), generator=gen(1))]
    return centers + 0.5 * torch.randn(n, dim, generator=gen(2))


def bytes_of(grids):
    return (grids * 255).round().byte()


def semantic():
    for size in (4, 5, 8, 16):
        encoder = SemanticVisualEncoder(balanced_codes(features()), size)
        yield f'grids of {size}', bytes_of(encoder(IDS))
        yield f'margin of {size}', encoder.margin()
    yield 'grid of 8, floats', SemanticVisualEncoder(balanced_codes(features()), 8, delta=20)(IDS[:3])
    yield 'layouts', torch.cat([layouts(6), layouts(37)])
    yield 'mirrored layouts', layouts(20, 5, True)
    yield 'palettes', torch.cat([palettes(6), palettes(37), palettes(12, 20)])
    some = textures(6, 4), textures(8, 5), textures(37, 8), textures(37, 16)
    yield 'textures', torch.cat([texture.flatten() for texture in some])
    large = SemanticVisualEncoder(random_codes(49408, 3, 37, gen(7)), 8)
    yield '49,408 grids', bytes_of(torch.cat([large(ids) for ids in torch.arange(49408).split(8192)]))
    yield '49,408, margin', large.margin()


def others():
    pyramid = PyramidEncoder.fit(features(), (5, 6, 8))
    yield 'pyramid: codes', pyramid.codes
    yield 'pyramid: grids', bytes_of(pyramid(IDS))
    yield 'pyramid: coarse', bytes_of(pyramid.render(pyramid.codes[:, :2]))
    yield 'pyramid: margin', pyramid.margin()
    yield 'pyramid: patterns', torch.cat([patterns(9, side, side == 4).flatten() for side in (4, 8)])
    yield 'pyramid: bands', torch.cat([band.flatten() for band in laplacian_pyramid(pyramid(IDS[:4]))])
    dct = DCTEncoder(features(), 8, gain=1.5, identity=0.3, seed=4)
    yield 'dct: grids', dct(IDS)  # rounded to whole 255ths, so that a last bit may decide one
    yield 'dct: all components', DCTEncoder(features(192, 200), 4)(IDS)
    yield 'dct: margin', dct.margin()
    yield 'dct: basis', dct_basis(4)
    yield 'dct: spread', components(features(), 6).square().sum(0)
    robust = RobustEncoder(balanced_codes(features()), generator=gen(5))
    yield 'robust: grids', robust(IDS).detach()
    free = RobustEncoder(balanced_codes(features()), 16, named=False, generator=gen(5))
    yield 'robust: free', free(IDS).detach()
    yield 'sphere bound', [sphere_bound(n, s) for n, s in ((192, 0.5), (49408, 0.5), (49408, 1.0))]


def treated():
    grids = SemanticVisualEncoder(balanced_codes(features()), 8)(IDS[:48])
    for name, corrupt in CORRUPTIONS.items():
        yield name, corrupt(grids, gen(6))
    yield 'like jpeg', jpeg_like(grids)
    yield 'mixture', mixture(grids, gen(7))
    large = PyramidEncoder.fit(features(), (5, 6, 8))(IDS[:16])
    yield 'two scales', keep_scales(2)(large)
    yield 'random scales', keep_scales(None)(large, gen(8))
    yield 'noise by scale', scale_noise((0.1, 0.2, 0.3))(large, gen(9))
    rows = features()[:48]
    for name in ('raw_cosine_loss', 'correlation_loss', 'cka_loss'):
        yield name, getattr(consistency, name)(grids, rows)
    yield 'margin_loss', consistency.margin_loss(grids, 3.0)
    yield 'contrastive_loss', consistency.contrastive_loss(rows[:, :8], rows[:, 8:16])


def spelled():
    table = balanced_codes(features())
    for size in (8, 16):
        renderer = SpellingRenderer(SemanticVisualEncoder(table, size))
        grids, sizes = renderer.spell(WORDS, table.codes[: len(WORDS), :2])
        yield f'grids of {size}', bytes_of(grids)
        yield f'sizes of {size}', sizes
        yield f'distances of {size}', [renderer.margin, renderer.token_margin]
    symbols = [to_symbols(word) for word in WORDS]
    yield 'symbols', sum(symbols, [])
    yield 'words', [from_symbols(s) for s in symbols]
    rows = torch.tensor([row for s in symbols for row in split_symbols(s, 8)])
    yield 'rows', torch.cat([rows, check_bits(rows)], 1)
    yield 'atoms', atoms()
    text = 'The cat, and\n\nthe  dog: 2 quuxes… say «no».\n'
    for kind in ('words', 'letters'):
        vocab = make_vocab(kind, 'the cat and the dog say no .\n' * 3)
        encoder = SemanticVisualEncoder(random_codes(len(vocab), 3, 4, gen(3)), 8)
        grids, labels = render_text(encoder, vocab, text)
        yield f'{kind}: text in grids', bytes_of(grids)
        yield f'{kind}: labels', labels
        yield f'{kind}: pieces', text_pieces(vocab, text)
        yield f'{kind}: joined', join_pieces(vocab, text_pieces(vocab, text))


def test_semantic_grids():
    hold('encoders: semantic', semantic())


def test_other_encoders():
    hold('encoders: others', others(), rtol=1e-5)


def test_corruptions_and_losses():
    hold('encoders: treated', treated(), rtol=1e-4)


def test_spelled_words():
    hold('encoders: spelled', spelled())
