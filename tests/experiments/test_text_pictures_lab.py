import math

import pytest
import torch
from visual_token_diffusion.experiments.text_pictures_lab import (
    ARMS,
    Pages,
    expected_by_chance,
    grammar_probs,
    measured,
    separation,
    trained,
)
from visual_token_diffusion.worlds.stories import stories


def test_the_grammars_probabilities_word_for_word():
    pages, grammar = Pages(), stories()
    rows = pages.rows(6, 0)
    exact = grammar_probs(rows)
    for row, log_p, mode in zip(rows.tolist(), exact.log_prob, exact.mode.tolist()):
        before = []
        for k, i in enumerate(row):
            following = grammar.next_words(before)
            word = '\n' if i == len(grammar.words) else grammar.words[i]
            assert math.isclose(math.exp(log_p[k]), following[word], rel_tol=1e-6)
            best = '\n' if mode[k] == len(grammar.words) else grammar.words[mode[k]]
            assert math.isclose(following[best], max(following.values()), rel_tol=1e-6)
            before = [] if word == '\n' else [*before, word]


def test_pages_fit_and_are_the_same_for_a_seed():
    for text in ('stories', 'random'):
        rows = Pages(text).rows(100, 3)
        assert rows.shape == (100, 8)
        assert torch.equal(rows, Pages(text).rows(100, 3))
        assert Pages(text).sheets.layout(rows)[2].all()
    with pytest.raises(ValueError, match='no text'):
        Pages('novels')


def test_chance():
    rows = Pages().rows(200, 5)
    chance = expected_by_chance(rows[:, :1], grammar_probs(rows))
    assert chance['told'] == chance['constant']  # before the first word nothing is told


def test_separation():
    confidence, right = torch.tensor([0.9, 0.8, 0.2]), torch.tensor([True, False, False])
    assert separation(confidence, right) == 1
    assert separation(confidence, ~right) == 0
    assert separation(confidence.fill_(0.5), right) == 0.5
    assert separation(confidence, torch.ones(3, dtype=torch.bool)) is None


@pytest.mark.parametrize('name', ['picture', 'embedded, two', 'blank', 'convolution, two, random'])
def test_an_arm_is_trained_and_measured(name):
    model = trained(ARMS[name], 0, 2)
    found = measured(model, ARMS[name], 16, counts=(2, 8))
    assert set(found['stories']) == {'2', '8'}
    assert 0 <= found['random']['8']['words'] <= 1
    assert len(found['odd']) == 2


def test_a_blank_page_says_nothing():
    model = trained(ARMS['blank'], 0, 2)
    pages = Pages()
    rows = pages.rows(2, 0)
    blank = torch.zeros_like(pages.patches(rows))
    read, _ = model.read(blank, 8)
    assert torch.equal(read[0], read[1])
