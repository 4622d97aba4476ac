"""A copy of the project, for tests that write into it."""

import contextlib
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP = ('pyproject.toml', 'settings.ini', '_quarto.yml', 'README.md', 'LICENSE')


def copy_project(destination):
    "What git knows of the project, as it lies in the working tree"
    listed = ['git', 'ls-files', '-co', '--exclude-standard']
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True).stdout.splitlines():
        wanted = name in TOP or name.startswith(('nbs/', 'visual_token_diffusion/'))
        if not wanted:
            continue
        (destination / name).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # deleted, or somebody's temporary file that has gone since
            shutil.copy2(ROOT / name, destination / name, follow_symlinks=True)
    return destination
