"Changed files against what reads them: no traceback, no hang, no flood of memory, nothing executed."

import random
import re
import resource
import signal
import sys
import time
from pathlib import Path

# how often each kind, about as cheap as it is
CHEAP = dict(
    png=50, vocab=10, settings=15, config=3, model=3, state=0.1, decode=0.1, photo=20, corpus=10, bpe=5,
    tokenizer=4, blt=4, shards=10, log=10, info=1, prompts=0.1, font=2,
)
FORBIDDEN = re.compile(
    r'^(os\.(system|exec|posix_spawn|fork|putenv|chmod)|subprocess\.Popen|socket\.|ctypes\.dlopen|webbrowser|shutil\.)'
)
HANGING = 120  # seconds on the clock; what takes long is told by processor time


class Hang(BaseException):
    "Too long; nobody who catches what may go wrong catches this"


class Watch:
    "Notes forbidden things that happen while it is on"

    def __init__(self):
        self.is_on, self.events = False, []
        sys.addaudithook(self.note)

    def note(self, event, args):
        if self.is_on and FORBIDDEN.match(event):
            self.events.append(event)

    def __enter__(self):
        self.is_on, self.events = True, []

    def __exit__(self, *error):
        self.is_on = False


def memory_peak():
    "The largest memory of this process so far, MB"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _alarm(number, frame):
    raise Hang


def _answer(kind, data):
    "`(answer, finding or None)`"
    try:
        kind.read(data)
    except ValueError as e:
        answer = f'{type(e).__name__}: {e}'
        is_long = len(str(e).strip().splitlines()) > 1
        return answer, f'more than one line: {answer[:300]}' if is_long else None
    except BaseException as e:
        answer = f'{type(e).__name__}: {e}'
        return answer, answer[:300]
    return 'read', None


def _processor_seconds(kind, data):
    "What was slow on the clock is tried again and its processor time counted: the machine may have been busy"
    began = time.process_time()
    signal.setitimer(signal.ITIMER_REAL, HANGING)
    _answer(kind, data)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return time.process_time() - began


def try_one(kind, data, seconds, watch):
    "`(answer, finding or None, seconds)` of one input"
    signal.setitimer(signal.ITIMER_REAL, HANGING)
    began = time.perf_counter()
    with watch:
        answer, finding = _answer(kind, data)
    took = time.perf_counter() - began
    if watch.events:
        finding = f'it did {watch.events[:3]}'
    if took > seconds / 4:
        took = _processor_seconds(kind, data)
        if took > seconds:
            finding = f'{took:.1f} s'
    return re.sub(r"/\S+|[0-9]+|'[^']*'", '#', answer[:1000])[:120], finding, took


class Pool:
    "Inputs of one kind: the good ones, and those that led to an answer that was not seen before"

    def __init__(self, kind):
        self.kind, self.inputs = kind, list(kind.seeds)
        self.answers = set()
        self.metrics = dict(inputs=0, answers=0, findings=0, slowest=0.0)

    def changed(self, rng):
        is_any = len(self.inputs) < 20 or rng.random() < 0.6
        at = rng.randrange(len(self.inputs) if is_any else len(self.kind.seeds))
        return self.kind.change(rng, self.inputs[at])

    def count(self, data, answer, seconds):
        self.metrics['inputs'] += 1
        self.metrics['slowest'] = max(self.metrics['slowest'], seconds)
        if answer in self.answers:
            return
        self.answers.add(answer)
        self.metrics['answers'] += 1
        if len(data) < 100_000 and len(self.inputs) < 400:
            self.inputs.append(data)


class Fuzzer:
    "Tries inputs of several kinds. The same seed gives the same inputs"

    def __init__(self, kinds, seed=0, seconds=1.0, log=None, found_in=None):
        self.pools, self.seed = {name: Pool(kind) for name, kind in kinds.items()}, seed
        self.seconds, self.log = seconds, log
        self.found_in, self.watch = found_in, Watch()
        self.findings, self.most = [], memory_peak()
        self.weights = [self.weight(name) for name in kinds]
        signal.signal(signal.SIGALRM, _alarm)

    def weight(self, name):
        kind = name.rstrip('0123')
        return CHEAP.get(kind, 1) / sum(other.rstrip('0123') == kind for other in self.pools)

    def try_input(self, i):
        rng = random.Random(f'{self.seed} {i}')
        [name] = rng.choices(list(self.pools), self.weights)
        pool = self.pools[name]
        data = pool.changed(rng)
        answer, finding, took = try_one(pool.kind, data, self.seconds, self.watch)
        finding = self.swelling(i) or finding
        pool.count(data, answer, took)
        if finding:
            pool.metrics['findings'] += 1
            self.note(name, i, finding, data)

    def swelling(self, i):
        "A finding if the memory grew by half a gigabyte; looked at every 16 inputs"
        if i % 16 != 15:
            return None
        before, self.most = self.most, memory_peak()
        grown = self.most - before
        return f'{grown:.0f} MB more in the last 16 inputs' if grown > 500 else None

    def note(self, name, i, finding, data):
        self.findings.append((name, i, finding))
        if len(self.findings) > 50:
            return
        if self.found_in:
            (Path(self.found_in) / f'{name}-{i}').write_bytes(data)
        if self.log:
            self.log(f'{name} {i}: {finding}')

    def run(self, inputs, limit=1e9):
        "Metrics of so many inputs, or of as many as fit into `limit` seconds"
        began, start = time.perf_counter(), memory_peak()
        for i in range(inputs):
            self.try_input(i)
            if time.perf_counter() - began > limit:
                break
        signal.setitimer(signal.ITIMER_REAL, 0)
        kinds = {name: pool.metrics for name, pool in self.pools.items()}
        return dict(
            inputs=sum(m['inputs'] for m in kinds.values()), seconds=round(time.perf_counter() - began, 1),
            memory_before=start, memory_peak=memory_peak(), kinds=kinds, findings=self.findings,
        )


def _add_kind(old, new):
    "Metrics of a kind from two runs"
    largest = {key: max(old[key], new[key]) for key in ('answers', 'slowest')}
    return {key: old[key] + new[key] for key in ('inputs', 'findings')} | largest


def add_metrics(old, new):
    "Metrics of several runs as one"
    if not old:
        return new
    kinds = dict(old['kinds'])
    for name, metrics in new['kinds'].items():
        kinds[name] = _add_kind(kinds[name], metrics) if name in kinds else metrics
    return dict(
        old, kinds=kinds, findings=old['findings'] + new['findings'], inputs=old['inputs'] + new['inputs'],
        seconds=round(old['seconds'] + new['seconds'], 1),
        memory_before=min(old['memory_before'], new['memory_before']),
        memory_peak=max(old['memory_peak'], new['memory_peak']),
    )
