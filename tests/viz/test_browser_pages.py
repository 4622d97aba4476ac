"Saved pages in a real browser without a kernel: every picture is there, and animations play."

import json

import pytest

from support.browser import ROOT, chromium, missing, new_page

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or 'a browser is here')
SHOWN = 'animation bench_view codebook_view curves drawing_widget player views widgets word_map'
HEAD = (
    '<meta name="viewport" content="width=device-width">'
    '<style>pre{overflow:auto}img{max-width:100%}</style>'
)
IMAGES = '[...document.images].filter(i => i.complete && i.naturalWidth > 0 && i.alt).length'
BROKEN = '[...document.images].filter(i => !i.naturalWidth).length'
# or a later one: nobody looks at every step
STEP_2 = "/step ([2-9]|[1-9]\\d) of/.test([...document.querySelectorAll('.vtd .bar output')].at(-1).textContent)"


@pytest.fixture(scope='module')
def chrome():
    with chromium() as browser:
        yield browser


def saved_widgets(path):
    "Kinds of saved outputs that are empty boxes without their kernel"
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    outputs = [o for c in cells for o in c.get('outputs', [])]
    return [kind for o in outputs for kind in o.get('data', {}) if 'widget-view' in kind]


def play(page):
    "Wind the last animation to its start and press Play"
    bar = page.locator('.vtd .bar').last
    bar.locator('input').focus()
    page.keyboard.press('Home')
    assert 'step 0 of' in bar.inner_text()
    bar.locator('button').click()
    page.wait_for_function(STEP_2)


@pytest.mark.parametrize('name', SHOWN.split())
def test_pages_without_a_kernel_show_their_pictures(chrome, name):
    from nbconvert import HTMLExporter

    path = ROOT / 'nbs' / 'viz' / f'{name}.ipynb'
    assert saved_widgets(path) == [], '.ci/refresh leaves them out'
    html, _ = HTMLExporter(template_name='basic').from_filename(str(path))
    page = new_page(chrome, 360, 800)
    errors, asked = [], []
    page.on('pageerror', lambda e: errors.append(str(e)))
    page.on('request', lambda r: asked.append(r.url))
    page.set_content(HEAD + html)
    assert page.evaluate(IMAGES) or page.locator('svg[role=img]').count()
    assert page.evaluate(BROKEN) == 0 and errors == []
    assert [url for url in asked if not url.startswith(('data:', 'about:'))] == []
    if page.locator('.vtd .bar button').count():
        play(page)
    page.close()
