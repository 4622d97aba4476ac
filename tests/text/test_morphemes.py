"MYTE: capitals, tries, codes by script, and every string that comes back."

import itertools
import json
import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visual_token_diffusion.experiments.text.myte_lab import encoder_speed, random_unicode
from visual_token_diffusion.text.byte_trie import ByteTrie
from visual_token_diffusion.text.morphemes import (
    MorphemeVocab, capitals, morpheme_codes, restore_capitals, rewrite_capitals, word_counts,
)
from visual_token_diffusion.text.published_rewriting import published_rewriting
from visual_token_diffusion.text.scripts import SCRIPT_GROUPS, script_group, script_of
from visual_token_diffusion.text.vocab import UnknownToken, vocab_from_json, vocab_to_json

WORDS = 'the ing hAello cat straße éA кот კატა ねこ 고양이 हिन् 2024'
MORPHEMES = {word: i for i, word in enumerate(WORDS.split())}
VOCAB = MorphemeVocab.from_codes(morpheme_codes(MORPHEMES))
valid = st.text(st.characters(exclude_categories=['Cs']), max_size=60)


# ---- capitals ----


def test_capitals_pair_off():
    pairs = capitals()
    assert len(pairs) == len(set(pairs.values())) == 713 and not set(pairs) & set(pairs.values())
    assert all(small.upper() == c and c.lower() == small for c, small in pairs.items())
    assert {'A', 'Z', 'É', 'Ж', 'Ω', 'Ա'} <= set(pairs)
    assert not {'\u212a', '\u2126', '\u212b', 'İ', 'ẞ', '\u01c5', '\u03f4'} & set(pairs)


def test_the_rewriting_frees_25_bytes():
    everything = ''.join(map(chr, [*range(0xD800), *range(0xE000, 0x11000)]))
    rewritten = rewrite_capitals(everything)
    assert not set(rewritten.encode()) & set(range(0x42, 0x5B))
    assert restore_capitals(rewritten) == everything
    assert rewrite_capitals('Hello WorlD') == 'hAello wAorldA'


@given(valid)
def test_capitals_return(text):
    assert restore_capitals(rewrite_capitals(text)) == text


@pytest.mark.parametrize('text', ['A', 'xAA', ' A', '1A'])
def test_a_marker_needs_a_small_letter(text):
    with pytest.raises(ValueError, match='follows no small letter') as e:
        restore_capitals(text)
    assert '\n' not in str(e.value)
    assert restore_capitals(text, 'replace').endswith('\ufffd') and 'A' not in restore_capitals(text[-2:], 'ignore')[1:]
    with pytest.raises(ValueError, match='errors can be'):
        restore_capitals(text, 'wrong')


# ---- the published rewriting ----


def test_the_published_rules():
    "Canonical decomposition, then the marker behind what has a small form (the map's first and some of its last rules)"
    rules = published_rewriting()
    assert rules[b'A'] == b'aA' and rules['É'.encode()] == 'eA\u0301'.encode()
    assert rules['한'.encode()] == unicodedata.normalize('NFD', '한').encode()
    assert rules['\u01c5'.encode()] == '\u01c6A'.encode() and b'a' not in rules


def test_the_published_rewriting_is_not_one_to_one():
    published = MorphemeVocab.from_codes({}, published=True)
    assert not published.lossless and VOCAB.lossless
    for text, back in {'K': '\u212a', 'Θ': '\u03f4', 'e\u0301': 'é', 'cat': 'cat', '한국': '한국', 'É': 'É'}.items():
        assert published.decode(published.encode(text)) == back and VOCAB.decode(VOCAB.encode(text)) == text
    ends = list(published_rewriting().values())
    assert len(ends) > len(set(ends))


# ---- tries ----


def plain_rewrite(rules, data):
    out, i = b'', 0
    while i < len(data):
        found = [source for source in rules if data.startswith(source, i)]
        best = max(found, key=len, default=data[i : i + 1])
        out += rules.get(best, best)
        i += len(best)
    return out


few_bytes = st.binary(min_size=1, max_size=4).map(lambda b: bytes(x % 3 for x in b))


@given(st.dictionaries(few_bytes, st.binary(max_size=3), max_size=8), st.binary(max_size=30))
def test_the_longest_match_comes_first(rules, data):
    data = bytes(x % 4 for x in data)
    assert ByteTrie(rules).rewrite(data) == plain_rewrite(rules, data)


def test_a_rule_takes_something():
    with pytest.raises(ValueError, match='one byte at least'):
        ByteTrie({b'': b'x'})


# ---- codes ----


