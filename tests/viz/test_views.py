"Views: against whatever somebody may type."

import pytest
import torch
from PIL import Image

from support.html_tags import check_view
from visual_token_diffusion.samplers.base import SamplerStep
from visual_token_diffusion.viz import view_files
from visual_token_diffusion.viz.bench_view import bench_view
from visual_token_diffusion.viz.views import View, between_view, image_view, sentence_view, step_view
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


def rows_of(album):
    "A view of every kind that the library draws itself"
    steps = list(album.model.generate_steps(steps=4, length=8))
    words = [album.label(i) for i in range(4, 6)]
    yield sentence_view(album, 'the cat')
    yield step_view(album, steps, 2)
    yield between_view(album, *words) if album.vocab.name == 'words' else sentence_view(album, 'dog')
    yield image_view(Image.new('RGB', (40, 30), 'red'), 'red')


def test_a_view_is_saved_without_a_browser(album, tmp_path, monkeypatch):
    monkeypatch.setattr(view_files, 'browser_path', lambda: None)
    for k, view in enumerate(rows_of(album)):
        image = Image.open(view.save(tmp_path / f'{k}.png'))
        assert image.format == 'PNG' and len(set(image.convert('RGB').getdata())) >= (1 if k == 3 else 20)
        page = view.save(str(tmp_path / f'{k}.html')).read_text(encoding='utf-8')
        assert page.startswith('<!DOCTYPE html>') and view.html in page and 'http' not in page
    with pytest.raises(ValueError, match='needs a browser .* save it as .html'):
        View('<svg></svg>', 'lines').save(tmp_path / 'x.png')
    assert not (tmp_path / 'x.png').exists()


@pytest.mark.skipif(not view_files.browser_path(), reason='no browser is here')
def test_other_views_are_photographed(tmp_path):
    view = View('<svg width="200" height="90"><rect width="200" height="90" fill="#00f"/></svg>', 'blue')
    image = Image.open(view.save(tmp_path / 'x.png')).convert('RGB')
    assert 200 <= image.width < 300 and 90 <= image.height < 150
    assert image.getpixel((100, 50)) == (0, 0, 255)


BAD_PATHS = {'x.jpg': 'should end in .html or .png', 'no/x.png': 'cannot write', 5: 'expected the path'}


@pytest.mark.parametrize('path', BAD_PATHS, ids=str)
def test_a_view_goes_nowhere_else(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=BAD_PATHS[path]) as e:
        image_view(Image.new('RGB', (9, 9)), 'black').save(path)
    assert '\n' not in str(e.value) and not list(tmp_path.iterdir())
