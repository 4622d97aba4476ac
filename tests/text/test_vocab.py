"Vocabularies: what comes back, what is refused, what can be stored."

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import any_text, few
from visual_token_diffusion.text.vocab import (
    UnknownToken,
    Vocab,
    encode_long,
    encode_strict,
    make_vocab,
    vocab_from_json,
    vocab_to_json,
)

lossless = {name: make_vocab(name) for name in ('bytes', 'clip')}

PIECES = ["cat", "don't", "</w>", "<unk>", "<|endoftext|>", "🐈‍⬛", "مرحبا", "नमस्ते"]
PIECES += ["e\u0301", "\ud800", "\u200b", "  "]
POOL = [
    lambda rng: chr(rng.randrange(0x110000)),
    lambda rng: chr(rng.randrange(0x3000)),
    lambda rng: rng.choice(" \n\t\r\x0b\x1c\x85\u00a0\u2003\u3000.,;'\"()aAzZ19é"),
    lambda rng: rng.choice(PIECES),
]


def wild(rng, n=40):
    "A string of fewer than `n` characters and pieces of every sort"
    return ''.join(rng.choice(POOL)(rng) for _ in range(rng.randrange(n)))


@pytest.mark.parametrize('name', list(lossless))
def test_any_string_returns(name):
    v, rng = lossless[name], random.Random(1)
    for _ in range(3000):
        s = wild(rng)
        assert v.decode(v.encode(s)) == s, repr(s)


@pytest.mark.parametrize('name', list(lossless))
def test_every_character_returns_between_letters(name):
    v = lossless[name]
    for lo in range(0, 0x30000, 997):
        s = ''.join(f'a{chr(c)}b {chr(c)} ' for c in range(lo, lo + 40))
        assert v.decode(v.encode(s)) == s


@pytest.mark.parametrize('name', list(lossless))
@given(any_text)
def test_lossless_vocabularies_bring_every_string_back(name, t):
    v = lossless[name]
    ids = v.encode(t)
    assert v.decode(ids) == t and all(0 <= i < len(v) for i in ids)


def test_any_ids_decode():
    rng = random.Random(2)
    for v in lossless.values():
        for _ in range(300):
            assert isinstance(v.decode([rng.randrange(len(v)) for _ in range(20)]), str)


@given(st.lists(st.integers(0, 49407), max_size=40))
def test_any_tokens_have_a_text(ids):
    assert isinstance(lossless['clip'].decode(ids), str)
    assert isinstance(lossless['bytes'].decode([i % 256 for i in ids]), str)


@given(any_text, any_text)
def test_text_may_be_cut_at_every_line_break(a, b):
    "The tokens of two pieces are those of the whole, so a long text can be encoded bit by bit"
    for v in lossless.values():
        assert v.encode(a + '\n' + b) == v.encode(a + '\n') + v.encode(b)


def test_a_long_text_is_encoded_piece_by_piece():
    text = 'The cat sees a dog.\n\n  "Again?" she said.\n' * 200
    v = make_vocab('words', text)
    assert list(encode_long(v, text)) == v.encode(text)
    assert list(encode_long(v, text, 20, 4000)) == v.encode(text[20:4000])


def test_empty():
    for name in Vocab.names():
        v = make_vocab(name, 'a b')
        assert v.encode('') == [] and v.decode([]) == ''


@pytest.mark.parametrize('name', ['words', 'letters'])
@given(any_text, any_text)
def test_strict_encoding_is_exact_or_refused(name, corpus, t):
    v = make_vocab(name, corpus)
    try:
        assert v.decode(encode_strict(v, t)) == t
    except UnknownToken as e:
        assert '\n' not in str(e)
    assert len(v) == len(set(v.tokens))


def test_words_and_letters_say_what_they_lose():
    v = make_vocab('words', 'the cat sees the dog\n')
    with pytest.raises(UnknownToken, match="'zebra'"):
        encode_strict(v, 'the zebra')
    with pytest.raises(UnknownToken, match='spacing'):
        encode_strict(v, 'the  cat')
    assert v.unknown('the zebra <unk>')[0] == 'zebra'


def test_fingerprints_tell_vocabularies_apart():
    corpora = dict(words='a b', letters='a b')
    vs = [*lossless.values(), *(make_vocab(*pair) for pair in corpora.items())]
    vs.append(make_vocab('words', 'b a c'))
    assert len({v.fingerprint for v in vs}) == len(vs)
    for v in vs:
        assert vocab_from_json(vocab_to_json(v)).tokens == v.tokens


@pytest.mark.parametrize('name', Vocab.names())
@given(any_text)
@few
def test_vocabularies_can_be_stored(name, corpus):
    v = lossless.get(name) or make_vocab(name, corpus)
    w = vocab_from_json(vocab_to_json(v))
    assert w.tokens == v.tokens and w.fingerprint == v.fingerprint


bad = [
    {},
    [],
    dict(name='words'),
    dict(name=[]),
    dict(name='os:path'),
    dict(name='words', tokens=['a', 'a', '<unk>'], fingerprint='x'),
    dict(name='words', tokens=['a'], fingerprint='x'),
    dict(name='clip', fingerprint='0' * 16),
    dict(name='words', tokens=[1, 2]),
]


@pytest.mark.parametrize('stored', bad)
def test_stored_vocabularies_are_checked(stored):
    with pytest.raises(ValueError):
        vocab_from_json(stored)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'letters'") as e:
        make_vocab('lettres', 'a b')
    assert '\n' not in str(e.value)
