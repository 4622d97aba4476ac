"""The prose of the pages, in lines that a comparison of two versions can show.

`python -m visual_token_diffusion.docs.prose [PAGE ...]` breaks the long lines of all pages, or of some.
"""

import json
import os
import re
import sys
from pathlib import Path

__all__ = ['WIDTH', 'ragged_cells', 'wrap_page', 'wrap_prose']

WIDTH = 100
_PAGES = Path(__file__).resolve().parents[2] / 'nbs'

_CODE = r'`+[^`]+`+'
_MATH = r'\$(?!\s)[^$]+?(?<!\s)\$(?!\d)'
_LINK = r'!?\[(?:[^\[\]]|\[[^\]]*\])*\]\([^()]*(?:\([^()]*\))?[^()]*\)'
_TAG = r'</?[a-z][^>]*>'
_WORD = re.compile(rf'(?:{_CODE}|{_MATH}|{_LINK}|{_TAG}|\S)+')
_ITEM = re.compile(r'\s*(?:[-*+]|\d+[.)])\s+')
_KEPT = re.compile(r'\s*(?:[>#|<]|:::|\$\$|!\[|\[!\[|\[\^)|\s{4}')  # headings, tables, HTML, equations, pictures
_HARD_BREAK = re.compile(r'(?: {2,}|\\)$')
_FENCE = re.compile(r'\s*(```|~~~|\$\$)')
_BLOCK_START = re.compile(r'[-+*~]+$|\d+[.)]$|[>#|:=<]|---|\$\$|```|\[\^')


def _words(text):
    "Words of a line; one that would begin a list or a table at the start of a line stays with the word before"
    words = []
    for word in _WORD.findall(text):
        if words and _BLOCK_START.match(word):
            words[-1] += ' ' + word
        else:
            words.append(word)
    return words


def _wrap_line(line, width):
    "Lines of at most `width` characters where words allow it; what follows a list's mark is indented"
    mark = _ITEM.match(line)
    first = mark[0] if mark else re.match(r'\s*', line)[0]
    ending = re.search(r'(?: {2,}|\\)?$', line)[0]
    lines, current = [], first
    for word in _words(line[len(first) : len(line) - len(ending)]):
        if current.strip() and current != first and len(current) + 1 + len(word) > width:
            lines.append(current)
            current = ' ' * len(first)
        current += word if current in (first, ' ' * len(first)) else ' ' + word
    return [*lines, current + ending]


def _continues(line, before):
    "Whether a line goes on with the paragraph of the line before, so that both may be broken elsewhere"
    return bool(line.strip() and before.strip()) and not _ITEM.match(line) and not _HARD_BREAK.search(before)


def _paragraphs(source):
    "`(lines, whether they are prose)`: what is no prose is code, an equation, a table, a heading or HTML"
    inside, paragraph = False, []
    for line in source.split('\n'):
        fence = _FENCE.match(line)
        if fence and line.count(fence[1]) % 2:
            inside = not inside
        prose = not (inside or fence or _KEPT.match(line))
        if paragraph and not (prose and _continues(line, paragraph[-1])):
            yield paragraph, True
            paragraph = []
        if prose:
            paragraph.append(line)
        else:
            yield [line], False
    if paragraph:
        yield paragraph, True


def wrap_prose(
    source: str,  # Markdown of a cell
    width: int = WIDTH,
) -> str:
    "The same Markdown, its paragraphs broken between words; links, code and mathematics stay whole"
    lines = []
    for paragraph, prose in _paragraphs(source):
        joined = ' '.join([paragraph[0], *map(str.lstrip, paragraph[1:])])
        lines += _wrap_line(joined, width) if prose else paragraph
    return '\n'.join(lines)


def _markdown_cells(notebook):
    return [cell for cell in notebook['cells'] if cell['cell_type'] == 'markdown']


def ragged_cells(
    page,  # path of a notebook
) -> list:
    "First words of the cells that `wrap_page` would break elsewhere"
    found = []
    for cell in _markdown_cells(json.loads(Path(page).read_text(encoding='utf-8'))):
        source = ''.join(cell['source'])
        if wrap_prose(source) != source:
            found.append(source[:60])
    return found


def wrap_page(
    page,  # path of a notebook, which is rewritten
) -> int:
    "Number of cells that were changed"
    page = Path(page)
    notebook = json.loads(page.read_text(encoding='utf-8'))
    changed = 0
    for cell in _markdown_cells(notebook):
        source = ''.join(cell['source'])
        wrapped = wrap_prose(source)
        if wrapped != source:
            cell['source'] = wrapped.splitlines(keepends=True)
            changed += 1
    if changed:
        temporary = page.with_suffix('.tmp')
        text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True)
        temporary.write_text(text + '\n', encoding='utf-8')
        os.replace(temporary, page)
    return changed


def main(arguments=None):
    "Break the long lines of the pages that are named, or of all"
    names = sys.argv[1:] if arguments is None else arguments
    pages = [Path(name) for name in names] or sorted(_PAGES.rglob('*.ipynb'))
    cells = sum(wrap_page(page) for page in pages if '.ipynb_checkpoints' not in page.parts)
    print(f'{cells} cells of prose broken anew')


if __name__ == '__main__':
    main()
