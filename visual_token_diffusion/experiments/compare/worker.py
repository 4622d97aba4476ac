"""A process that measures: it can be stopped when a part never ends, and falls alone when a part brings it down."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import torch

from ...core.errors import DataError, InputError

__all__ = ['InProcess', 'TimeLimitReached', 'Worker', 'main']

STARTUP = 600  # seconds that a process may take to import everything
PATIENCE = 10  # on a busy machine so many times the limit may pass by the clock
ASLEEP = 0.01  # a part that uses less of a core has stopped working


class TimeLimitReached(Exception):
    "The time limit is over"


class _Stopped(BaseException):
    "What a part of the user's own does not catch"


class InProcess:
    "Calls functions of `cells` in this process; the limit of processor time holds on its main thread, on Unix"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def call(self, name, limit, **kwargs):
        "As in a `Worker`"
        from . import cells

        kwargs |= {'cfg': SimpleNamespace(**kwargs['cfg'])} if 'cfg' in kwargs else {}
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or not hasattr(signal, 'setitimer'):
            return getattr(cells, name)(**kwargs)
        clocks = {signal.ITIMER_PROF: (signal.SIGPROF, limit), signal.ITIMER_REAL: (signal.SIGALRM, PATIENCE * limit)}
        before = {number: signal.signal(number, _stop) for number, _ in clocks.values()}
        for clock, (_, seconds) in clocks.items():
            signal.setitimer(clock, seconds)
        try:
            with torch.random.fork_rng(devices=[]):
                return getattr(cells, name)(**kwargs)
        except _Stopped:
            raise TimeLimitReached from None
        finally:
            for clock, (number, _) in clocks.items():
                signal.setitimer(clock, 0)
                signal.signal(number, before[number])


def _stop(number, frame):
    raise _Stopped


class Worker:
    """Calls functions of `cells` in another process. `call` raises `TimeLimitReached`, `ChildProcessError`,
    `ValueError`"""

    def __init__(self, verbose=False):
        self.verbose, self.process = verbose, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _start(self):
        code = f'import sys; from {__name__} import main; sys.exit(main())'
        errors = None if self.verbose else subprocess.DEVNULL
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, '-c', code], stdin=pipe, stdout=pipe, stderr=errors, text=True, encoding='utf-8',
            env=os.environ | dict(PYTHONIOENCODING='utf-8'), start_new_session=True,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._listen, args=(self.process, self.lines), daemon=True).start()
        self._answer(STARTUP)

    @staticmethod
    def _listen(process, lines):
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    def _answer(self, limit):
        "The next line of the process, read"
        try:
            line = self.lines.get(timeout=limit)
        except queue.Empty:
            self.stop()
            raise TimeLimitReached from None
        if line is None:
            code = self.process.wait()
            self.stop()
            raise ChildProcessError(f'the process ended with code {code}')
        return json.loads(line)

    def call(self, name, limit, **kwargs):
        "The result of a function of `cells`, by its name, within so many seconds"
        if self.process is None:
            self._start()
        try:
            self.process.stdin.write(json.dumps(dict(name=name, limit=limit, kwargs=kwargs)) + '\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self._answer(PATIENCE * limit + 60)
        if 'late' in answer:
            self.stop()
            raise TimeLimitReached
        if 'result' in answer:
            return answer['result']
        kind = dict(InputError=InputError, DataError=DataError).get(answer['kind'], ValueError)
        raise kind(answer['error'])

    def stop(self):
        "End the process, whatever it is doing"
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        process.stdin.close()


def _respond(request):
    "The answer to a request: a result, or an error in one line"
    from . import cells

    kwargs = request['kwargs']
    if 'cfg' in kwargs:
        kwargs['cfg'] = SimpleNamespace(**kwargs['cfg'])
    try:
        return dict(result=getattr(cells, request['name'])(**kwargs))
    except ValueError as e:
        return dict(error=' '.join(str(e).split()), kind=type(e).__name__)


class _Watch(threading.Thread):
    "Ends the process when a request takes too much processor time, or has gone to sleep"

    def __init__(self, answers):
        super().__init__(daemon=True)
        self.answers, self.limit = answers, None

    def begin(self, limit):
        self.began = self.awake = time.process_time()
        self.looked, self.asleep = time.monotonic(), 0.0
        self.limit = limit

    def is_late(self):
        limit = self.limit
        if limit is None:
            return False
        used, clock = time.process_time(), time.monotonic()
        self.asleep += min(clock - self.looked, 1.0)  # between two looks a machine may stand still
        self.looked = clock
        if used - self.awake >= ASLEEP * limit:
            self.awake, self.asleep = used, 0.0
        return used - self.began > limit or self.asleep > limit

    def run(self):
        while not self.is_late():
            time.sleep(0.2)
        self.answers.write(json.dumps(dict(late=True)) + '\n')
        self.answers.flush()
        os._exit(1)


def main():
    "Answer requests, a line of JSON each, until there are no more; what a part prints goes to standard error"
    answers = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    watch = _Watch(answers)
    os.dup2(2, 1)
    sys.path[:0] = ['']
    from . import cells  # noqa: F401

    answers.write(json.dumps(dict(result='ready')) + '\n')
    answers.flush()
    watch.start()
    for line in sys.stdin:
        request = json.loads(line)
        watch.begin(request['limit'])
        answer = _respond(request)
        watch.limit = None
        answers.write(json.dumps(answer) + '\n')
        answers.flush()


if __name__ == '__main__':
    main()
