"Each widget of the course has an animation on its page: there, small, in motion, and made by code that exists."

import json
from pathlib import Path

import pytest
from PIL import Image

from visual_token_diffusion.docs.path_data import PATH, WIDGETS
from visual_token_diffusion.docs.widget_scenes import SCENES, animation_markdown, scene_cells

root = Path(__file__).resolve().parents[2]
COURSE = root / 'nbs' / 'course'
names = [scene.name for scene in SCENES]


def test_every_page_with_a_widget_has_an_animation():
    assert {scene.page for scene in SCENES} == set(WIDGETS)
    assert len(set(names)) == len(names)
    animations = {path.stem for path in (root / 'nbs/images/widgets').glob('*.gif')}
    assert animations == set(names)


@pytest.mark.parametrize('scene', SCENES, ids=names)
def test_the_animation_is_small_and_moves(scene):
    path = root / f'nbs/images/widgets/{scene.name}.gif'
    with Image.open(path) as animation:
        assert 600 <= animation.width <= 700
        assert animation.n_frames >= 4
    assert path.stat().st_size <= 200_000


@pytest.mark.parametrize('scene', SCENES, ids=names)
def test_the_page_shows_the_animation_below_its_widget(scene):
    cells = json.loads((COURSE / f'{PATH[scene.page][0]}.ipynb').read_text(encoding='utf-8'))['cells']
    sources = [''.join(cell['source']) for cell in cells]
    before, widget = scene_cells(scene, COURSE)
    shown = next(i for i, source in enumerate(sources) if animation_markdown(scene) in source)
    assert sources.index(widget) in (shown - 1, shown - 2)
    assert WIDGETS[scene.page] in widget
    assert len(before) > 100


def test_a_page_without_the_widget_is_refused():
    with pytest.raises(ValueError, match='no cell with a line that begins with Studio'):
        scene_cells(SCENES[0]._replace(call='Studio('), COURSE)
