"Widgets in a real browser, before a real JupyterLab with a real kernel: typed into, moved, played."

import os
import re

import pytest
import torch

from support.browser import (
    DARK_THEME,
    Notebook,
    chromium,
    missing,
    running_lab,
    write_notebook,
)
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.core.results import save_run
from visual_token_diffusion.training.language_model import train_text
from visual_token_diffusion.worlds.stories import story_text

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or 'a browser is here')

START = '''
import torch
from IPython.display import display
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.training.dashboard import Dashboard, DashboardCB
from visual_token_diffusion.training.dataloaders import lm_dls, split_text, valid_windows
from visual_token_diffusion.training.language_model import lm_learner
from visual_token_diffusion.viz.player import Player
from visual_token_diffusion.viz.widgets import Bench, Between, Explorer, Sentence, WordMap
from visual_token_diffusion.viz.word_map import learned_features, word_map
from visual_token_diffusion.worlds.stories import category_of, story_text
text = story_text(500, torch.Generator().manual_seed(0))
model = VisualTokenLM.from_pretrained('model')
words = model.vocab.encode(text)
categories = {w: c.split(".")[0] for w, c in category_of().items()}
'''
TRAIN = '''
cfg = load_settings("ci", ["unit=words", "steps=40000", "epochs=400"])
vocab, train, valid = split_text(text, cfg)
board = Dashboard(dict(unigram=4.5))
display(board)
dls = lm_dls(train, valid_windows(valid, cfg), cfg)
learn = lm_learner(dls, build_model(vocab, train, cfg), cfg, cbs=[DashboardCB(board)])
board.fit(learn, 400)
'''
SLOW = '''
import copy, functools, time

@functools.wraps(model.generate_steps)
def slow_steps(**wanted):
    for step in model.generate_steps(**wanted):
        time.sleep(.1)
        yield step

slow = copy.copy(model)
slow.generate_steps = slow_steps
Player(slow, "the", steps=4, length=500)
'''
CELLS = [
    START,
    'Sentence(model, "the small cat sleeps")',
    'Player(model, "the", steps=6, length=16)',
    'Explorer(model, "cat")',
    'Between(model, "cat", "house")',
    'Bench(model, model.vocab.decode(words[:200]))',
    'WordMap(word_map(learned_features(model)), model.vocab, categories)',
    TRAIN,
    SLOW,
]


@pytest.fixture(scope='module')
def nb(tmp_path_factory):
    "The notebook with these cells, beside a model; its first cell has run"
    folder = tmp_path_factory.mktemp('lab')
    text = story_text(500, torch.Generator().manual_seed(0))
    cfg = load_settings('ci', ['unit=words', 'steps=20', 'epochs=1'])
    model, _ = train_text(text, cfg)
    model.save_pretrained(folder / 'model')
    write_notebook(folder / 'w.ipynb', CELLS)
    with running_lab(folder) as url, chromium() as chrome:
        notebook = Notebook(chrome, url)
        notebook.run(0, None)
        yield notebook


def test_sentence(nb):
    c = nb.run(1)
    nb.until(lambda: c.count('img') == 4)
    nb.until(lambda: 'given the rest' in c.picture.inner_html())  # the second beat
    text = c.box.locator('textarea')
    text.click()
    nb.page.keyboard.press('End')
    nb.page.keyboard.type(' beside the house', delay=5)
    nb.until(lambda: c.count('img') == 7)
    # or the second beat takes the focus away
    nb.until(lambda: c.picture.inner_html().count('given the rest') == 7)
    card = c.picture.locator('.card')
    assert not card.nth(2).is_visible()
    c.picture.locator('.tok').nth(2).hover()
    assert 'nearest pictures' in card.nth(2).inner_text()
    text.click()
    nb.page.keyboard.press('Tab')
    assert card.nth(0).is_visible()  # by keyboard alone
    c.shot('sentence')
    cases = [
        ('', 'type a few words'),
        ('the zebra sleeps', "has no 'zebra'"),
        ('🦓', "has no '🦓'"),
        ('x' * 10000, 'has no'),
        ('the cat ' * 1250, 'the first 400 of 2,500'),
    ]
    c.refusals(text, cases)
    nb.until(lambda: c.count('img') == 400)
    text.fill('the dog sings')
    nb.until(lambda: c.count('img') == 3)
    fallback = c.box.locator('.vtd-static')
    assert fallback.count() == 1 and not fallback.is_visible(), 'it hides behind the living widget'


