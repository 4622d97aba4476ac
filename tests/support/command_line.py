"`vtd` as a program of its own, as a function, and in a pipe."

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

from visual_token_diffusion.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, '-m', 'visual_token_diffusion']
HANGING = 900  # seconds: what has not ended by then never will, however busy the machine is


def vtd(*args, **options):
    "Run the command in a process of its own"
    words = [*PROGRAM, *map(str, args)]
    return subprocess.run(words, capture_output=True, text=True, timeout=HANGING, **options)


def vtd_bytes(*args, **options):
    "The same, for input and output that are not text"
    return subprocess.run([*PROGRAM, *map(str, args)], capture_output=True, timeout=HANGING, **options)


def run_main(capsys, *args):
    "`(exit code, output, errors)` of the command in this process"
    code = main(list(map(str, args)))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def quiet_main(folder, *args):
    "The same in a folder and without `capsys`: for fixtures. A process of its own would first load torch"
    out, errors = io.StringIO(), io.StringIO()
    before = os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = main(list(map(str, args)))
    finally:
        os.chdir(before)
    return code, out.getvalue(), errors.getvalue()


def shell(line, **options):
    "A line of bash in which `vtd` is the command"
    program = f'set -o pipefail; vtd() {{ "{sys.executable}" -m visual_token_diffusion "$@"; }}; {line}'
    return subprocess.run(['bash', '-c', program], capture_output=True, text=True, timeout=HANGING, **options)


def real_text():
    "English that is on every machine: the language reference that ships inside Python"
    from pydoc_data.topics import topics

    return '\n'.join(topics.values())


def tree(folder):
    "Everything below a folder, as sorted names"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*'))
