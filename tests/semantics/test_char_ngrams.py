"Known words that share letter groups, against the cosine."

import math

from visual_token_diffusion.semantics.char_ngrams import CharNGramIndex, char_ngrams
from visual_token_diffusion.text.vocab import make_vocab


def cosine(a, b):
    a, b = char_ngrams(a), char_ngrams(b)
    return len(a & b) / math.sqrt(len(a) * len(b))


def test_the_nearest_known_word_by_letters():
    corpus = 'walk walked walking talk talked stalk cat cart carts dog hotdog the then'
    words = list(make_vocab('words', corpus).tokens)
    index = CharNGramIndex(words)
    for word in ('walks', 'talking', 'carted', 'dogs', 'xyz', 'WALK'):
        cos = [cosine(word, known) for known in words]
        best = max(range(len(words)), key=lambda i: (round(cos[i], 9), -i))
        assert index(word, -1) == (best if max(cos) else -1)
    assert char_ngrams('ab') == {'<ab', 'ab>', '<ab>'}


def test_a_word_is_known_by_its_longest_relative():
    known = ['cat', 'cart', 'dog', 'class', 'classify', 'program']
    index = CharNGramIndex(known)
    assert CharNGramIndex(['cat', 'cart', 'dog'])('carts') == 1
    assert [known[index(w)] for w in ('classification', 'programmer', 'dogs')] == ['classify', 'program', 'dog']
    assert index('zzz') == 0 and index('zzz', default=None) is None


def test_cosines_of_all_that_share_a_group():
    words = ['cat', 'cart', 'dog', 'Katze']
    found = CharNGramIndex(words).cosines('carts')
    assert set(found) == {0, 1} and all(math.isclose(found[i], cosine('carts', words[i])) for i in found)
    assert CharNGramIndex(['猫', '魚'], low=2).cosines('黒猫') and not CharNGramIndex(['猫']).cosines('黒猫')