def plain_published_codes(group, morphemes):
    "The published allocation, written anew: every code is one step, whether its morpheme is long enough or not"
    found, waiting = {}, list(morphemes)
    for length, first in ((2, 0x42), (3, 0x4A), (4, 0x52)):
        for tail in itertools.product(range(0x80, 0xBF), repeat=length - 1):
            if not waiting:
                return found
            morpheme = waiting.pop(0)
            if len(morpheme) > length:
                found[morpheme] = bytes([first + group, *tail])
    return found


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_the_published_allocation(seed):
    rng = random.Random(seed)
    scores = {}
    for _ in range(5000):
        letters = rng.choice(['abcdefgh', 'абвгдежз', 'あいうえおかきく'])
        scores[''.join(rng.choices(letters, k=rng.randrange(1, 7)))] = rng.choice([rng.random(), 0.5])
    expected = {}
    for group in (0, 2, 6):
        ordered = sorted((m for m in scores if script_group(m) == group), key=lambda m: -scores[m])
        expected |= plain_published_codes(group, [m.encode() for m in ordered if len(m.encode()) > 3])
    assert morpheme_codes(scores, published=True) == expected
    ours = morpheme_codes(scores)
    assert len(ours) >= len(expected) and all(len(code) < len(m) for m, code in ours.items())


def test_no_code_is_wasted():
    scores = {f'{i:03d}': 1 for i in range(63)} | {'ab': 2, 'a': 3} | {f'long{x}': 0.5 for x in 'xyz'}
    ours = morpheme_codes(scores, shortest=1)
    assert {code[0] for m, code in ours.items() if m.isdigit()} == {0x43}
    assert ours[b'longx'] == b'\x42\x80' and b'ab' not in ours
    assert morpheme_codes(scores, published=True, shortest=1)[b'longx'] == b'\x42\x82'
    full = morpheme_codes({f'{i:04d}': 1 for i in range(65)})
    assert b'\x43\xbf' in full.values() and sorted(map(len, full.values()))[-2:] == [2, 3]
    assert b'\x43\xbf' not in morpheme_codes({f'{i:04d}': 1 for i in range(65)}, published=True).values()


def test_scripts():
    assert script_of('a') == 'Latin' and script_of('ქ') == 'Georgian' and script_of('\U0001F600') == 'Common'
    groups = dict(latin='catA', mixed='ねこ猫', europe='кот', abjads='قط', north_india='बिल', south_asia='แมว')
    groups |= dict(east_asia='고양이', others='ድመት')
    for group, text in groups.items():
        assert list(SCRIPT_GROUPS)[script_group(text)] == group
    assert script_group('') == script_group('12') == script_group('\u2801') == script_group('\U000F0000') == 1


@pytest.mark.parametrize('morpheme', ['Cat', 'a b', 'a\nb', ''])
def test_morphemes_without_a_code(morpheme):
    with pytest.raises(ValueError, match='no capital, blank') as e:
        morpheme_codes({morpheme: 1})
    assert '\n' not in str(e.value)


# ---- the vocabulary ----


def test_ten_thousand_strings_return():
    learned = MorphemeVocab.from_text('The cat sings, кошка поёт, ねこ ' + 'Singing CATS sing; кошки поют. ' * 9)
    rng = random.Random(0)
    for text in random_unicode(10_000, rng):
        for vocab in (VOCAB, learned):
            assert vocab.decode(vocab.encode(text), 'strict') == text, ascii(text)


@given(valid)
def test_any_text_returns(text):
    ids = VOCAB.encode(text)
    assert VOCAB.decode(ids, 'strict') == VOCAB.decode(ids) == text
    assert all(0 <= i < 256 for i in ids) and len(ids) <= len(rewrite_capitals(text).encode())


@given(st.lists(st.sampled_from(list(MORPHEMES) + ['Hello', 'ÉÉ', 'A', 'B', ' ', '\n', 'th', 'ন']), max_size=12))
def test_morphemes_and_what_begins_like_them(parts):
    text = restore_capitals(''.join(parts), 'replace')
    assert VOCAB.decode(VOCAB.encode(text), 'strict') == text


def test_memory_changes_nothing():
    text = 'Hello cat, the singing cat\n  \n hello' * 3
    first, again = VOCAB.encode(text), VOCAB.encode(text)
    plain = ByteTrie(VOCAB.codes).rewrite(rewrite_capitals(text).encode())
    assert first == again == list(plain)


@pytest.mark.parametrize('text', ['\ud800', 'a\udfffb', 'cat\ud83d'])
def test_surrogates_are_refused(text):
    with pytest.raises(UnknownToken, match='half a surrogate pair') as e:
        VOCAB.encode(text)
    assert '\n' not in str(e.value)


