"TA-Tok: pooled grids, the teacher's features, the contrast with captions."

import math

import pytest
import torch

from visual_token_diffusion.quantizers.text_aligned import TextAlignedQuantizer
from visual_token_diffusion.tokenizers.tatok import TATok, pool_grid, enlarge_grid
from visual_token_diffusion.tokenizers.teacher import Teacher

WORDS = ['a', 'red', 'blue', 'circle', 'cross']


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def quantizer():
    torch.manual_seed(0)
    return TextAlignedQuantizer(8, torch.randn(5, 6, generator=gen()))


def model(**kwargs):
    torch.manual_seed(0)
    return TATok(kwargs.pop('quantizer', None) or quantizer(), size=24, patch=8, width=16, depth=1, **kwargs)


def images(n=2):
    return torch.rand(n, 3, 24, 24, generator=gen())


def test_squares_are_averaged_row_by_row():
    x = torch.randn(2, 36, 3, generator=gen())
    for pool in (1, 2, 3, 6):
        side = 6 // pool
        pooled = pool_grid(x, pool)
        for i in range(side):
            for j in range(side):
                places = [6 * (i * pool + a) + j * pool + b for a in range(pool) for b in range(pool)]
                torch.testing.assert_close(pooled[:, i * side + j], x[:, places].mean(1))
        assert torch.equal(pool_grid(x, pool), pooled) and pooled.shape == (2, side**2, 3)


def test_spreading_repeats_a_place_over_its_square():
    x = torch.arange(4.0).view(1, 4, 1)
    wanted = [0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]
    assert enlarge_grid(x, 2).flatten().tolist() == wanted


@pytest.mark.parametrize('places,pool', [(9, 2), (8, 1), (9, 0), (16, 3)])
def test_squares_that_do_not_tile_are_refused(places, pool):
    with pytest.raises(ValueError, match='do not tile'):
        pool_grid(torch.zeros(1, places, 2), pool)


def test_one_codebook_for_every_scale():
    tok = model(pools=(1, 3)).eval()
    for pool, n in ((1, 9), (3, 1)):
        codes = tok.encode(images(), pool)
        assert codes.shape == (2, n, 1) and tok.decode(codes).shape == (2, 3, 24, 24)


def test_training_draws_the_scale_and_evaluation_takes_the_first():
    tok = model(pools=(3, 1), generator=gen())
    seen = {tok(images())[1].codes.shape[1] for _ in range(20)}
    assert seen == {1, 9}
    assert tok.eval()(images())[1].codes.shape[1] == 1


def test_the_loss_of_features_is_one_less_the_mean_cosine():
    teacher = Teacher(24, width=12, depth=1)
    tok, x = model(teacher=teacher, feature_weight=0.3, std=0.5), images()
    out, quantized = tok(x)
    said, wanted = tok.to_features(tok.decoded(quantized.z)), teacher.features(x)
    cosines = [
        float(a @ b / math.sqrt((a @ a) * (b @ b)))
        for a, b in zip(said.flatten(0, 1).detach(), wanted.flatten(0, 1).detach())
    ]
    expected = 0.3 * 0.25 * (1 - sum(cosines) / len(cosines))
    assert quantized.losses['features'].item() == pytest.approx(expected, abs=1e-6)
    (out.mean() + sum(quantized.losses.values())).backward()
    assert all(p.grad is None for p in teacher.parameters())


def test_a_caption_is_the_mean_of_its_mapped_words():
    tok = model(words=WORDS)
    entries = tok.quantizer.mapped_words()
    said = tok.caption_vectors(['a red circle', 'blue blue thing'])
    torch.testing.assert_close(said[0], (entries[0] + entries[1] + entries[3]) / 3)
    torch.testing.assert_close(said[1], entries[2])
    with pytest.raises(ValueError, match='none of the codebook'):
        tok.caption_vectors(['an elephant'])


def test_the_contrast_finds_captions_by_cosine():
    tok = model(words=WORDS, text_weight=0.2, std=0.5)
    captions = ['a red circle', 'a blue cross']
    _, quantized = tok(images(), captions)
    a, b = quantized.z.mean(1).detach(), tok.caption_vectors(captions).detach()
    table = [[float(torch.cosine_similarity(x, y, dim=0)) / 0.07 for y in b] for x in a]
    nats = [math.log(sum(map(math.exp, table[i]))) - table[i][i] for i in range(2)]
    nats += [math.log(sum(math.exp(row[i]) for row in table)) - table[i][i] for i in range(2)]
    assert quantized.losses['text'].item() == pytest.approx(0.2 * 0.25 * sum(nats) / 4, rel=1e-4)


def test_captions_count_with_a_weight_only():
    captions = ['a red circle', 'a blue cross']
    plain, tied = model(words=WORDS), model(words=WORDS, text_weight=0.2)
    assert 'text' not in plain(images(), captions)[1].losses
    assert 'text' not in tied(images())[1].losses
    tied.quantizer.zero_grad()
    tied(images(), captions)[1].losses['text'].backward()
    assert tied.quantizer.entry_proj.weight.grad.abs().sum() > 0
    assert tied.to_latents.weight.grad.abs().sum() > 0


def test_without_a_quantizer_vectors_have_length_one():
    torch.manual_seed(0)
    tok = TATok(None, size=24, patch=8, width=16, depth=1)
    z = tok(images())[1].z
    torch.testing.assert_close(z.norm(dim=-1), torch.ones(2, 9))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match='words='):
        model(text_weight=0.1)
    with pytest.raises(ValueError, match='n_latents'):
        model(n_latents=2)
    with pytest.raises(ValueError, match='do not tile'):
        model(pools=(1, 2))


def test_a_saved_one_comes_back_with_its_words(tmp_path):
    tok = model(words=WORDS, text_weight=0.2, pools=(1, 3), teacher=Teacher(24, width=12, depth=1)).eval()
    tok.save_pretrained(tmp_path)
    again = TATok.from_pretrained(tmp_path)
    assert again.teacher is None and again.words == WORDS and again.pools == (1, 3)
    assert torch.equal(again.encode(images()), tok.encode(images()))
    assert torch.equal(again(images())[0], tok(images())[0])
