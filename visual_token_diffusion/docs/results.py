"""Saved results as one table: headline, page and the command that makes it again; and the cards of the gallery."""

import base64
import html
import io
import re
from collections import Counter
from pathlib import Path

from ..core.results import load_run, runs_folder
from .headlines import HEADLINES

__all__ = ['gallery', 'headline', 'page_of', 'results', 'results_table']


def _numbers(value, name=''):
    "The numbers in a result with their names"
    if isinstance(value, (bool, int, float)):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f'{name} {key}'.strip())
    elif isinstance(value, list) and value:
        yield from _numbers(value[0], name)


def headline(
    run: dict,  # from `load_run`
) -> str:
    "What a saved result says, in one line; its first numbers where nothing better is known"
    for beginning, make in HEADLINES.items():
        if not run['name'].startswith(beginning):
            continue
        try:
            return make(run['metrics'])
        except (AttributeError, KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
            break  # metrics of another version
    first = list(_numbers(run['metrics']))[:3]
    return ', '.join(f'{k} {v:.4g}' if isinstance(v, float) else f'{k} {v}' for k, v in first) or 'no number'


def page_of(run: dict) -> str:
    "The page that makes a result, `folder/page`: the notebook that its command names, or ''"
    return (re.findall(r'nbs/([\w/]+)\.ipynb', run['command']) or [''])[0]


def results(
    folder=None,  # None takes `runs_folder()`
) -> list:
    "Every saved result, in the order of its pages"
    runs = [load_run(path.stem, folder) for path in Path(folder or runs_folder()).glob('*.json')]
    return sorted(runs, key=lambda run: (page_of(run) or '~', run['name']))


def _cell(text):
    "Text within a Markdown table"
    return ' '.join(html.escape(str(text), quote=False).replace('|', '\\|').split())


def _machine(facts):
    "Where a result was made"
    plural = '' if facts['threads'] == 1 else 's'
    return _cell(f"{facts['device']}, {facts['threads']} thread{plural}, torch {facts['torch']}")


def _row(run, usual):
    "One line of the table; a machine other than the usual one is named"
    page = page_of(run)
    link = f"[{page.split('/')[-1]}](../{page}.ipynb)" if page else ''
    machine = _machine(run['facts'])
    says = _cell(headline(run)) + ('' if machine == usual else f' ({machine})')
    return f"| {_cell(run['name'])} | {link} | {says} | `{_cell(run['command'])}` |"


def results_table(
    runs: list,  # from `results`
) -> str:
    "Markdown, for a page in `lab`: the usual machine, then a table of the results, their pages, headlines and commands"
    usual = Counter(_machine(run['facts']) for run in runs).most_common(1)
    said = f'Where nothing else is said, a result was made on: {usual[0][0]}.\n\n' if usual else ''
    # Pandoc gives the columns widths as these dashes are long
    head = ['| result | page | says | made by |', f"|{'-' * 18}|{'-' * 12}|{'-' * 44}|{'-' * 26}|"]
    return said + '\n'.join(head + [_row(run, usual[0][0]) for run in runs])


_CARD = (
    '<figure style="flex:1 1 220px;max-width:300px;margin:0;padding:8px;border:1px solid #8886;border-radius:6px">'
    '<img src="{uri}" alt="{name}: {number}" style="width:100%;image-rendering:pixelated">'
    '<figcaption style="font-size:14px"><strong>{name}</strong><br>{number}<br>'
    '<a href="../{page}.html">{page}</a></figcaption></figure>'
)


def _data_uri(image):
    "A PIL image as text"
    file = io.BytesIO()
    image.convert('RGB').save(file, 'PNG', optimize=True)
    return 'data:image/png;base64,' + base64.b64encode(file.getvalue()).decode()


def gallery(
    cards,  # `(name, picture, number as text, page)`: a PIL image, and `folder/page`
) -> str:
    "HTML of cards that wrap to the width of the page, for a page in `lab`"
    figures = [
        _CARD.format(
            uri=_data_uri(image), name=html.escape(name), number=html.escape(number), page=html.escape(page)
        )
        for name, image, number, page in cards
    ]
    return f'<div style="display:flex;flex-wrap:wrap;gap:12px">{"".join(figures)}</div>'
