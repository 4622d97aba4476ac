"Sentences in files: they come back exactly, or are refused in one line."

import pytest
import torch
from PIL import Image

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.viz.png import load_sentence, save_sentence
from visual_token_diffusion.viz.png_bytes import NotOurPicture


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope='module')
def encoder():
    return SemanticVisualEncoder(random_codes(500, 3, 8, gen()), 8)


@pytest.mark.parametrize('n', [1, 7, 100, 1000])
def test_png_keeps_every_bit(encoder, n, tmp_path):
    x = encoder(torch.randint(0, 500, (n,), generator=gen(n)))
    save_sentence(tmp_path / 'a.png', x, dict(fingerprint='ab'))
    y, meta = load_sentence(tmp_path / 'a.png', size=8)
    assert torch.equal(x, y) and meta['fingerprint'] == 'ab'
    bare = Image.open(tmp_path / 'a.png').convert('RGB')
    bare.save(tmp_path / 'bare.png')  # the chunk is lost, the pixels are not
    y, meta = load_sentence(tmp_path / 'bare.png', size=8)
    assert torch.equal(x, y) and 'fingerprint' not in meta


def test_foreign_pictures_are_refused(encoder, tmp_path):
    save_sentence(tmp_path / 'a.png', encoder(torch.arange(20)), {})
    im = Image.open(tmp_path / 'a.png').convert('RGB')
    im.resize((im.width * 2 - 3, im.height * 2 - 3)).save(tmp_path / 'scaled.png')
    im.rotate(5).save(tmp_path / 'turned.png')
    Image.effect_noise((96, 96), 60).convert('RGB').save(tmp_path / 'noise.png')
    (tmp_path / 'cut.png').write_bytes((tmp_path / 'a.png').read_bytes()[:300])
    (tmp_path / 'text.png').write_text('hello')
    for name in ('scaled', 'turned', 'noise', 'cut', 'text', 'none'):
        with pytest.raises((NotOurPicture, OSError)) as e:
            load_sentence(tmp_path / f'{name}.png', size=8)
        assert '\n' not in str(e.value)


def test_what_cannot_be_saved(encoder, tmp_path):
    x = encoder(torch.arange(4))
    for bad, why in (
        (lambda f: save_sentence(f, x[:0]), 'no grids'),
        (lambda f: save_sentence(f, x + 1e-3), 'whole 255ths'),
        (lambda f: save_sentence(f, x, dict(grid=8)), "may not hold 'grid'"),
        (lambda f: save_sentence(f, x, dict(a=object())), 'as JSON'),
        (lambda f: save_sentence(f, x, gap=0), 'gap of at least 1'),
        (lambda f: save_sentence(f / 'no' / 'x.png', x), 'cannot write'),
    ):
        with pytest.raises(ValueError, match=why) as e:
            bad(tmp_path / 'x.png')
        assert '\n' not in str(e.value)
    assert not list(tmp_path.iterdir())
