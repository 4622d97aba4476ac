"JupyterLab with a kernel, and a real browser before it."

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from pathlib import Path

try:
    from playwright.sync_api import Error as PlaywrightError
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None

ROOT = Path(__file__).resolve().parents[2]
SHOTS = os.environ.get('VTD_SHOTS')  # a folder for screenshots
NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')
BROWSER = os.environ.get('VTD_CHROMIUM') or next(filter(None, map(shutil.which, NAMES)), None)
SETTINGS = {
    'apputils-extension/notification': '{"fetchNews":"false","checkForUpdates":false}',
    'notebook-extension/tracker': '{"windowingMode":"none"}',
}
PATIENCE = 300  # seconds: what is not there by then never comes, however busy the machine is
HARMLESS = re.compile(
    r'favicon|Failed to load resource.*(404|403)|extensionmanager|jupyterlab_apod|lsp|plugin'
    r'|deprecat|source ?map|Extension|\[Violation\]|OpenType',
    re.I,
)

# Milliseconds from a key on a slider to the new picture in the page
ANSWER_TIME = '''async ([i, label, key]) => {
  const selector = `.jp-Notebook .jp-Cell[data-windowed-list-index="${i}"]`;
  const cell = document.querySelector(selector);
  const sliders = [...cell.querySelectorAll('.widget-hslider')];
  const slider = sliders.find(e => e.textContent.includes(label));
  const box = [...cell.querySelectorAll('.widget-html-content')].at(-1), t = performance.now();
  const seen = new Promise(done => {
    const observer = new MutationObserver(() => {
      observer.disconnect();
      requestAnimationFrame(() => done(performance.now()-t));
    });
    observer.observe(box, {childList: true, subtree: true, characterData: true});
  });
  const handle = slider.querySelector('.noUi-handle');
  handle.dispatchEvent(new KeyboardEvent('keydown', {key: key, bubbles: true}));
  return Promise.race([seen, new Promise(done => setTimeout(() => done(-1), 60000))]);
}'''

# Sets JupyterLab's own dark theme as its settings would set it
DARK_THEME = '''async () => {
  const token = document.cookie.match(/_xsrf=([^;]*)/);
  const headers = {'Content-Type': 'application/json', 'X-XSRFToken': token ? token[1] : ''};
  const body = JSON.stringify({raw: '{"theme": "JupyterLab Dark"}'});
  const address = '/lab/api/settings/@jupyterlab/apputils-extension:themes';
  return (await fetch(address, {method: 'PUT', headers: headers, body: body})).ok;
}'''


def missing():
    "Why no browser test can run, or nothing"
    if sync_playwright is None:
        return 'playwright is not installed: pip install -e ".[dev]"'
    if not BROWSER:
        return f'no browser found ({", ".join(NAMES)}): apt-get install chromium, or set VTD_CHROMIUM'
    return ''


if missing():
    warnings.warn(f'THE BROWSER TESTS DO NOT RUN: {missing()}')


@contextlib.contextmanager
def chromium():
    "A browser"
    flags = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=BROWSER, args=flags, timeout=PATIENCE * 1000)
        yield browser
        browser.close()


def new_page(browser, width, height=900):
    "A page of this size, which waits long"
    page = browser.new_page(viewport=dict(width=width, height=height))
    page.set_default_timeout(PATIENCE * 1000)
    return page


def write_notebook(path, sources):
    "A notebook of these code cells, not run yet"
    empty = dict(cell_type='code', metadata={}, outputs=[], execution_count=None)
    cells = [empty | dict(id=f'c{i}', source=source) for i, source in enumerate(sources)]
    kernel = dict(name='python3', display_name='python3', language='python')
    metadata = dict(kernelspec=kernel)
    notebook = dict(cells=cells, metadata=metadata, nbformat=4, nbformat_minor=5)
    path.write_text(json.dumps(notebook))


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def start_lab(folder):
    "A process that serves `folder`, with settings and data of its own; it takes another port where this one is taken"
    for name, text in SETTINGS.items():
        path = folder / 'settings' / '@jupyterlab' / f'{name}.jupyterlab-settings'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    env = os.environ | dict(
        JUPYTERLAB_SETTINGS_DIR=str(folder / 'settings'),
        PYTHONPATH=str(ROOT),
        JUPYTER_CONFIG_DIR=str(folder / 'config'),
        JUPYTER_DATA_DIR=str(folder / 'data'),
        JUPYTER_RUNTIME_DIR=str(folder / 'runtime'),
        IPYTHONDIR=str(folder / 'ipython'),
        PYDEVD_DISABLE_FILE_VALIDATION='1',
    )
    options = ['--no-browser', '--allow-root', f'--port={free_port()}', f'--ServerApp.root_dir={folder}']
    options += ['--ServerApp.ip=127.0.0.1', '--IdentityProvider.token=', '--ServerApp.password=']
    command = [sys.executable, '-m', 'jupyterlab', *options]
    with open(folder / 'lab.log', 'w') as log:
        return subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)


