"Views: against whatever somebody may type."

import pytest
import torch

from support.html_tags import check_view
from visual_token_diffusion.samplers.base import SamplerStep
from visual_token_diffusion.viz.bench_view import bench_view
from visual_token_diffusion.viz.views import between_view, sentence_view, step_view
from visual_token_diffusion.viz.word_map import map_view

typed = [
    '',
    '   ',
    '\n\n',
    'cat',
    'x' * 10_000,
    'the cat ' * 2500,
    'zebra',
    '🦓🐈',
    '<script>alert(1)</script>',
    '\u202e\u0000\x07',
    'ﷺ',
    "'; drop table",
    'the cat sleeps',
]


@pytest.mark.parametrize('text', typed, ids=range(len(typed)))
def test_anything_may_be_typed(album, text):
    places = torch.zeros(len(album.vocab), 2)
    for view in (
        lambda: sentence_view(album, text, [0.5], limit=60),
        lambda: bench_view(album, text, limit=60, sigma=0.1),
        lambda: between_view(album, text, 'c'),
        lambda: between_view(album, 'c', text),
        lambda: map_view(places, album.vocab, find=text),
    ):
        try:
            check_view(view().html)
        except ValueError as e:
            assert '\n' not in str(e) and len(str(e)) < 300


def test_ways_end_at_their_words(album):
    words = [album.label(i) for i in (4, 9)] if album.vocab.name == 'words' else ['a', 'b']
    for position, word in zip((0.0, 1.0), words):
        assert f'decoded as "{word}", 0.00' in between_view(album, *words, position).text
    with pytest.raises(ValueError, match='between 0 and 1'):
        between_view(album, *words, 1.5)


def test_steps(album):
    steps = list(album.model.generate_steps(steps=4, length=12))
    for n, step in enumerate(steps):
        view = step_view(album, steps, n)
        check_view(view.html)
        assert view.html.count('title="masked"') == step.mask.sum()
        written = 0 if n == 0 else (step.changed & ~step.mask).sum()
        assert view.html.count('tok new') == written
    with pytest.raises(ValueError, match='nothing has been written'):
        step_view(album, [])


def test_a_step_without_confidence(album):
    ids, nothing = torch.zeros(1, 3).long(), torch.zeros(1, 3).bool()
    steps = [SamplerStep(ids, ~nothing, nothing), SamplerStep(ids, nothing, ~nothing)]
    view = step_view(album, steps)
    check_view(view.html)
    assert view.html.count('tok new') == 3 and 'probability' not in view.text