def test_player(nb):
    c = nb.run(2)
    write = c.button('Write')
    c.enter('steps', 7)
    write.click()
    c.wait_for('step 7 of 7')  # the 6 of the saved animation stood there before
    nb.until(write.is_enabled)
    c.slide('step', 'Home')
    c.wait_for('step 0 of 7')
    nb.until(lambda: c.count('.tok.new') == 0)
    c.slide('step', 'ArrowRight', 2)
    c.wait_for('step 2 of 7')
    nb.until(lambda: c.count('.tok.new') > 0)
    c.shot('player')
    c.slide('step', 'Home')
    c.wait_for('step 0 of 7')
    c.box.locator('.jupyter-widgets.widget-play button').first.click()
    nb.until(lambda: re.search('step [3-7] of 7', c.text()))


def test_the_player_refuses(nb):
    "What is said stays while the steps play"
    c = nb.cell(2)
    play = c.box.locator('.jupyter-widgets.widget-play button').first
    wrong = c.box.locator('.note.wrong')
    for name, value, old, want in (
        ('guidance', 3, 1, 'this model has no guidance'),
        ('temperature', -1, 1, 'negative'),
    ):
        c.enter(name, value)
        c.button('Write').click()
        c.wait_for_refusal(want)
        c.enter(name, old)
        c.slide('step', 'Home')
        c.wait_for('step 0 of 7')
        assert any(want in note for note in wrong.all_inner_texts())
        play.click()
    for prompt, want in (('the ' * 20, 'leaves no room'), ('zebra 🦓', "has no 'zebra', '🦓'")):
        c.field('prompt').click()
        c.field('prompt').press('Control+a')
        nb.page.keyboard.type(prompt)
        c.button('Write').click()  # typed and clicked at once
        c.wait_for_refusal(want)


def test_the_player_is_cancelled(nb):
    "All 400 steps would take forty seconds and more"
    c = nb.run(8, None)  # its saved animation is written too, and a click meanwhile would come too early
    c.enter('steps', 400)
    c.button('Write').click()
    c.button('Cancel').click()  # as soon as it can be clicked
    c.wait_for_note('cancelled after step')
    n = int(re.search(r'cancelled after step (\d+)', c.box.inner_text())[1])
    assert n < 399
    nb.until(c.button('Write').is_enabled)


def test_explorer(nb):
    c = nb.run(3)
    c.wait_for('the picture of')
    old = c.text()
    readout = c.slider('colour').locator('.widget-readout').inner_text()
    # one key alone: what a slider still has to send would name its own word over the typed one
    c.slide('colour', 'End' if readout == '0' else 'Home')
    nb.until(lambda: c.text() != old)
    word = c.box.get_by_placeholder('go to a word')
    word.fill('dog')
    c.wait_for('"dog"')
    c.shot('explorer')
    c.refusals(word, [('zebra', "has no 'zebra'"), ('the dog', '2 tokens'), ('🦓', 'has no')])


def test_between(nb):
    c = nb.run(4)
    c.wait_for('at 0.50')
    c.slide('position', 'Home')
    c.wait_for('at 0.00: decoded as "cat"')
    c.slide('position', 'End')
    c.wait_for('at 1.00: decoded as "house"')
    c.shot('between')
    cases = [('', 'missing'), ('zebra', "has no 'zebra'"), ('x' * 10000, 'has no')]
    c.refusals(c.box.locator('input[type=text]').first, [*cases, ('the cat', '2 tokens')])


