"What the packaged models' sentences are worth, and how that is counted."

import pytest

from visual_token_diffusion.experiments.samplers.storyteller import (
    entropy_rate, measure_texts, measure_writing, true_texts, whole_sentences,
)
from visual_token_diffusion.models.text_methods import MASKED_STORYTELLER
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM


def test_what_an_end_cuts_is_no_sentence():
    texts = ['cat sees\nthe dog jumps\none bird', 'no end of a sentence', 'one\n']
    assert whole_sentences(texts) == [['the', 'dog', 'jumps']]


def test_true_texts_are_grammatical_and_a_wrong_order_is_not():
    texts = true_texts(5, 64, n=40)
    found = measure_texts(texts)
    assert found['grammatical'] == 1 and found['sentences'] > 150
    assert 28 < found['bits'] < 38 and found['distinct'] > 0.95
    wrong = [text.replace('the ', 'the the ') for text in texts]
    assert measure_texts(wrong)['grammatical'] < 0.8


def test_entropy_of_a_token():
    assert entropy_rate() == pytest.approx(2.6243, abs=1e-4)


def test_the_storyteller_writes_sentences_in_half_the_calls():
    found = measure_writing(VisualTokenLM.from_pretrained().eval(), 11, n=24)
    assert found['grammatical'] > 0.97 and found['distinct'] > 0.95 and found['most_calls'] <= 32


def test_the_masked_one_is_worse_and_worse_still_where_it_writes_at_random():
    model = VisualTokenLM.from_pretrained(MASKED_STORYTELLER).eval()
    usual, at_random = (measure_writing(model, 11, n=16, steps=8, order=order) for order in (None, 'random'))
    assert 0.6 < usual['grammatical'] < 0.95 and usual['calls'] == 8
    assert at_random['grammatical'] < usual['grammatical'] - 0.1
