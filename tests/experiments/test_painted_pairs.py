"Painted rows of words, from a command in miniature: what is counted, and that it goes on where it stopped."

import pytest
import torch

from visual_token_diffusion.core.results import load_run
from visual_token_diffusion.experiments.text import painted_pairs
from visual_token_diffusion.experiments.text.painted_pairs import (
    LENGTH,
    gaps_of,
    main,
    painted_rows,
    share_of_pairs,
    train,
)
from visual_token_diffusion.models.story_language import story_language


def test_pairs_are_neighbors_in_their_order():
    rows = torch.tensor([[1, 2, 3]])
    assert share_of_pairs(rows, rows) == 1.0
    assert share_of_pairs(torch.tensor([[3, 2, 1]]), rows) == 0.0
    assert share_of_pairs(torch.tensor([[1, 2, 9], [2, 3, 1]]), rows) == 0.5


def test_who_says_words_paints_pairs_from_little_text_and_chance_does_not():
    rows = story_language().sentence_rows(2500, LENGTH)
    painted = painted_rows(train('bayes', rows), n=16)
    assert painted.shape == (16, LENGTH)
    by_chance = torch.randint(len(story_language().vocab), (200, LENGTH), generator=torch.Generator().manual_seed(0))
    assert share_of_pairs(painted, rows) > 2 * share_of_pairs(by_chance, rows)


def test_the_command_in_miniature(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(['--sentences', '200', '--seeds', '1'])
    run = load_run('painted-pairs')
    assert set(run['metrics']) == {'pixels, 200 sentences|0', 'bayes, 200 sentences|0'}
    assert run['command'].endswith('painted_pairs')
    assert all(0 <= row['pairs'] <= 1 and row['held_out'] > 0.3 for row in run['metrics'].values())
    both = (run['metrics'][f'{out}, 200 sentences|0']['pairs'] for out in ('bayes', 'pixels'))
    assert gaps_of(200) == [next(both) - next(both)] and gaps_of(300) == []
    monkeypatch.setattr(painted_pairs, 'train', lambda *given: pytest.fail('it was measured already'))
    main(['--sentences', '200', '--seeds', '1'])
