"Type and see it drawn: pictures follow the text, cards say why, and emoji name who drew them."

import pytest

from visual_token_diffusion.encoders.icon_choice import emoji_installed
from visual_token_diffusion.models.drawing import TextDrawer
from visual_token_diffusion.viz.drawing_widget import DrawnText, drawn_view, story_neighbors

needs_emoji = pytest.mark.skipif(not emoji_installed(), reason='the extra emoji is not installed')


@pytest.fixture(scope='module')
def own():
    return TextDrawer(emoji=False)


def test_pictures_follow_the_text(own):
    panel = DrawnText('the cat', own)
    assert panel.picture.value.count('grid of') == 2 and panel.picture.value.count('drawn as') == 1
    panel.controls['text'].value = 'the cats slept'
    assert panel.picture.value.count('grid of') == 3 and 'form of &#x27;cat&#x27;' in panel.picture.value
    panel.controls['text'].value = ' '
    assert panel.picture.value == '' and 'type a few words' in panel.status.value
    panel.controls['text'].value = 'cat ' * 500
    assert panel.picture.value.count('grid of') == 100 and 'the first 100 are shown' in panel.picture.value


def test_a_card_says_why_and_what_comes_next(own):
    page = drawn_view(own, 'the cat, blorf').html
    assert 'name of a drawing' in page and 'near in the stories' in page and 'near by letters' in page
    assert 'it only holds a sentence together' in page and 'no picture has this name' in page
    near = story_neighbors('cat', 3)
    assert len(near) == 3 and all(0 < cosine <= 1 and key != 'cat' for key, cosine in near)
    assert story_neighbors('zebu') == [] and story_neighbors(None) == []


def test_what_is_typed_is_no_markup(own):
    page = drawn_view(own, '<script>alert(1)</script> & "cat"').html
    assert '<script' not in page and '&lt;' in page


@pytest.mark.parametrize('text', ['\x00\x1b', '\ud83d', '😀', 'x' * 5000, '猫', '\u200b', 'a\nb'])
def test_odd_texts_are_shown_or_refused_in_one_line(own, text):
    panel = DrawnText(text, own)
    assert bool(panel.picture.value) != ('wrong' in panel.status.value)


def test_without_emoji_nobody_is_credited(own):
    assert 'OpenMoji' not in drawn_view(own, 'a cat plays the guitar').html


def test_the_static_fallback_is_the_same_picture(own):
    bundle = DrawnText('the cat sleeps', own)._static_bundle()
    assert bundle['text/plain'].endswith('the [cat] [sleeps]') and bundle['text/html'].count('class="card"') == 3


@needs_emoji
def test_emoji_are_credited_and_other_languages_have_names():
    page = drawn_view(TextDrawer(), 'Die Katze spielt Gitarre').html
    assert 'OpenMoji (openmoji.org), CC BY-SA 4.0' in page and 'drawn as <em>katze</em>' in page.lower()
    page = drawn_view(TextDrawer(), 'ネコと魚と家').html
    assert page.count('drawn as') == 3


def test_a_source_of_meaning_adds_a_line(own):
    import torch

    class Lengths:
        def features(self, words):
            return torch.nn.functional.one_hot(torch.tensor([min(len(w), 19) for w in words]), 20).float()

    assert 'near in meaning' in drawn_view(own, 'zebu', source=Lengths()).html
