"Any text becomes a row of grids and comes back exactly, in every language, through 8 bits."

import pytest
import torch
from support.command_line import real_text

from visual_token_diffusion.core.errors import InputError
from visual_token_diffusion.encoders.icon_choice import emoji_installed
from visual_token_diffusion.models.drawing import TextDrawer
from visual_token_diffusion.viz.png import load_sentence, save_sentence

TEXTS = dict(
    english='The cat sleeps under the tree.',
    german='Die Katze schläft unter dem Baum, und der Hund frißt einen Apfel.',
    russian='Кошка спит под деревом, а собака ест рыбу.',
    japanese='猫は木の下で寝る。ネコと魚と家。',
    arabic='القطة تنام تحت الشجرة',
    invented='Blorf wugs zindled the gostak; brillig toves did gyre & gimble qwrtzpl',
    odd=' \t two  blanks\n\n\u00a0and\u3000more \u200bof\ufeff it 😀👩‍👩‍👧 \x00\x1b \ud83d',
    digits='3.14159 and 1,000 (one thousand)!!',
)


@pytest.fixture(scope='module', params=[False, None], ids=['own', 'installed'])
def drawer(request):
    return TextDrawer(emoji=request.param)


@pytest.mark.parametrize('name', TEXTS)
def test_a_text_comes_back_exactly(name, drawer):
    drawn = drawer.draw(TEXTS[name])
    assert drawer.read(drawn.grids) == TEXTS[name]
    assert len(drawn.labels) == len(drawn.grids) and 0 <= drawn.grids.min() and drawn.grids.max() <= 1


def test_own_drawings_serve_without_the_extra():
    drawn = TextDrawer('en', emoji=False).draw('The happy king sees a small red house')
    assert drawn.n_icons == 6 and not drawn.credit and drawn.language == 'en'
    assert TextDrawer(emoji=False).draw(TEXTS['german']).n_icons == 0


@pytest.mark.skipif(not emoji_installed(), reason='the extra emoji is not installed')
@pytest.mark.parametrize('name,language,least', [('german', 'de', 3), ('russian', 'ru', 4), ('japanese', 'ja', 3)])
def test_other_languages_have_icons_with_the_extra(name, language, least):
    drawn = TextDrawer().draw(TEXTS[name])
    assert drawn.language == language and drawn.n_icons >= least and drawn.credit


def test_a_word_has_one_icon_where_it_begins():
    drawer = TextDrawer('en', emoji=False)
    drawn = drawer.draw('lampooned lamps')
    shown = drawer.draw('lamps')
    assert drawn.n_icons == 1 and shown.n_icons == 1
    assert drawn.labels[0] == 'lampooned' and set(drawn.labels[1:-1]) <= {'·'}


def test_it_is_read_without_any_icon():
    drawn = TextDrawer().draw(TEXTS['english'])
    assert TextDrawer(emoji=False).read(drawn.grids) == TEXTS['english']


def sentences(n):
    lines = [line.strip() for line in real_text().split('.') if 20 < len(line.strip()) < 300]
    return lines[:: max(1, len(lines) // n)][:n]


def test_sentences_of_a_real_text_through_png(tmp_path):
    "A sample of the thousand that the page of the drawer sends through files"
    drawer = TextDrawer(emoji=False)
    for i, text in enumerate(sentences(20)):
        save_sentence(tmp_path / 'x.png', drawer.draw(text).grids)
        assert drawer.read(load_sentence(tmp_path / 'x.png')[0]) == text, i


def test_a_damaged_ring_is_refused_in_one_line():
    drawer = TextDrawer(emoji=False)
    grids = drawer.draw(TEXTS['english']).grids
    for damaged in (grids.flip(-1), 1 - grids, torch.rand(grids.shape), torch.zeros_like(grids)):
        with pytest.raises(InputError, match='grid 1 of 8') as e:
            drawer.read(damaged)
        assert '\n' not in str(e.value)
    inside = grids.clone()
    inside[..., 4:9, 4:9] = 0
    assert drawer.read(inside) == TEXTS['english']


@pytest.mark.skipif(not emoji_installed(), reason='the extra emoji is not installed')
def test_a_model_card_names_who_drew_the_emoji():
    from visual_token_diffusion.core.config import load_settings
    from visual_token_diffusion.models.build import build_model
    from visual_token_diffusion.text.vocab import make_vocab

    small = ['width=16', 'heads=1', 'depth=1', 'length=8', 'feature_dim=8', 'encoder=pictograms', 'grid=16']
    for text, named in (('the guitar plays the guitar sings ' * 9, True), ('the cat sleeps the cat sees ' * 9, False)):
        vocab = make_vocab('words', text)
        model = build_model(vocab, torch.tensor(vocab.encode(text)), load_settings('ci', small))
        assert ('OpenMoji' in str(model.generate_model_card())) == named
