"""Every widget of the course, and how a reader would use it: what `.ci/animations` does in a browser and records."""

import json
import re
from collections import namedtuple
from pathlib import Path

from .path_data import PATH

__all__ = ['SCENES', 'Scene', 'animation_markdown', 'scene_cells']

Scene = namedtuple('Scene', 'name page call use alt')
Scene.__doc__ = """`name` of the animation, number of the `page`, how the widget's line begins, and a function of the
cell in the browser and of a function that takes a picture, and what the animation shows in words"""


def animation_markdown(scene):
    "Markdown that shows the animation of a scene on a page of the course"
    return f'![{scene.alt}](../images/widgets/{scene.name}.gif)'


def scene_cells(
    scene,  # a `Scene`
    folder='nbs/course',  # where the pages are
):
    "`(code before, code of the widget's cell)` of the page. Raises `ValueError` if it has no such widget"
    path = Path(folder) / f'{PATH[scene.page][0]}.ipynb'
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    sources = [''.join(c['source']) for c in cells if c['cell_type'] == 'code']
    begins = re.compile(rf'^{re.escape(scene.call)}', re.M)
    for i, source in enumerate(sources):
        if begins.search(source):
            return '\n\n'.join(sources[:i]), source
    raise ValueError(f'{path.name} has no cell with a line that begins with {scene.call}')


def _slide(cell, shot, label, key, moves, keys=1, wait=400):
    "Move a slider and take a picture after each move"
    for _ in range(moves):
        cell.slide(label, key, keys)
        cell.page.wait_for_timeout(wait)
        shot()


def _type(cell, shot, field, text, every=3):
    "Type into a field and take a picture every few letters"
    for i in range(0, len(text), every):
        field.press_sequentially(text[i : i + every])
        cell.page.wait_for_timeout(350)
        shot()


def use_between(cell, shot):
    shot()
    cell.slide('position', 'Home')
    _slide(cell, shot, 'position', 'ArrowRight', 10, keys=10)


def use_sentence(cell, shot):
    shot()
    field = cell.box.locator('textarea')
    field.click()
    field.press('End')
    _type(cell, shot, field, ' beside the old house', 4)
    cell.page.wait_for_timeout(1500)
    for i in (1, 2, 3):
        cell.picture.locator('.tok').nth(i).hover()
        cell.page.wait_for_timeout(300)
        shot(3)


def use_map(cell, shot):
    shot()
    field = cell.box.get_by_placeholder('a word')
    _type(cell, shot, field, 'cat', 3)
    _slide(cell, shot, 'zoom', 'ArrowRight', 6, keys=6)
    cell.box.locator('select').select_option('noun')
    cell.page.wait_for_timeout(400)
    shot(3)


def use_explorer(cell, shot):
    shot()
    for label in ('structure', 'colour', 'texture'):
        _slide(cell, shot, label, 'ArrowRight', 2)
    field = cell.box.get_by_placeholder('go to a word')
    field.fill('dog')
    cell.page.wait_for_timeout(500)
    shot(3)


def use_bench(cell, shot):
    shot()
    _slide(cell, shot, 'noise', 'ArrowRight', 5, keys=3)
    _slide(cell, shot, 'occlusion', 'ArrowRight', 3, keys=2)
    cell.slide('noise', 'Home')
    cell.page.wait_for_timeout(400)
    shot(3)


def use_player(cell, shot):
    shot()
    write = cell.button('Write')
    write.click()
    cell.page.wait_for_timeout(800)
    cell.nb.until(write.is_enabled)
    cell.slide('step', 'Home')
    cell.page.wait_for_timeout(400)
    shot(2)
    last = int(cell.text().split(' of ')[1].split(':')[0])
    _slide(cell, shot, 'step', 'ArrowRight', last)
    shot(2)


def use_slides(cell, shot):
    shot()
    cell.slide('step', 'Home')
    _slide(cell, shot, 'step', 'ArrowRight', 10, keys=4)
    shot(2)


def use_guidance(cell, shot):
    cell.slide('w', 'Home')
    cell.page.wait_for_timeout(2500)
    shot()
    _slide(cell, shot, 'w', 'ArrowRight', 6, keys=2, wait=2500)


def use_scales(cell, shot):
    slider = cell.box.locator('.widget-hslider .noUi-handle').first
    slider.press('Home')
    for _ in range(4):
        cell.page.wait_for_timeout(600)
        shot(2)
        slider.press('ArrowRight')


def use_letters(cell, shot):
    shot(2)
    field = cell.box.locator('input[type=text]').first
    field.fill('')
    _type(cell, shot, field, 'snowcat', 1)
    field.press('Enter')
    cell.page.wait_for_timeout(500)
    shot(3)


def use_dashboard(cell, shot):
    stop = cell.button('Stop')
    for _ in range(40):
        cell.page.wait_for_timeout(1500)
        shot()
        if stop.is_disabled():
            break
    cell.page.wait_for_timeout(1000)
    shot(3)


SCENES = [
    Scene('between', 1, 'Between(', use_between, 'A slider moves from the picture of cat to that of dog'),
    Scene('pictures', 3, 'Sentence(', use_sentence, 'A sentence is typed, pictures follow, cards open'),
    Scene('map', 4, 'WordMap(', use_map, 'The map of words finds cat and enlarges its neighborhood'),
    Scene('explorer', 5, 'Explorer(', use_explorer, 'Sliders change structure, colour and texture of a grid'),
    Scene('bench', 7, 'Bench(', use_bench, 'Noise and occlusion grow until words are misread'),
    Scene('player', 8, 'Player(', use_player, 'The model writes, and the steps are played again'),
    Scene('painter', 9, 'Slides(', use_slides, 'A row of noisy grids becomes clear step by step'),
    Scene('guidance', 10, 'Panel(', use_guidance, 'Four painted sentences change as guidance grows'),
    Scene('zoom', 11, 'Panel(', use_scales, 'A sentence is seen through more and more pixels'),
    Scene('letters', 12, 'Panel(', use_letters, 'A new word is typed and drawn letter by letter'),
    Scene('sentence', 13, 'Sentence(', use_sentence, 'Cards say what the model expected in each place'),
    Scene('dashboard', 14, 'board = ', use_dashboard, 'The curves of a training grow while it runs'),
]
