"Spelled words decoded, against slow and obvious references."

import itertools

import pytest
import torch

from support.standin import DEVICE, on_device, stand_in_device
from support.strange_words import random_words
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.decoders.spelling import SpellingCodec, decode_grids_text
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.encoders.spelling import render_text
from visual_token_diffusion.encoders.symbols import N_ATOMS, atoms, join_symbol_rows
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.viz.png import load_sentence, save_sentence


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def language(size, V=60, seed=0):
    return SemanticVisualEncoder.fit(torch.randn(V, 5, generator=gen(seed)), size)


@pytest.fixture(scope='module', params=[8, 16])
def codec(request):
    return SpellingCodec(language(request.param))


WORDS = 'the brave princess finds a lamp .\nthe owl sleeps , and the cat sees it !'


@pytest.fixture(scope='module')
def tale():
    "A vocabulary and an encoder of its words"
    vocab = make_vocab('words', WORDS)
    return vocab, language(8, len(vocab))


def without_means(strip):
    "A strip (3,h,4) minus the means of its blocks of 2x2 pixels"
    means = strip.unflatten(2, (2, 2)).unflatten(1, (-1, 2)).mean((2, 4))
    return strip - means.repeat_interleave(2, 1).repeat_interleave(2, 2)


def test_decoding_is_the_nearest_atom(codec):
    "Against all distances in double precision, with noise"
    rows = torch.randint(0, N_ATOMS, (20, codec.n_letters), generator=gen(5))
    codes = torch.randint(0, codec.encoder.sizes[0], (20, 2), generator=gen(6))
    clean = codec.render(rows, codes)
    x = (clean + 0.3 * torch.randn(clean.shape, generator=gen(7))).double()
    got, bits = codec.decode_letters(x)
    h, columns = codec.height, codec.size // 4
    tall = atoms().double().repeat(1, 1, h // 2, 1) * codec.strength / 255
    for b, slot in itertools.product(range(20), range(codec.n_letters)):
        i, j = slot // columns * h, slot % columns * 4
        strip = without_means(x[b, :, i : i + h, j : j + 4])
        distance = ((tall - strip) ** 2).sum((1, 2, 3))
        assert distance.argmin() == got[b, slot] + N_ATOMS * bits[b, slot]


def test_both_channels_alone(codec):
    rows = torch.randint(0, N_ATOMS, (20, codec.n_letters), generator=gen(5))
    codes = torch.randint(0, codec.encoder.sizes[0], (20, 2), generator=gen(6))
    clean = codec.render(rows, codes)
    assert torch.equal(codec.decode_meaning(clean), codes)
    assert torch.equal(codec.decode_letters(clean)[0], rows)
    assert torch.equal(codec.decode_meaning(codec.render(rows.flip(0), codes)), codes)
    assert codec.decode_rows(clean[:0])[0].shape == (0, codec.n_letters)


def test_ten_thousand_strings_through_one_png(tmp_path):
    codec = SpellingCodec(language(8))
    words = random_words(10_000, 0)
    assert '' in words and max(map(len, words)) == 16
    codes = torch.randint(0, codec.encoder.sizes[0], (10_000, 2), generator=gen())
    grids, sizes = codec.spell(words, codes)
    save_sentence(tmp_path / 'w.png', grids)
    back, _ = load_sentence(tmp_path / 'w.png', limit=2**27)
    assert torch.equal(back, grids) and codec.unspell(back) == words and max(sizes) > 1


TEXTS = [
    '',
    ' ',
    '\n',
    'the cat sleeps .',
    'the cat sleeps.',
    'the  cat',
    'cat\n\n dog',
    'zebra',
    'Zürich <unk> 3.14',
    'cat&dog',
    '\ud800 cat',
    '\ufffd',
    'a\u0301\u200d',
    'x' * 100,
]


@pytest.mark.parametrize('kind', ['words', 'letters', 'bytes', 'clip'])
def test_all_vocabularies_write_all_texts(kind):
    if kind == 'clip':
        pytest.importorskip('open_clip')
    vocab = make_vocab(kind, 'the cat sleeps .\nthe dog <unk> runs , fast !\n')
    size = 37 if kind == 'clip' else 8
    table = random_codes(len(vocab), 3, size, gen())
    e = SemanticVisualEncoder(table)
    for text in TEXTS:
        grids, labels = render_text(e, vocab, text)
        assert decode_grids_text(e, vocab, grids) == text and len(labels) == len(grids)


def test_texts_of_strange_words_through_a_png(tale, tmp_path):
    vocab, e = tale
    words = random_words(300, 4)
    for k in range(3):
        text = ' '.join(words[100 * k : 100 * k + 100])
        save_sentence(tmp_path / 't.png', render_text(e, vocab, text)[0])
        back, _ = load_sentence(tmp_path / 't.png')
        assert decode_grids_text(e, vocab, back) == text


def test_small_grids_have_tokens_only():
    vocab = make_vocab('words', 'the cat sleeps')
    e = SemanticVisualEncoder.fit(torch.randn(len(vocab), 3, generator=gen()), 4)
    assert decode_grids_text(e, vocab, render_text(e, vocab, 'the cat')[0]) == 'the cat'
    with pytest.raises(ValueError, match='use 8 or 16'):
        SpellingCodec(e)


def test_damage_is_refused(tale):
    vocab, e = tale
    grids, _ = render_text(e, vocab, 'zyzzyva antidisestablishmentarianism')
    codec = SpellingCodec(e)
    n = len(codec.spell(['zyzzyva'])[0])
    with pytest.raises(ValueError, match='no picture'):
        decode_grids_text(e, vocab, torch.rand(2, 3, 8, 8, generator=gen()))
    with pytest.raises(ValueError, match='no next'):
        decode_grids_text(e, vocab, grids[: n + 1])
    bad = grids.clone()  # another letter, well rendered, would need another check sum
    bad[0, :, :2, :4] = 1 - bad[0, :, :2, :4].flip(0)
    with pytest.raises(ValueError, match='no picture'):
        decode_grids_text(e, vocab, bad)
    with pytest.raises(ValueError, match='damaged'):
        codec.unspell(bad[:1])
    for damaged in (bad, grids[: n + 1]):
        assert isinstance(decode_grids_text(e, vocab, damaged, strict=False), str)


def test_a_forged_letter_is_refused(tale):
    _, e = tale
    codec, zero = SpellingCodec(e), torch.zeros(1, 2, dtype=torch.long)
    rows = torch.zeros(1, 8, dtype=torch.long)
    rows[0, :3] = torch.tensor([3, 4, 5])
    forged = codec.render(rows, zero)
    rows[0, 0] = 9
    other = codec.render(rows, zero)
    forged[:, :, :2, :4] = other[:, :, :2, :4]
    with pytest.raises(ValueError, match='damaged'):
        codec.unspell(forged)


def test_noise_is_stood(codec):
    words = ['zyzzyva', 'Blorft', 'cat', 'quux'] * 50
    grids, _ = codec.spell(words)
    x = grids + 0.1 * torch.randn(grids.shape, generator=gen())
    assert join_symbol_rows(codec.decode_rows(x)[0].tolist(), False) == words


def test_noisy_texts_are_decoded(tale):
    vocab, e = tale
    text = 'the brave princess blorfts a zyzzyva'
    grids, _ = render_text(e, vocab, text)
    noisy = grids + 0.1 * torch.randn(grids.shape, generator=gen())
    assert decode_grids_text(e, vocab, noisy, strict=False) == text


def test_on_the_stand_in_device(tale):
    vocab, e = tale
    text = 'the owl sees a zyzzyva'
    grids, _ = render_text(e, vocab, text)
    with stand_in_device():
        assert decode_grids_text(on_device(e), vocab, grids.to(DEVICE)) == text
