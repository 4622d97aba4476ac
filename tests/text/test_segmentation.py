"Segmentation by minimum description length: the cost written anew, the search, bad input, a second opinion."

import math
import random
from collections import Counter

import pytest

from visual_token_diffusion.experiments.text.morpheme_language import bilingual, inflected, segmented, true_parts
from visual_token_diffusion.text.segmentation import (
    Segmenter, boundaries, boundary_scores, description_length, learn_morphemes, merge_scores,
)

STEMS, ENDINGS = ('cat', 'dog', 'horse', 'fox', 'bird'), ('', 'lar', 'da', 'larda')
WORDS = {stem + ending: 1 + len(ending) for stem in STEMS for ending in ENDINGS}


def plain_cost(words, parts_of, weight=1.0):
    "The description length from nothing but the words and their parts"
    parts = Counter()
    for word, n in words.items():
        for part in parts_of[word]:
            parts[part] += n
    letters = Counter(letter for part in parts for letter in part)
    n_words, n_parts = sum(words.values()), len(parts)

    def coded(counts, ends):
        total = sum(counts.values()) + ends
        return total * math.log(total) - ends * math.log(ends) - sum(c * math.log(c) for c in counts.values())

    lexicon = coded(letters, n_parts) - math.lgamma(n_parts + 1)
    lexicon += math.log(math.comb(sum(letters.values()) + n_parts - 1, len(letters)))
    return lexicon + weight * coded(parts, n_words) + math.log(math.comb(sum(parts.values()) - 1, n_parts - 1))


@pytest.mark.parametrize('weight', [1.0, 0.3])
def test_the_cost_is_the_length_of_the_description(weight):
    start = Segmenter(WORDS, weight)
    assert start.cost() == pytest.approx(plain_cost(WORDS, {w: [w] for w in WORDS}, weight))
    cut = Segmenter(WORDS, weight).train()
    parts = {word: cut.segment(word) for word in WORDS}
    assert cut.cost() == pytest.approx(plain_cost(WORDS, parts, weight)) and cut.cost() <= start.cost()
    assert sum(description_length(WORDS, parts, weight)) == pytest.approx(cut.cost())
    assert all(''.join(parts[word]) == word for word in WORDS)


def test_trying_and_scoring_leave_the_cost_alone():
    cut = Segmenter(WORDS).train()
    before, morphs = cut.cost(), cut.morphs()
    scores = cut.scores()
    assert cut.cost() == pytest.approx(before) and cut.morphs() == morphs
    assert sum(scores.values()) == pytest.approx(1) and list(scores.values()) == sorted(scores.values(), reverse=True)
    counts = cut.scores('count')
    assert all(len(part) > 1 for part in counts) and set(counts) == set(scores)


def test_the_endings_of_a_small_language_are_found():
    words = dict.fromkeys(inflected().words, 1)
    cut = Segmenter(words).train()
    found = boundary_scores([cut.segment(w) for w in words], [true_parts()[w] for w in words])
    assert found['f1'] > 0.7
    assert cut.segment('zebralar')[-1] == 'lar'


def test_the_order_of_words_is_a_matter_of_the_seed():
    words = Counter(' '.join(bilingual(200)[0]).split())
    shuffled = list(words.items())
    random.Random(0).shuffle(shuffled)
    assert Segmenter(words).train(seed=3).morphs() == Segmenter(dict(shuffled)).train(seed=3).morphs()


def test_bytes_are_cut_like_strings():
    text, data = Segmenter(WORDS).train(), Segmenter({w.encode(): n for w, n in WORDS.items()}).train()
    assert [part.decode() for part in data.segment(b'horselarda')] == text.segment('horselarda')


def test_scores_of_boundaries():
    assert boundaries(['a', 'bc', 'd']) == {1, 3}
    found = boundary_scores([['ab', 'c'], ['x', 'y']], [['a', 'bc'], ['x', 'y']])
    assert found == dict(precision=0.5, recall=0.5, f1=0.5)
    with pytest.raises(ValueError, match='not the same word'):
        boundary_scores([['a']], [['b']])


@pytest.mark.parametrize(
    'words,message',
    [({}, 'not empty'), ({'': 1}, 'not empty'), ({'a': 0}, 'counted once'), ([], 'not empty')],
)
def test_bad_words(words, message):
    with pytest.raises(ValueError, match=message) as e:
        Segmenter(words)
    assert '\n' not in str(e.value)


def test_bad_arguments():
    with pytest.raises(ValueError, match='above 0'):
        Segmenter(WORDS, 0)
    with pytest.raises(ValueError, match='cost or count'):
        Segmenter(WORDS).scores('size')


def test_learning_and_merging():
    assert learn_morphemes({}) == {} and merge_scores([{'a': 1, 'b': 2}, {'a': 3}]) == {'a': 3, 'b': 2}
    assert sum(learn_morphemes(WORDS, most=8, dampening='ones').values()) == pytest.approx(1)
    assert set(learn_morphemes(WORDS, least=20)) < set(learn_morphemes(WORDS))
    with pytest.raises(ValueError, match='none or ones'):
        learn_morphemes(WORDS, dampening='log')


def test_one_word_of_one_letter():
    cut = Segmenter({'a': 1}).train()
    assert cut.segment('a') == ['a'] and cut.scores() == {} and math.isfinite(cut.cost())


@pytest.mark.parametrize('once', [True, False])
def test_a_second_opinion(once):
    pytest.importorskip('morfessor')
    found = segmented(0, once, 400)
    assert found['ours']['cost'] == pytest.approx(found['morfessor']['cost'], rel=0.01)
    assert found['ours']['f1'] > found['random']['f1']


def test_the_cost_of_the_program_at_its_own_cuts():
    morfessor = pytest.importorskip('morfessor')
    random.seed(0)
    theirs = morfessor.BaselineModel()
    theirs.load_data([(n, word) for word, n in WORDS.items()])
    theirs.train_batch()
    parts = {word: theirs.segment(word) for word in WORDS}
    # its logarithms of factorials are Stirling's
    assert plain_cost(WORDS, parts) == pytest.approx(theirs.get_cost(), abs=0.05)
