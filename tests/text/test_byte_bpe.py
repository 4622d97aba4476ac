"Byte pairs of a text's own: every text returns, the list is all there is, long texts take little."

import json
import random
import subprocess
import sys
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visual_token_diffusion.text import byte_bpe
from visual_token_diffusion.text.byte_bpe import ByteBPEVocab, learn_tokens, suitable_size
from visual_token_diffusion.text.vocab import UnknownToken, make_vocab, vocab_from_json, vocab_to_json
from visual_token_diffusion.worlds.stories import story_text

TEXT = story_text(400) + 'Ein Würfel – 東京タワー, кошка?\n\tdef f(x): return x**2\n' * 30
VOCAB = make_vocab('byte_bpe', TEXT)

anything = st.text(st.characters(exclude_categories=['Cs']))


def any_unicode(rng):
    "A string of characters from all planes, typing and odd white space"
    near = ' \n\t\r\x0b\x85\u00a0\u2028\u3000.,\'"aB19é'
    choices = (lambda: chr(rng.randrange(0x110000)), lambda: chr(rng.randrange(0x250)), lambda: rng.choice(near))
    return ''.join(rng.choice(choices)() for _ in range(rng.randrange(40)))


def test_ten_thousand_strings_return():
    rng, refused = random.Random(0), 0
    for _ in range(10_000):
        text = any_unicode(rng)
        if any('\ud800' <= c <= '\udfff' for c in text):
            with pytest.raises(UnknownToken, match='half a surrogate pair, U\\+D') as e:
                VOCAB.encode(text)
            assert '\n' not in str(e.value)
            refused += 1
        else:
            assert VOCAB.decode(VOCAB.encode(text)) == text, repr(text)
    assert 0 < refused < 1000


@given(anything, anything)
def test_a_text_may_be_cut_at_every_line_break(a, b):
    assert VOCAB.encode(a + '\n' + b) == VOCAB.encode(a + '\n') + VOCAB.encode(b)


def test_it_encodes_as_the_package_that_learned_it():
    "Merging the remembered pieces gives what the package's own encoder gives"
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    pairs = Tokenizer(models.BPE(vocab=VOCAB.index, merges=byte_bpe._merges(VOCAB.tokens)))
    cut = pre_tokenizers.Split(Regex(byte_bpe._piece.pattern), 'isolated')
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    pairs.pre_tokenizer = pre_tokenizers.Sequence([cut, as_bytes])
    assert pairs.encode(TEXT).ids == VOCAB.encode(TEXT)


def test_the_list_of_tokens_is_all():
    stored = json.loads(json.dumps(vocab_to_json(VOCAB)))
    again = vocab_from_json(stored)
    assert again.fingerprint == VOCAB.fingerprint and again.encode(TEXT) == VOCAB.encode(TEXT)
    assert set(stored) == {'name', 'fingerprint', 'tokens'}


def test_learned_in_another_process_it_is_the_same():
    learn = 'from visual_token_diffusion.text.vocab import make_vocab as learn'
    code = f'{learn}\nprint(learn("byte_bpe", {TEXT!r}).fingerprint)'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert run.stdout.strip() == VOCAB.fingerprint, run.stderr


ORDER = VOCAB.tokens


WRONG = {
    'a byte less': ORDER[1:],
    'no byte': ORDER + ['☃'],
    'long': ORDER + ['a' * 33],
    'of three': ORDER + ['thecat'],
    'empty': ORDER + [''],
    'twice': ORDER + ORDER[-1:],
    'turned': [*ORDER[:256], *ORDER[:255:-1]],
    'none': [],
}


@pytest.mark.parametrize('tokens', WRONG.values(), ids=list(WRONG))
def test_what_no_text_gives_is_refused(tokens):
    with pytest.raises(ValueError) as e:
        ByteBPEVocab(tokens)
    assert '\n' not in str(e.value)


def test_a_frequent_word_is_one_token_and_blanks_are_kept():
    assert [VOCAB.tokens[i] for i in VOCAB.encode(' the')] == ['Ġthe']
    assert VOCAB.label(VOCAB.encode(' the')[0]) == 'the' and VOCAB.label(VOCAB.encode('\n')[0]) == '⏎'
    labels = [VOCAB.label(i) for i in range(len(VOCAB))]
    assert all(label and label.isprintable() and ' ' not in label for label in labels)


def test_sizes():
    assert [suitable_size(n) for n in (1000, 10**6, 10**8)] == [2000, 4000, 16000]
    assert len(learn_tokens(TEXT, 300)) == 300 and len(make_vocab('byte_bpe', '')) == 256
    assert len(make_vocab('byte_bpe', TEXT, 400)) == 400
    with pytest.raises(ValueError, match='256 tokens at least, got 255'):
        learn_tokens(TEXT, 255)


def test_a_long_text_gives_a_sample(monkeypatch):
    monkeypatch.setattr(byte_bpe, '_sample', 2**14)
    blocks = list(byte_bpe._blocks('the cat sleeps\n' * 10**5))
    assert sum(map(len, blocks)) == 2**14 and len(blocks) == 2


@pytest.mark.parametrize('text', ['é' * 20_000 + 'x' * 20_000, '東京' * 20_000, ' ' * 40_000, '\n' * 40_000])
def test_long_pieces_are_fast(text):
    began = time.process_time()
    assert VOCAB.decode(VOCAB.encode(text)) == text
    assert time.process_time() - began < 5


def test_what_is_remembered_is_bounded(monkeypatch):
    pieces = make_vocab('byte_bpe', TEXT).pieces
    tracemalloc.start()
    for i in range(3000):
        pieces[f' {i}' * 30]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not pieces and peak < 2**20


@pytest.mark.parametrize('run', ['a', 'ACGT', '=-', ' ', '\u3042', '\t '])
def test_a_line_without_an_end_is_learned_in_pieces(run):
    "A genome in one line: learning takes the square of the longest piece, hours for a megabyte"
    text = run * 5000
    pieces = [piece for block in byte_bpe._blocks(text) for piece in byte_bpe._piece.findall(block)]
    assert max(map(len, pieces)) <= 257 and ''.join(pieces).replace('\n', '') == text
    vocab = ByteBPEVocab.from_text(text)
    assert len(vocab) > 256 and vocab.decode(vocab.encode(text)) == text


def test_what_no_line_is_too_long_for_is_learned_as_it_is():
    assert ''.join(byte_bpe._blocks(TEXT)) == TEXT
