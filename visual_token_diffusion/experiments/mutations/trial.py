"""A pytest session that has collected its tests and forks once for every fault: nothing is imported twice."""

import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from shutil import copy2

from ...core.files import write_text_atomically
from .planting import library_functions, plant, planted_page

__all__ = ['Session', 'copy_checkout', 'enter', 'find_checkout', 'load_libraries']

PACKAGE = 'visual_token_diffusion'
LIBRARIES = (
    'torch', 'numpy', 'scipy.stats', 'pandas', 'matplotlib.pyplot', 'fastai.basics', 'fastai.callback.all',
    'hypothesis', 'pytest', 'nbdev.test', 'PIL.Image', 'tokenizers', 'huggingface_hub', 'safetensors.torch',
)
SKIPPED = ['notest', 'slow', 'gpu', 'net']
SETTINGS = dict(VTD_PROFILE='ci', HF_HUB_OFFLINE='1', MPLBACKEND='agg', OMP_NUM_THREADS='1')


def find_checkout() -> Path:
    "The checkout that this module lies in. Raises `ValueError` where there are no tests"
    root = Path(__file__).resolve().parents[3]
    if (root / 'tests').is_dir() and (root / '.git').exists():
        return root
    raise ValueError('faults are planted in a checkout, whose tests are asked; clone the repository and run it there')


def copy_checkout(root, folder):
    "What git knows of the project, as it lies in the working tree: a fault never meets the tree itself"
    listed = ['git', 'ls-files', '-co', '--exclude-standard']
    names = subprocess.run(listed, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in names:
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy2(root / name, folder / name)


def load_libraries():
    "What every test needs, once for all forks"
    for name in LIBRARIES:
        __import__(name)
    sys.modules['torch'].set_num_threads(1)


def enter(folder):
    "In a fork: the copy is what is imported, and where tests run"
    os.chdir(folder)
    for name in [name for name in sys.modules if name.split('.')[0] == PACKAGE]:
        del sys.modules[name]
    sys.path[:0] = [str(folder), str(folder / 'tests')]
    os.environ.update(SETTINGS, PYTHONPATH=str(folder))


def _wait(child, limit):
    "The exit status of a child; with all that it started it is ended when its time is over"
    deadline = time.time() + limit
    while time.time() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 'out of time'


def _limit(seconds):
    "End this process when it has computed for so many seconds more"
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, resource.RLIM_INFINITY))


def run_in_fork(
    call,  # function that takes the function that tells the parent something
    limit,  # seconds of processor time
):
    "`(status, lines told)` of a call in a fork, which is silent otherwise"
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.setsid()
        _limit(limit)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        try:
            os._exit(call(lambda text: os.write(writing, f'{text}\n'.encode())))
        except BaseException:
            os._exit(1)
    os.close(writing)
    status = _wait(child, 20 * limit)
    with open(reading, encoding='utf-8') as told:
        return status, told.read().splitlines()