def wait_for_lab(process, folder):
    "The address that the process wrote into a file of its own, as soon as somebody answers there"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            for path in (folder / 'runtime').glob('jpserver-*.json'):
                url = json.loads(path.read_text())['url'].rstrip('/')
                urllib.request.urlopen(f'{url}/api', timeout=5)
                return url
        assert process.poll() is None, (folder / 'lab.log').read_text()[-2000:]
        time.sleep(0.25)
    raise AssertionError(f'JupyterLab does not answer: {(folder / "lab.log").read_text()[-2000:]}')


def end_kernels(url):
    with contextlib.suppress(Exception):
        for kernel in json.load(urllib.request.urlopen(f'{url}/api/kernels', timeout=5)):
            address = f'{url}/api/kernels/{kernel["id"]}'
            urllib.request.urlopen(urllib.request.Request(address, method='DELETE'), timeout=5)


@contextlib.contextmanager
def running_lab(folder):
    "Address of a JupyterLab that serves `folder`"
    process = start_lab(folder)
    try:
        url = wait_for_lab(process, folder)
        yield url
        end_kernels(url)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Notebook:
    "The notebook w.ipynb, open in JupyterLab"

    def __init__(self, chrome, url):
        self.page = new_page(chrome, 1400, 1000)
        self.errors, self.outside = [], []
        self.url = url
        self.page.on('console', self.on_console)
        self.page.on('pageerror', lambda e: self.errors.append(str(e)))
        self.page.on('request', self.on_request)
        self.page.goto(f'{url}/lab/tree/w.ipynb', wait_until='domcontentloaded')
        self.page.wait_for_selector('.jp-Notebook .jp-CodeCell')
        self.wait_until_idle()

    def on_console(self, m):
        if m.type == 'error' and not HARMLESS.search(m.text):
            self.errors.append(m.text)

    def on_request(self, r):
        if not r.url.startswith((self.url, 'data:', 'blob:', 'ws://127.')):
            self.outside.append(r.url)

    def wait_until_idle(self):
        idle = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
        self.page.wait_for_selector(idle)

    def until(self, f, seconds=PATIENCE):
        "Wait until `f()` is true"
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if f():
                return
            time.sleep(0.004)
        if SHOTS:
            self.page.screenshot(path=f'{SHOTS}/failed.png')
        raise AssertionError(f'not within {seconds} s; browser console: {self.errors[-3:]}')

    def cell(self, i):
        return Cell(self, i)

    def run(self, i, wait='.vtd-live'):
        "Run cell `i` and wait for an element in its output, or for its number"
        cell = self.cell(i)
        cell.start()
        if wait:
            cell.box.locator(wait).first.wait_for()
        else:
            self.until(lambda: re.search(r'\d', cell.prompt()))
        return cell


class Cell:
    "A cell and the widget in its output"

    def __init__(self, nb, i):
        self.nb, self.page = nb, nb.page
        self.i = i
        self.box = nb.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{i}"]')

    def prompt(self):
        return self.box.locator('.jp-InputPrompt').inner_text()

    def start(self):
        "Run the cell. JupyterLab may put it anew into the page while it loads, and lose a key"
        before = self.prompt()
        for last in (False, False, False, True):
            try:
                self.box.scroll_into_view_if_needed(timeout=60000)
                self.box.locator('.cm-content').first.click(timeout=60000)
                self.page.keyboard.press('Control+Enter')
                self.nb.until(lambda: self.prompt() != before, 60)
                return
            except (PlaywrightError, AssertionError):
                if last:
                    raise

    @property
    def picture(self):
        return self.box.locator('.vtd').first

    def count(self, selector):
        return self.picture.locator(selector).count()

    def text(self):
        return self.picture.inner_text()

    def wait_for(self, *texts):
        "Wait until one of the texts stands in the picture"
        self.nb.until(lambda: any(text in self.text() for text in texts))

    def wait_for_refusal(self, text):
        "Wait until the widget says that something is wrong"
        wrong = self.box.locator('.note.wrong')
        self.nb.until(lambda: any(text in note for note in wrong.all_inner_texts()))

    def wait_for_note(self, text):
        "Wait until the widget says this, right or wrong"
        self.nb.until(lambda: text in self.box.inner_text())

    def refusals(self, field, cases):
        "Type what the widget cannot do; each time it says so"
        for typed, want in cases:
            field.fill(typed)
            self.wait_for_refusal(want)

    def slider(self, label):
        return self.box.locator('.widget-hslider', has=self.page.get_by_text(label, exact=True))

    def slide(self, label, key, n=1):
        "Move the slider called `label` with the keyboard"
        self.slider(label).locator('.noUi-handle').first.focus()
        for _ in range(n):
            self.page.keyboard.press(key)

    def milliseconds(self, label, key):
        "From a key on the slider called `label` to the new picture; -1 if there is none"
        return self.page.evaluate(ANSWER_TIME, [self.i, label, key])

    def field(self, label):
        "The input called `label`"
        name = self.page.get_by_text(label, exact=True)
        return self.box.locator('.widget-text', has=name).locator('input').first

    def enter(self, label, value):
        self.field(label).fill(str(value))
        self.field(label).press('Enter')

    def button(self, name):
        return self.box.get_by_role('button', name=name)

    def shot(self, name):
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.box.screenshot(path=f'{SHOTS}/{name}.png')