def test_bytes_are_refused():
    with pytest.raises(ValueError, match='a text is a string, got bytes') as e:
        VOCAB.encode(b'ab\xff')
    assert '\n' not in str(e.value)


@pytest.mark.parametrize(
    'ids,message',
    [([0xFF], 'not UTF-8'), ([0xC3], 'not UTF-8'), ([0x42], 'has no morpheme'), ([0x42, 0xBF], 'has no morpheme'),
     ([0x5A], 'has no morpheme'), ([0x41], 'no small letter'), ([0xED, 0xA0, 0x80], 'not UTF-8')],
)
def test_what_no_text_is_written_as(ids, message):
    with pytest.raises(ValueError, match=message) as e:
        VOCAB.decode([97, *ids, 97], 'strict') if ids != [0x41] else VOCAB.decode(ids, 'strict')
    assert '\n' not in str(e.value)
    assert '\ufffd' in VOCAB.decode(ids) and VOCAB.decode(ids, 'ignore') == ''


@given(st.lists(st.integers(0, 255), max_size=30))
def test_any_bytes_have_a_text(ids):
    text = VOCAB.decode(ids)
    assert VOCAB.decode(VOCAB.encode(text)) == text


def test_ids_are_bytes():
    for ids in ([256], [-1], ['a']):
        with pytest.raises(ValueError, match='0 to 255') as e:
            VOCAB.decode(ids)
        assert '\n' not in str(e.value)


@pytest.mark.parametrize('published', [False, True])
def test_codes_are_stored(tmp_path, published):
    vocab = MorphemeVocab.from_codes(morpheme_codes(MORPHEMES, published), published)
    again = vocab_from_json(json.loads(json.dumps(vocab_to_json(vocab))))
    assert again.codes == vocab.codes and again.published == published and again.fingerprint == vocab.fingerprint
    vocab.save(tmp_path / 'codes.json')
    assert MorphemeVocab.from_file(tmp_path / 'codes.json', published).codes == vocab.codes
    stored = json.loads((tmp_path / 'codes.json').read_text())
    assert stored['68 41 65 6c 6c 6f'] == vocab.codes[b'hAello'].hex(' ')


def test_long_codes_are_stored():
    codes = morpheme_codes({f'{i:06d}': -i for i in range(64 + 64**2 + 70)})
    vocab = MorphemeVocab.from_codes(codes)
    assert vocab.codes == codes and vocab_from_json(vocab_to_json(vocab)).codes == codes
    assert sorted({len(code) for code in codes.values()}) == [2, 3, 4]


@pytest.mark.parametrize(
    'codes,message',
    [({b'cat': b'\x42\x80', b'dog': b'\x42\x80'}, 'same code'), ({b'cat': b'\x61\x80'}, 'no code'),
     ({b'ca': b'\x42\x80'}, 'no code'), ({b'Cat': b'\x42\x80'}, 'no capital')],
)
def test_bad_codes(codes, message):
    with pytest.raises(ValueError, match=message) as e:
        MorphemeVocab.from_codes(codes)
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('text', ['', '[]', '{"63": 3}', '{"xx": "42 80"}', '{"63 61 74": "42"}'])
def test_bad_files(tmp_path, text):
    path = tmp_path / 'codes.json'
    path.write_text(text)
    with pytest.raises(ValueError) as e:
        MorphemeVocab.from_file(path)
    assert '\n' not in str(e.value)


def test_bad_tokens():
    with pytest.raises(ValueError, match='256 bytes'):
        MorphemeVocab(['a', 'b'])


def test_learning():
    assert word_counts('The cat, the CAT 3 हिन्दी \ud800') == {'tAhe': 1, 'cat': 1, 'the': 1, 'cAaAtA': 1, 'हिन्दी': 1}
    few = MorphemeVocab.from_text('singing ringing bringing ' * 5, max_size=1)
    assert len(few.codes) <= 1 and MorphemeVocab.from_text('cat dog', min_count=2).codes == {}


def test_a_megabyte_takes_seconds_and_not_minutes():
    "Of processor time; the page says how many megabytes a second there are"
    text = 'The cat sees the singing dogs, and nobody says hello to them.\n' * 20_000
    assert encoder_speed(VOCAB, text, False) > 0.1


def test_a_word_without_an_end_is_not_learned_but_returns():
    text = 'ACGT' * 500 + ' the cats and the dogs'
    vocab = MorphemeVocab.from_text(text)
    assert vocab.decode(vocab.encode(text)) == text
    assert vocab.codes and max(map(len, vocab.codes)) <= 64