class Session:
    "A plugin of pytest that runs the collected tests itself: without a fault, to see what they call, and with each"

    def __init__(self, folder, notes, faults, answer, most=60, pages=True):
        self.folder, self.notes = folder, notes
        self.faults = faults
        self.answer = answer  # function of a fault and its result
        self.most, self.pages = most, pages  # seconds of tests for a fault; whether pages are asked, too

    def pytest_runtestloop(self, session):
        for fault in self.faults:
            __import__(f"{PACKAGE}.{fault.module[:-3].replace('/', '.')}")
        self.items, self.facts = {item.nodeid: item for item in session.items}, {}
        for name in dict.fromkeys(item.nodeid.split('::')[0] for item in session.items):
            self.facts |= self._facts_of(name)
        self.functions = library_functions(self.folder)
        gc.freeze()
        self._control()
        for fault in self.faults:
            self.answer(fault, self.ask(fault))
        return True

    def _control(self):
        "The same road with a fault that is none: an expression in its own place must not fell anything"
        none = next((fault._replace(after=fault.before) for fault in self.faults if fault.before in fault.line), None)
        result = none and self.ask(none)
        if result and result['fell']:
            raise RuntimeError(f"{none.module} without a fault: {result['by']} fails; the tests are not asked")

    def _run(self, item, following=None):
        "Whether a test passes, and the seconds of processor time it took"
        from _pytest.runner import runtestprotocol

        began = time.process_time()
        reports = runtestprotocol(item, log=False, nextitem=following)
        return not any(report.failed for report in reports), time.process_time() - began

    def _facts_of(self, name):
        "For each test of a file: `seconds`, whether it is `sound`, `functions` it calls; kept until the file changes"
        text = (self.folder / name).read_bytes()
        kept = self.notes / f'{sha256(name.encode() + text).hexdigest()[:16]}.json'
        if not kept.exists():
            items = [item for item in self.items.values() if item.nodeid.split('::')[0] == name]
            rows = kept.with_suffix(f'.{os.getpid()}')
            status, _ = run_in_fork(lambda tell: self._observe(items, rows), 300)
            found = [json.loads(row) for row in rows.read_text().splitlines()] if rows.exists() else []
            write_text_atomically(kept, json.dumps({row['test']: row for row in found}))
            rows.unlink(missing_ok=True)
            sound, seconds = sum(row['sound'] for row in found), sum(row['seconds'] for row in found)
            print(f'{name}: {sound} of {len(items)} tests pass without a fault, {seconds:.1f} s', flush=True)
        return json.loads(kept.read_text())

    def _observe(self, items, rows):
        "Run tests and write down which functions of the library each calls"
        library, called = str(self.folder / PACKAGE) + os.sep, set()

        def trace(frame, event, argument):
            code = frame.f_code
            if code.co_filename.startswith(library):
                called.add(f'{code.co_filename[len(library) :]}:{code.co_name}')

        with rows.open('w') as out:
            for item, following in zip(items, [*items[1:], None]):
                called.clear()
                sys.settrace(trace)
                sound, seconds = self._run(item, following)
                sys.settrace(None)
                row = dict(test=item.nodeid, sound=sound, seconds=seconds, functions=sorted(called))
                out.write(json.dumps(row) + '\n')
                out.flush()
        return 0

    def asked(self, fault) -> list:
        "Sound tests of files that reach the function: those of its own first, those that call it, the quick ones"
        where, own = f'{fault.module}:{fault.outer}', f'test_{Path(fault.module).stem}'
        calls = {name: where in row['functions'] for name, row in self.facts.items()}
        files = {name.split('::')[0] for name in calls if calls[name]}
        found = [n for n, row in self.facts.items() if n.split('::')[0] in files and row['sound'] and n in self.items]
        found.sort(key=lambda name: (not calls[name], own not in name, self.facts[name]['seconds']))
        chosen, total = [], 0
        for name in found:
            total += self.facts[name]['seconds']
            if total <= self.most or not chosen:
                chosen.append(name)
        return chosen

    def ask(self, fault) -> dict:
        "Plant a fault in a fork and ask: whether it `fell`, `by` which test, `asked` tests"
        tests = self.asked(fault)
        path = self.folder / PACKAGE / fault.module

        def call(tell):
            if not plant(path, fault, self.functions):
                tell('not planted')
            for name in tests:
                tell(name)
                _limit(3 + 10 * self.facts[name]['seconds'])
                if not self._run(self.items[name])[0]:
                    return 1
            return 0

        limit = 20 + 4 * sum(self.facts[name]['seconds'] for name in tests)
        status, told = run_in_fork(call, limit)
        if 'not planted' in told:
            return dict(fell=False, by='not planted', asked=0)
        if status:
            return dict(fell=True, by=told[-1] if told else 'planting', asked=len(told))
        return self._ask_page(fault, path, len(tests))

    def _ask_page(self, fault, path, asked):
        "The page that the module comes from, with the fault in it"
        page = self.folder / 'nbs' / Path(fault.module).with_suffix('.ipynb')
        if not self.pages or not page.exists():
            return dict(fell=False, by='', asked=asked)
        text = planted_page(page.read_text(encoding='utf-8'), path.read_text(encoding='utf-8'), fault)
        if text is None:
            return dict(fell=False, by='', asked=asked)
        faulty = page.with_name(f'faulty_{page.name}')
        faulty.write_text(text, encoding='utf-8')
        status, _ = run_in_fork(lambda tell: self._run_page(path, fault, faulty), 60)
        faulty.unlink()
        name = page.relative_to(self.folder).as_posix()
        return dict(fell=bool(status), by=name if status else '', asked=asked + 1)

    def _run_page(self, path, fault, page):
        "0 if the page runs, with the fault in the library, too"
        from nbdev.test import test_nb

        plant(path, fault, self.functions)
        os.chdir(page.parent)
        return int(not test_nb(page, skip_flags=SKIPPED)[0])
