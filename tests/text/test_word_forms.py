"Stems of English words, beginnings of others, and a guess at the language of a text."

import pytest

from visual_token_diffusion.text.word_forms import (
    COMMON_WORDS, FUNCTION_WORDS, detect_language, same_beginning, stems,
)


@pytest.mark.parametrize(
    'word,stem',
    [('cats', 'cat'), ('sees', 'see'), ('carries', 'carry'), ('wolves', 'wolf'), ('running', 'run'), ('hating', 'hate'),
     ('bigger', 'big'), ('gladly', 'glad'), ('boxes', 'box'), ('children', 'child'), ('smiled', 'smile')],
)
def test_the_stem_is_found(word, stem):
    assert stem in stems(word)


@pytest.mark.parametrize(
    'word,wrong', [('hating', 'hat'), ('being', 'bee'), ('hates', 'hat'), ('is', 'i'), ('staring', 'star')]
)
def test_what_is_no_stem_is_not_taken_for_one(word, wrong):
    assert wrong not in stems(word)


def test_other_languages_go_by_the_beginning():
    assert same_beginning('katzen', {'katze', 'kater'}) == 'katze'
    assert same_beginning('рыбу', {'рыба'}) is None and same_beginning('собаку', {'собака'}) == 'собака'
    assert same_beginning('ab', {'a', 'abc'}) is None


SENTENCES = dict(
    en='The cat sleeps under the tree.', de='Die Katze schläft unter dem Baum.', fr="Le chat dort sous l'arbre.",
    es='El gato duerme debajo de un árbol.', it='Il gatto dorme sotto un albero.', ru='Кошка спит под деревом.',
    pt='O gato não dorme com um cão.', ja='ネコは木の下で寝る。', zh='猫在树下睡觉。', ko='고양이가 나무 아래에서 잔다.',
    ar='القطة تنام تحت الشجرة', tr='Bir kedi ve bir köpek', id='Kucing dan anjing di rumah',
)


@pytest.mark.parametrize('language', SENTENCES)
def test_the_language_of_a_sentence(language):
    assert detect_language(SENTENCES[language]) == language


@pytest.mark.parametrize('text', ['', ' ', '1234', 'blorf wugs', '\ud83d', '😀'])
def test_where_nothing_tells_it_is_english(text):
    assert detect_language(text) == 'en'


def test_the_lists_hold_what_they_should():
    assert 'the' in FUNCTION_WORDS and 'cat' not in FUNCTION_WORDS
    assert {'en', 'de', 'tr'} <= set(COMMON_WORDS)
