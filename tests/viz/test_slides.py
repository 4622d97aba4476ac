"Pictures one after the other, and a text field over a language without a network."

import threading

import pytest
from PIL import Image

from visual_token_diffusion.models.story_language import story_language
from visual_token_diffusion.viz import widgets
from visual_token_diffusion.viz.views import image_view
from visual_token_diffusion.viz.widgets import Sentence, Slides


def pictures(n, width=640):
    return [Image.new('RGB', (width, 40), (20 * i, 0, 0)) for i in range(n)]


def test_the_slider_chooses_a_picture():
    slides = Slides(pictures(9), [f'state {i}' for i in range(9)])
    slides.controls['step'].value = 7
    assert 'state 7' in slides.picture.value and slides.status.value == ''
    assert slides.static_fallback().text == ' > '.join(f'state {i}' for i in (0, 2, 3, 5, 6, 8))


def test_one_picture_is_enough_and_none_is_refused():
    assert Slides(pictures(1)).static_fallback().text == 'picture 0'
    with pytest.raises(ValueError, match='no pictures'):
        Slides([])


def test_what_is_wide_scrolls_and_a_text_is_escaped():
    wide, small = (image_view(pictures(1, width)[0], '<b>"x"') for width in (640, 300))
    assert 'class="wide"' in wide.html and 'class="fits"' in small.html
    assert '<b>' not in wide.html and '&quot;' in wide.html and wide.text == '<b>"x"'


def test_a_language_has_pictures_and_no_probabilities():
    field = Sentence(story_language(), 'the cat sleeps', rest=0)
    field.job.wait()
    assert field.picture.value.count('<img') == 3 and 'nearest pictures' in field.picture.value
    assert 'given the rest' not in field.static_fallback().html


def test_what_was_asked_of_an_older_text_is_not_shown(monkeypatch):
    field = Sentence(story_language(), 'the cat sleeps', rest=0)

    def typed_on(model, ids):
        field.controls['text'].value = 'the dog sings'
        yield [0.5] * len(ids)

    monkeypatch.setattr(widgets, 'leave_one_out', typed_on)
    field._find_probs('the cat sleeps', threading.Event())
    assert field.probs == [] and 'given the rest' not in field.picture.value
    field._find_probs('the dog sings', threading.Event())
    assert field.probs == [0.5] * 3 and field.picture.value.count('given the rest') == 3


def test_a_blank_at_the_end_is_no_fault():
    field = Sentence(story_language(), 'the cat ')
    assert field.picture.value.count('<img') == 2 and 'wrong' not in field.picture.value