def test_bench(nb):
    c = nb.run(5)
    c.wait_for('200 of 200 tokens are decoded correctly')
    c.slide('noise', 'ArrowRight', 24)
    nb.until(lambda: c.count('.tok.bad') > 0)
    c.shot('bench')
    bar = c.slider('occlusion').locator('.noUi-base').bounding_box()
    middle = bar['y'] + bar['height'] / 2
    nb.page.mouse.move(bar['x'] + 2, middle)
    nb.page.mouse.down()
    old = c.picture.inner_html()
    nb.page.mouse.move(bar['x'] + bar['width'] * 0.5, middle, steps=5)  # dragged
    nb.page.mouse.up()
    nb.until(lambda: c.picture.inner_html() != old)
    cases = [(' ', 'type a few words'), ('zebra', "has no 'zebra'")]
    c.refusals(c.box.locator('textarea'), [*cases, ('the cat ' * 1250, 'the first 400')])


def test_map(nb):
    c = nb.run(6)
    nb.until(lambda: c.count('svg') > 0)
    find = c.box.get_by_placeholder('a word')
    find.fill('cat')
    c.wait_for('"cat" is in the middle')
    c.slide('zoom', 'ArrowRight', 40)
    whole = '194 of 194 words are in this window'
    nb.until(lambda: not c.text().rstrip().endswith(whole))
    c.shot('map')
    c.box.locator('select').select_option('noun')
    nb.until(lambda: c.count('g[opacity="0.25"]') > 0)
    absent = 'not on this map'
    c.refusals(find, [('zebra', absent), ('🦓', absent), ('the cat', '2 tokens')])


def test_how_quick(nb):
    "From a key on a slider to the new picture in the page, 200 tokens, with everything between"
    c = nb.run(5)
    c.wait_for('200 of 200')
    rows = {}
    for label in ('noise', 'occlusion', 'JPEG'):
        key = 'ArrowLeft' if label == 'JPEG' else 'ArrowRight'
        times = sorted(c.milliseconds(label, key) for _ in range(15))
        assert times[0] > 0
        rows[label] = dict(least=times[0], median=times[7], most=times[-1])
    print(rows)
    # wide, and the least of many: tests share their machine with others; the page has the kernel's own times
    limit = float(os.environ.get('VTD_BROWSER_MS', 1500))
    assert all(row['least'] < limit for row in rows.values()), rows
    if os.environ.get('VTD_SAVE'):
        save_run('widgets-browser', rows, 'VTD_SAVE=1 pytest tests/viz/test_browser.py')


def test_dashboard(nb):
    c = nb.run(7)
    nb.until(lambda: c.box.locator('polyline').count() == 2)
    old = c.text()
    nb.until(lambda: c.text() != old)
    c.shot('dashboard')
    stop = c.button('Stop')
    stop.click()
    nb.until(stop.is_disabled)


def test_the_console_is_quiet(nb):
    assert nb.errors == [], nb.errors
    assert not [url for url in nb.outside if 'jupyter' not in url], nb.outside


def light(color):
    return sum(map(int, re.findall(r'\d+', color)[:3]))


def test_looks_small_and_dark(nb):
    "JupyterLab's own dark theme, set as its settings would set it, at two widths"
    page = nb.page
    assert page.evaluate(DARK_THEME)
    page.reload(wait_until='domcontentloaded')
    nb.wait_until_idle()
    nb.until(lambda: page.evaluate('document.body.dataset.jpThemeLight') == 'false')
    nb.run(1)
    page.keyboard.press('Escape')
    page.keyboard.press('Control+b')
    for width in (360, 1400):
        page.set_viewport_size(dict(width=width, height=900))
        c = nb.cell(1)
        c.box.scroll_into_view_if_needed()
        c.box.locator('textarea').fill('the small cat sleeps beside the old house')
        # after the second beat the picture stays: what is replaced has no style
        nb.until(lambda: c.picture.inner_html().count('given the rest') == 8)
        assert c.count('img') == 8
        row = c.picture.locator('.row').first
        nb.until(lambda: row.evaluate('e => e.scrollWidth <= e.clientWidth+1'))
        ink = c.picture.evaluate('e => getComputedStyle(e).color')
        ground = "getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor"
        assert light(ink) > light(page.evaluate(ground)) + 300  # words can be read on the dark page
        c.shot(f'dark_{width}')
