"Codes, grids, files and back."

import math
import pytest, torch
from PIL import Image
from visual_token_diffusion.codebooks.balanced_kmeans import balanced_codes
from visual_token_diffusion.codebooks.base import smallest_codebook
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.codebooks.table import usage
from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.viz.png import load_sentence, save_sentence
from visual_token_diffusion.viz.png_bytes import NotOurPicture

gen = lambda s=0: torch.Generator().manual_seed(s)


@pytest.mark.parametrize('V', [2, 3, 192, 1000, 10_000])
@pytest.mark.parametrize('how', ['random', 'balanced'])
def test_every_token_has_its_own_tuple(V, how):
    K = max(2, smallest_codebook(V))
    codes = (
        random_codes(V, 3, K, gen())
        if how == 'random'
        else balanced_codes(torch.randn(V, 8, generator=gen()), 3, K)
    )
    assert codes.shape == (V, 3) and codes.min() >= 0 and codes.max() < K
    assert len(codes.unique(dim=0)) == V


def test_balanced_codes_follow_the_features():
    "Two far clusters: their tokens differ in the first code more often than tokens of one cluster"
    x = torch.randn(200, 8, generator=gen())
    x[100:] += 20
    c = balanced_codes(x, 3, 6)[:, 0]
    assert not set(c[:100].tolist()) & set(c[100:].tolist())


@pytest.mark.parametrize('G', [8, 16])
@pytest.mark.parametrize('V', [5, 192, 3000])
def test_grids_read_back_exactly(V, G):
    K = max(2, smallest_codebook(V))
    enc = SemanticVisualEncoder(random_codes(V, 3, K, gen(V)), K, G)
    x = enc(torch.arange(V))
    assert x.shape == (V, 3, G, G) and x.min() >= 0 and x.max() <= 1
    assert torch.equal((x * 255).round() / 255, x), 'grids are 8-bit exact'
    ids, d = NearestDecoder(enc).decode(x)
    assert torch.equal(ids, torch.arange(V)) and d.max() < 1e-3
    pairs = torch.cdist(x.flatten(1).double(), x.flatten(1).double()).fill_diagonal_(math.inf)
    assert enc.margin() <= pairs.min() + 1e-4, 'the margin never promises too much'


@pytest.mark.parametrize('n', [1, 7, 100, 1000])
def test_png_keeps_every_bit(n, tmp_path):
    enc = SemanticVisualEncoder(random_codes(500, 3, 8, gen()), 8, 8)
    x = enc(torch.randint(0, 500, (n,), generator=gen(n)))
    save_sentence(tmp_path / 'a.png', x, dict(fingerprint='ab'))
    y, meta = load_sentence(tmp_path / 'a.png', G=8)
    assert torch.equal(x, y) and meta['fingerprint'] == 'ab'
    Image.open(tmp_path / 'a.png').convert('RGB').save(
        tmp_path / 'bare.png'
    )  # the chunk is lost, the pixels are not
    y, meta = load_sentence(tmp_path / 'bare.png', G=8)
    assert torch.equal(x, y) and 'fingerprint' not in meta


def test_foreign_pictures_are_refused(tmp_path):
    enc = SemanticVisualEncoder(random_codes(500, 3, 8, gen()), 8, 8)
    save_sentence(tmp_path / 'a.png', enc(torch.arange(20)), {})
    im = Image.open(tmp_path / 'a.png').convert('RGB')
    im.resize((im.width * 2 - 3, im.height * 2 - 3)).save(tmp_path / 'scaled.png')
    im.rotate(5).save(tmp_path / 'turned.png')
    Image.effect_noise((96, 96), 60).convert('RGB').save(tmp_path / 'noise.png')
    (tmp_path / 'cut.png').write_bytes((tmp_path / 'a.png').read_bytes()[:300])
    (tmp_path / 'text.png').write_text('hello')
    for f in ('scaled', 'turned', 'noise', 'cut', 'text', 'none'):
        with pytest.raises((NotOurPicture, OSError)) as e:
            load_sentence(tmp_path / f'{f}.png', G=8)
        assert '\n' not in str(e.value)


def test_usage():
    codes = torch.tensor([[0, 0, 0], [0, 1, 0], [0, 2, 0]])
    u = usage(codes, 3)
    assert u.counts.tolist() == [[3, 0, 0], [1, 1, 1], [3, 0, 0]]
    assert torch.allclose(u.perplexity, torch.tensor([1.0, 3.0, 1.0], dtype=u.perplexity.dtype))
