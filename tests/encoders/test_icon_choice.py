"Which picture a token gets: by its name, its stem, and by what it resembles; without and with the extra `emoji`."

import time

import pytest
import torch
from support.sentence_model import SentenceTransformer

from visual_token_diffusion.core.errors import DataError
from visual_token_diffusion.encoders.icon_choice import IconLexicon, choose_icons, emoji_installed, pictures_of
from visual_token_diffusion.semantics.sentences import SentenceSemantics
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.worlds.icons import icon_words

needs_emoji = pytest.mark.skipif(not emoji_installed(), reason='the extra emoji is not installed')


def test_own_drawings_need_no_extra():
    lexicon = IconLexicon(emoji=False)
    assert all(lexicon.find(word) == (word, 'name') for word in icon_words())
    forms = dict(Cat='cat', cats='cat', sleep='sleeps', sleeping='sleeps', bigger='bigger')
    for word, key in forms.items():
        assert lexicon.find(word)[0] == key, word
    for word in ('the', 'of', 'corner', '', ' ', '\n', 'ca·', '猫'):
        assert lexicon.find(word) == (None, ''), word


def test_the_same_tokens_get_the_same_pictures():
    lexicon = IconLexicon(emoji=False)
    first, second = (choose_icons(['cat', 'the', 'cats', 'king'], 14, lexicon=lexicon) for _ in range(2))
    assert torch.equal(first.icons, second.icons) and torch.equal(first.icon_of, second.icon_of)
    assert first.icon_of[0] == first.icon_of[2] and first.icon_of[1] == -1 and len(first.icons) == 2
    assert first.how == ['name', '', 'stem', 'name'] and first.keys == ['cat', None, 'cat', 'king']


def test_no_tokens_and_no_pictures():
    lexicon = IconLexicon(emoji=False)
    for tokens in ([], ['the', 'of']):
        choice = choose_icons(tokens, 14, lexicon=lexicon)
        assert choice.icons.shape == (0, 3, 14, 14) and choice.icon_of.tolist() == [-1] * len(tokens)
    assert pictures_of([None], 6)[0].shape == (0, 3, 6, 6)


def test_small_icons_are_averages_of_larger_ones():
    icons, icon_of = pictures_of(['cat', None, 'cat'], 6)
    assert icons.shape == (1, 3, 6, 6) and icon_of.tolist() == [0, -1, 0]


def test_what_is_like_a_drawn_token_shares_its_icon_and_function_words_do_not():
    tokens = ['cat', 'kitty', 'the', 'zebu', 'odd']
    features = torch.tensor([[1.0, 0], [0.9, 0.1], [1, 0], [0, 1], [0, 0]])
    choice = choose_icons(tokens, 14, features, lexicon=IconLexicon(emoji=False))
    assert choice.keys == ['cat', 'cat', None, None, None] and choice.how[1] == 'similar'
    assert choose_icons(tokens, 14, features, threshold=0.999, lexicon=IconLexicon(emoji=False)).keys[1] is None


def test_a_source_of_meaning_finds_the_nearest_name():
    source = SentenceSemantics(SentenceTransformer('letters'))
    own = IconLexicon(emoji=False)
    choice = choose_icons(['kingly', 'the', 'qqq'], 14, source=source, threshold=0.5, lexicon=own)
    assert choice.keys == ['king', None, None] and choice.how == ['stem', '', '']
    choice = choose_icons(['catlike', 'the'], 14, source=source, threshold=0.3, lexicon=own)
    assert choice.how == ['similar', ''] and isinstance(choice.keys[0], str)


def test_without_the_extra_other_languages_have_no_pictures():
    lexicon = IconLexicon(emoji=False, language='de')
    assert len(lexicon) == 0 and lexicon.find('Katze') == (None, '') and lexicon.spots('Katze') == []


@needs_emoji
@pytest.mark.parametrize(
    'language,words',
    [('en', 'elephant guitar pizzas rockets'), ('de', 'Katze Haus Pizza Katzen'), ('fr', 'chat maison poisson'),
     ('ru', 'кошка дом рыба деревом'), ('ja', 'ネコ 魚 家'), ('es', 'gato casa'), ('zh', '猫 鱼')],
)
def test_emoji_know_words_of_many_languages(language, words):
    lexicon = IconLexicon(language=language)
    missing = [word for word in words.lower().split() if not lexicon.spots(word)]
    assert not missing


@needs_emoji
def test_words_without_blanks_are_found_where_they_stand():
    lexicon = IconLexicon(language='ja')
    assert [start for start, _ in lexicon.spots('ネコと魚と家')] == [0, 3, 5]
    assert [start for start, _ in IconLexicon().spots('!!😀😀')] == [2, 3]


@needs_emoji
def test_common_words_stay_plain():
    for language, words in dict(en='the of in one is', de='der die das unter', fr='une le sous').items():
        found = {word: IconLexicon(language=language).find(word)[0] for word in words.split()}
        assert {w for w, key in found.items() if key is not None} <= {'in', 'one'}, found


@needs_emoji
def test_an_unknown_language_is_one_line():
    with pytest.raises(DataError, match='dee') as e:
        IconLexicon(language='dee')
    assert '\n' not in str(e.value)


@needs_emoji
def test_all_tokens_of_the_bpe_within_a_minute_of_processor_time():
    vocab = make_vocab('clip')
    tokens = [vocab.label(i) for i in range(len(vocab))]
    began = time.process_time()
    choice = choose_icons(tokens, 14)
    assert time.process_time() - began < 60
    assert (choice.icon_of >= 0).sum() > 1200 and choice.icons.numel() < 2**20
    for word in ('cat', 'dog', 'house', 'guitar'):
        assert choice.icon_of[vocab.index[word + '</w>']] >= 0
    assert choice.icon_of[vocab.index['cat']] == -1  # the beginning of category


def test_words_that_only_look_like_forms_stay_plain():
    lexicon = IconLexicon(emoji=False)
    for word in 'news redding nearly likely earring undering welling forrest singly cater'.split():
        assert lexicon.find(word) == (None, ''), word
    for word, key in dict(selling='sells', cried='cries', rising='rises', smallest='small').items():
        assert lexicon.find(word)[1] == 'stem', word


@needs_emoji
def test_a_train_is_no_picture_of_training():
    lexicon = IconLexicon()
    drawn = 'smiling drinking watering rockets trains rocks beds glasses buses kissed skiing'.split()
    plain = 'training trained parking rocking news wicked headed armed died trucker'.split()
    assert [word for word in drawn if lexicon.find(word)[0] is None] == []
    assert [word for word in plain if lexicon.find(word)[0] is not None] == []


@needs_emoji
def test_no_word_is_drawn_as_letters_of_another_script():
    lexicon = IconLexicon()
    for word in ('accept', 'secret', 'discount', 'vacancy', 'ok'):
        key = lexicon.find(word)[0]
        assert key is None or 'button' not in lexicon.name(key), word
