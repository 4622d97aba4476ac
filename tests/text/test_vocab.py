"Vocabularies: what comes back."

import random, time
import pytest
from visual_token_diffusion.text.corpus import read_text
from visual_token_diffusion.text.units import _space, joiner, units
from visual_token_diffusion.text.vocab import (
    UnknownToken, encode_strict, make_vocab, vocab_from_json, vocab_to_json,
)

lossless = [make_vocab('bytes'), make_vocab('bpe')]


def wild(rng, n=40):
    pool = [
        lambda: chr(rng.randrange(0x110000)),
        lambda: chr(rng.randrange(0x3000)),
        lambda: rng.choice(" \n\t\r\x0b\x1c\x85\u00a0\u2003\u3000.,;'\"()aAzZ19é"),
        lambda: rng.choice(
            [
                "cat",
                "don't",
                "</w>",
                "<unk>",
                "<|endoftext|>",
                "🐈‍⬛",
                "مرحبا",
                "नमस्ते",
                "e\u0301",
                "\ud800",
                "\u200b",
                "  ",
            ]
        ),
    ]
    return ''.join(rng.choice(pool)() for _ in range(rng.randrange(n)))


@pytest.mark.parametrize('v', lossless, ids=lambda v: v.kind)
def test_any_string_returns(v):
    rng = random.Random(1)
    for _ in range(3000):
        s = wild(rng)
        assert v.decode(v.encode(s)) == s, repr(s)


@pytest.mark.parametrize('v', lossless, ids=lambda v: v.kind)
def test_every_character_returns_between_letters(v):
    for lo in range(0, 0x30000, 997):
        s = ''.join(f'a{chr(c)}b {chr(c)} ' for c in range(lo, lo + 40))
        assert v.decode(v.encode(s)) == s


def test_any_ids_decode():
    rng = random.Random(2)
    for v in lossless:
        for _ in range(300):
            assert isinstance(v.decode([rng.randrange(len(v)) for _ in range(20)]), str)


def test_long_units_are_fast():
    v, s = make_vocab('bpe'), 'é' * 20000 + 'x' * 20000
    t = time.perf_counter()
    assert v.decode(v.encode(s)) == s
    assert time.perf_counter() - t < 5


def test_empty():
    for kind in ('words', 'letters', 'bytes', 'bpe'):
        v = make_vocab(kind, 'a b')
        assert v.encode('') == [] and v.decode([]) == ''


def test_bpe_is_clips_own_on_plain_words():
    from open_clip.tokenizer import SimpleTokenizer

    v, ref = make_vocab('bpe'), SimpleTokenizer()
    assert len(v) == ref.vocab_size and v.tokens[:49406] == [ref.decoder[i] for i in range(49406)]
    for s in ("a photo of a cat", "two unusually large quokkas", "it's 7 o ' clock"):
        assert v.encode(s)[:3] == ref.encode(s)[:3]


def test_fingerprints_tell_vocabularies_apart():
    vs = lossless + [
        make_vocab('words', 'a b'),
        make_vocab('letters', 'a b'),
        make_vocab('words', 'b a c'),
    ]
    assert len({v.fingerprint for v in vs}) == len(vs)
    for v in vs:
        assert vocab_from_json(vocab_to_json(v)).tokens == v.tokens


@pytest.mark.parametrize(
    'bad',
    [
        {},
        [],
        dict(kind='words'),
        dict(kind='words', tokens=['a', 'a', '<unk>'], fingerprint='x'),
        dict(kind='words', tokens=['a'], fingerprint='x'),
        dict(kind='bpe', fingerprint='0' * 16),
        dict(kind='words', tokens=[1, 2]),
    ],
)
def test_stored_vocabularies_are_checked(bad):
    with pytest.raises(ValueError):
        vocab_from_json(bad)


def test_words_and_letters_say_what_they_lose():
    v = make_vocab('words', 'the cat sees the dog\n')
    with pytest.raises(UnknownToken, match="'zebra'"):
        encode_strict(v, 'the zebra')
    with pytest.raises(UnknownToken, match='spacing'):
        encode_strict(v, 'the  cat')
    assert v.unknown('the zebra <unk>')[0] == 'zebra'


def test_joiner_sees_white_space_as_the_cutter_does():
    for c in map(chr, range(0x3100)):
        assert bool(_space.match(c)) == (units(f'a{c}b')[1][1] == c), hex(ord(c))


@pytest.mark.parametrize(
    'content,line',
    [(b'', 'empty'), (b' \n\t', 'empty'), (b'\xff\xfe\x00a', 'not UTF-8'), (b'ab\0cd', 'binary')],
)
def test_bad_files(tmp_path, content, line):
    f = tmp_path / 'x.txt'
    f.write_bytes(content)
    with pytest.raises(ValueError, match=line):
        read_text([f])
