"The widget that draws what one types, in a real browser before a real JupyterLab."

import pytest

from support.browser import Notebook, chromium, missing, running_lab, write_notebook

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or 'a browser is here')
CELLS = [
    'from visual_token_diffusion.models.drawing import TextDrawer\n'
    'from visual_token_diffusion.viz.drawing_widget import DrawnText',
    'DrawnText("the cat", TextDrawer(emoji=False))',
]


@pytest.fixture(scope='module')
def nb(tmp_path_factory):
    folder = tmp_path_factory.mktemp('lab')
    write_notebook(folder / 'w.ipynb', CELLS)
    with running_lab(folder) as url, chromium() as chrome:
        notebook = Notebook(chrome, url)
        notebook.run(0, None)
        yield notebook


def test_typing_draws_and_a_card_opens(nb):
    c = nb.run(1)
    grids = '.tok > img'
    nb.until(lambda: c.count(grids) == 2)
    text = c.box.locator('textarea')
    text.click()
    nb.page.keyboard.press('End')
    nb.page.keyboard.type('s slept under the old tree', delay=5)
    nb.until(lambda: c.count(grids) == 7)
    last = c.picture.locator('.tok').nth(6)
    nb.until(lambda: 'tree' in last.inner_text())  # seven words stand there before the last one is typed
    card = c.picture.locator('.card')
    assert not card.nth(1).is_visible()
    c.picture.locator('.tok').nth(1).click()
    assert "form of 'cat'" in card.nth(1).inner_text() and 'near in the stories' in card.nth(1).inner_text()
    box, row = card.nth(1).bounding_box(), c.picture.bounding_box()
    assert box['x'] + box['width'] <= row['x'] + row['width'] + 1
    c.shot('drawn_text')
    text.click()
    nb.page.keyboard.press('Tab')
    assert card.nth(0).is_visible()  # by keyboard alone
    c.refusals(text, [(' ', 'type a few words')])
    text.fill('cat ' * 300)
    c.wait_for('the first 100 are shown')
    assert c.count(grids) == 100 and nb.errors == [], nb.errors
