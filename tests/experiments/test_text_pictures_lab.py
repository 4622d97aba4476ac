import pytest
import torch
from visual_token_diffusion.experiments.text.text_pictures_lab import (
    ARMS,
    Arm,
    Pages,
    expected_by_chance,
    measured,
    separation,
    train_arm,
)
from visual_token_diffusion.worlds.story_probs import grammar_probs


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


TWO = Arm('picture', 'random', 2, 'convolution')


@pytest.mark.parametrize('arm', [ARMS['picture'], ARMS['embedded, random'], ARMS['blank'], TWO])
def test_an_arm_is_trained_and_measured(arm):
    model = train_arm(arm, 0, 2)
    found = measured(model, arm, 16, counts=(2, 8))
    assert set(found['stories']) == {'2', '8'}
    assert 0 <= found['random']['8']['words'] <= 1
    assert len(found['odd']) == 2


def test_a_blank_page_says_nothing():
    model = train_arm(ARMS['blank'], 0, 2)
    pages = Pages()
    rows = pages.rows(2, 0)
    blank = torch.zeros_like(pages.patches(rows))
    read, _ = model.read(blank, 8)
    assert torch.equal(read[0], read[1])


def test_pages_are_cut_behind_the_longest_text():
    pages = Pages()
    rows = pages.rows(8, 0)[:, :2]
    whole, cut = pages.patches(rows, whole=True), pages.patches(rows)
    assert torch.equal(whole[:, : cut.shape[1]], cut)
    assert not whole[:, cut.shape[1] :].any() and cut[:, -1].any()
