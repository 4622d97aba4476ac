"""The path of the course: a row for each page, and what is outside the form of a page."""

# `python -m visual_token_diffusion.docs.course [--seconds] [FOLDER]` prints both; its exit code is 1 if anything is.
# `python -m visual_token_diffusion.docs.course header NUMBER` prints the second and third cell of a page.

import os
import subprocess
import sys
import time
from pathlib import Path

from .path_checks import find_faults, measure_page, path_pages
from .path_data import COLAB_CELL, colab_link, neighbors_of

__all__ = ['course_header', 'path_rows', 'path_table', 'main']

_COLUMNS = [
    'page', 'words', 'code', 'exported', 'longest', 'picture', 'figures', 'labelled', 'learner', 'callback',
    'widget', 'exercises', 'links', 'citations',
]


def course_header(number, needs='', minutes=30, see='...'):
    "`(Markdown, code)`: the second cell of a path page, and the first code cell. Raises `ValueError`"
    before, after = neighbors_of(number)
    links = [f'[Open in Colab]({colab_link(number)})']
    links += [f'Previous: [{title}]({stem}.ipynb)' for stem, title in [before] if stem]
    links += [f'Next: [{title}]({stem}.ipynb)' for stem, title in [after] if stem]
    opening = f'**Needs** {needs or "nothing"}. **Time** {minutes} minutes. **You will see** {see}.'
    return f'{opening}\n\n{" · ".join(links)}', COLAB_CELL


def path_rows(folder='nbs/course'):
    "A dict for each page of the path, in order"
    return [measure_page(path) for path in path_pages(folder)]


def path_table(rows, columns=None):
    "The rows as aligned text"
    columns = columns or _COLUMNS
    lines = [columns] + [[str(row[c]) for c in columns] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return '\n'.join('  '.join(x.ljust(w) for x, w in zip(line, widths)).rstrip() for line in lines)


def seconds_of(path, profile='ci'):
    "How long a page runs in a fresh process, without the start of Python; None if it fails"
    code = 'import sys, fastai.basics\nfrom nbdev.test import test_nb\nok, t = test_nb(sys.argv[1])\n'
    code += "print('seconds', t)\nraise SystemExit(not ok)"
    env = os.environ | dict(VTD_PROFILE=profile, PYTHONWARNINGS='ignore')
    began = time.time()
    done = subprocess.run([sys.executable, '-c', code, str(path)], env=env, capture_output=True, text=True)
    said = [line for line in done.stdout.splitlines() if line.startswith('seconds ')]
    if done.returncode:
        return None
    return round(float(said[-1].split()[1]) if said else time.time() - began)


def main(argv=None):
    "Print the table and what is outside the form"
    args = sys.argv[1:] if argv is None else list(argv)
    if args[:1] == ['header']:
        print('\n\n---\n\n'.join(course_header(int(args[1]))))
        return 0
    timed = '--seconds' in args
    folder = ([a for a in args if not a.startswith('--')] or ['nbs/course'])[0]
    pages, rows = path_pages(folder), path_rows(folder)
    columns = _COLUMNS + ['seconds'] * timed
    if timed:
        profile = os.environ.get('VTD_PROFILE', 'ci')
        for path, row in zip(pages, rows):
            row['seconds'] = seconds_of(path, profile)
    print(path_table(rows, columns))
    faults = [fault for path in pages for fault in find_faults(path)]
    for fault in faults:
        print(fault)
    missing = sorted(set(range(1, 16)) - {int(p.stem[:2]) for p in pages})
    print(f'{len(rows)} of 15 pages, {len(faults)} things outside the form' + _list_missing(missing))
    return bool(faults)


def _list_missing(numbers):
    return f"; not there: {', '.join(map(str, numbers))}" if numbers else ''


if __name__ == '__main__':
    raise SystemExit(main())
