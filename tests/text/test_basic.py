"Bytes, letters, words: what each keeps, and what it says it has lost."

from collections import Counter

import pytest

from visual_token_diffusion.text.basic import ByteVocab, LetterVocab, WordVocab, _most_common

corpus = "the red cat sees a dog\nthe dog sleeps\n"


def test_the_most_common_come_first_and_ties_in_alphabetical_order():
    assert _most_common(Counter('banana'), 3, 2) == ['a', 'n']
    assert _most_common(Counter('cab'), 2, 1) == ['a', 'b']


def test_bytes_are_utf8():
    v = ByteVocab()
    ids = v.encode('cat 猫 🐈')
    assert ids == list('cat 猫 🐈'.encode()) and v.decode(ids) == 'cat 猫 🐈'
    assert (v.label(99), v.label(10), v.label(0)) == ('c', '⏎', '<00>')


def test_letters_lose_what_they_have_not_seen():
    v = LetterVocab.from_text(corpus)
    assert v.decode(v.encode(corpus)) == corpus
    assert v.decode(v.encode('the zebra')) == 'the \ufffde\ufffdra'
    assert v.unknown('the zebra') == ['z', 'b']
    with pytest.raises(ValueError, match='<unk>'):
        LetterVocab(['a'])


def test_words_normalize_white_space():
    v = WordVocab.from_text(corpus)
    assert v.decode(v.encode(corpus)) == corpus
    assert v.tokens == ['<unk>', '\n', 'dog', 'the', 'a', 'cat', 'red', 'sees', 'sleeps']
    assert v.decode(v.encode('the   red zebra sees a cat')) == 'the red <unk> sees a cat'
    assert v.unknown('the red zebra') == ['zebra'] and v.label(1) == '⏎'
