"""Runs pages top to bottom, each in a process of its own that begins with the libraries loaded.

Started as a script it reads paths, one a line, and answers each with one line of JSON. Most of a small page's time
is Python loading torch and fastai; here that is done once, and every page gets a fork of it.
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

SKIP = ['notest', 'slow', 'gpu', 'net']


class PageRunner:
    "One process that holds the libraries and forks for each page"

    def __init__(self, root, env):
        self.process = subprocess.Popen(
            [sys.executable, __file__], cwd=root, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, page):
        "`(ok, seconds, output)` of a page"
        self.process.stdin.write(f'{page}\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, 'the process that runs pages has ended'
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=600)


def run_forked(page, timeout=600):
    "Run a page in a fork; what it prints goes to a file"
    with tempfile.TemporaryFile('w+') as output:
        began, child = time.time(), os.fork()
        if not child:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os._exit(run_here(page))
        status = wait_for(child, timeout)
        output.seek(0)
        return status == 0, time.time() - began, output.read()[-4000:]


def run_here(page):
    "0 if the page runs"
    from nbdev.test import test_nb

    os.chdir(page.parent)
    try:
        return int(not test_nb(page, skip_flags=SKIP)[0])
    except BaseException as e:
        print(repr(e))
        return 1
    finally:
        sys.stdout.flush()


def wait_for(child, timeout):
    "The exit status of a child, which is ended when its time is over"
    deadline = time.time() + timeout
    while time.time() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.02)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return 'out of time'


def serve():
    "Answer every path on standard input"
    warnings.simplefilter('ignore')
    import fastai.basics  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import nbdev.test  # noqa: F401
    import pandas  # noqa: F401
    import torch
    import torch._dynamo  # noqa: F401  (the first optimizer loads it, in a second)

    torch.set_num_threads(1)
    gc.freeze()  # a fork need not look at these objects again, nor copy them
    for line in sys.stdin:
        print(json.dumps(run_forked(Path(line.strip()))), flush=True)


if __name__ == '__main__':
    serve()
