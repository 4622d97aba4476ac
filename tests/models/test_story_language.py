"The language of the course: one picture for a word, on every page."

import hashlib
import re

import pytest
import torch

from support.checkout import ROOT as root
from visual_token_diffusion.models.story_language import StoryLanguage, story_language
from visual_token_diffusion.models.story_model import story_entropy, story_ids, story_model

CAT = 'e0eca8566e677aeb'


def test_cat_has_one_picture():
    "Made anew it is the same, pixel for pixel"
    first, again = story_language().grids('cat'), StoryLanguage().grids('cat')
    assert torch.equal(first, again)
    pixels = (first * 255).round().to(torch.uint8).numpy().tobytes()
    assert hashlib.sha256(pixels).hexdigest()[:16] == CAT


def test_every_page_from_the_third_uses_it():
    uses = re.compile(r'(import|class) (StoryLanguage|story_language|story_entropy)')
    pages = sorted((root / 'nbs' / 'course').glob('[0-9][0-9]_*.ipynb'))
    for page in pages[2:]:
        assert uses.search(page.read_text(encoding='utf-8')), page.name


@pytest.mark.parametrize('size', [8, 16, 32])
def test_all_words_come_back(size):
    language = story_language(size)
    ids = torch.arange(len(language.vocab))
    assert torch.equal(language.decoder.decode(language.encoder(ids)), ids)
    assert language.read(language.grids('the cat sleeps')) == 'the cat sleeps'


def test_rows_are_sentences():
    language = story_language()
    rows = language.sentence_rows(40, 9, seed=3)
    assert rows.shape[1] == 9 and 0 < len(rows) <= 40
    words = [language.labels(row) for row in rows.tolist()]
    assert all(language.is_sentence(row) for row in words)
    assert not any(language.is_sentence(row[::-1]) for row in words)
    assert not language.is_sentence(['⏎'] * 9)


def test_a_fresh_model_stands_at_the_frequencies():
    from visual_token_diffusion.core.config import load_settings

    cfg = load_settings('ci', ['unit=words', 'length=16', 'width=16', 'heads=2', 'depth=1'])
    model = story_model(cfg).eval()
    assert torch.equal(model.encoder(torch.arange(5)), story_language().encoder(torch.arange(5)))
    ids = story_ids(20, 5)
    assert ids.max() < len(story_language().vocab) and torch.equal(ids, story_ids(20, 5))
    assert 2.5 < story_entropy() < 2.7
