"The form of a page of the course's path: what is measured of it, and what is outside."

import re
from pathlib import Path

from ..viz import widgets
from .path_cells import (
    count_words, grid_calls, imported_names, picture_widths, read_cells, shows_something, unlinked_citations,
    verdict_lines,
)
from .path_data import BORROWED, CALLBACKS, COLAB_CELL, LIMITS, WIDGETS, colab_link, neighbors_of, owner_of

__all__ = ['find_faults', 'measure_page', 'path_pages']

_WIDGETS = {*widgets.__all__, 'Player', 'Panel', 'Dashboard'}


def path_pages(folder):
    "The pages `NN_name.ipynb` of a folder, in order"
    return sorted(p for p in Path(folder).glob('[0-9][0-9]_*.ipynb'))


def _code(cells):
    "The code of a page that a reader reads"
    return '\n'.join(line for c in cells if c.is_code and not c.is_unread for line in c.lines)


def _markdown(cells):
    return '\n\n'.join(c.text for c in cells if not c.is_code)


def _first_picture(cells):
    "Which of the cells that are read is the first with a picture, counted from 1; None without one"
    read = [c for c in cells if not c.is_plumbing]
    return next((i for i, c in enumerate(read, 1) if shows_something(c)), None)


def _exercises(cells):
    "Functions `check_...` that judge a reader's answer"
    return sorted(set(re.findall(r'^def (check_\w+)\(', '\n'.join(c.text for c in cells if c.is_code), re.M)))


def _longest(cells):
    return max((len(line) for c in cells if c.is_code for line in c.text.splitlines()), default=0)


def _named(code, names):
    "Which of the names a page's code calls, as text"
    return ', '.join(n for n in sorted(names) if re.search(rf'\b{n}\(', code)) or '-'


def _drawn_grids(cells):
    "`(call, labelled?)` of cells that show a PNG and draw grids"
    shown = [c for c in cells if c.is_code and any(kind == 'image/png' for kind, _ in c.data())]
    return [call for c in shown for call in grid_calls(c, cells)]


def measure_page(path):
    "What the table says of a page"
    path, cells = Path(path), read_cells(path)
    code, text = _code(cells), _markdown(cells)
    grids = _drawn_grids(cells)
    exported = [c for c in cells if c.is_exported and not c.is_plumbing]
    return dict(
        page=path.stem,
        words=sum(count_words(c.text) for c in cells if not c.is_code),
        code=sum(len(c.lines) for c in cells if c.is_code and not c.is_plumbing),  # imports do not count
        exported=sum(len(c.lines) for c in exported),
        longest=_longest(cells),
        picture=_first_picture(cells),
        figures=sum(len(picture_widths(c)) for c in cells),
        labelled=f'{sum(ok for _, ok in grids)}/{len(grids)}',
        learner='yes' if re.search(r'\b(\w+_)?[lL]earner\(', code) else '-',
        callback=_named(code, [CALLBACKS[n] for n in [int(path.stem[:2])] if n in CALLBACKS]),
        widget=_named(code, _WIDGETS),
        exercises=len(_exercises(cells)),
        links=len(re.findall(r'\]\(', text)),
        citations=len(re.findall(r'\]\(https?://(?:arxiv\.org|doi\.org|dx\.doi\.org)', text)),
    )


def _limit_faults(row):
    for name, limit in LIMITS.items():
        if row[name] > limit:
            yield f'{row[name]} {name}, at most {limit}'
    if row['picture'] is None or row['picture'] > 8:
        yield f"the first picture is in cell {row['picture']} of those that are read, not by the eighth"
    if row['exercises'] < 2:
        yield f"{row['exercises']} exercises check themselves (functions check_...), at least 2"


def _opening_faults(cells, number):
    "Title and question; needs, time, what one will see, Colab, previous, next; installation in Colab"
    if not re.match(r'# \S[^\n]*\n\n> [^\n]*\?\s*\Z', cells[0].text.rstrip()):
        yield 'the first cell is not a title and a question'
    second = ' '.join(cells[1].text.split()) if len(cells) > 1 and not cells[1].is_code else ''
    for word in ('Needs', 'Time', 'You will see'):
        if f'**{word}' not in second:
            yield f'the second cell does not say **{word}**'
    if f'({colab_link(number)})' not in second:
        yield f'the second cell does not link to {colab_link(number)}'
    for word, (stem, _) in zip(('Previous', 'Next'), neighbors_of(number)):
        if stem and not re.search(rf'{word}: \[[^\]]+\]\({stem}\.ipynb\)', second):
            yield f'the second cell does not say {word}: [...]({stem}.ipynb)'
    code = [c.text.strip() for c in cells if c.is_code]
    if COLAB_CELL not in code[:2]:
        yield 'the first code cell does not install the library in Colab'


def _picture_faults(cells):
    for cell in cells:
        for width in picture_widths(cell):
            if width is not None and width < 900:
                yield f'a figure is {width:.0f} pixels wide, at least 900: {cell.text.strip().splitlines()[-1][:60]}'
    for name, labelled in _drawn_grids(cells):
        if not labelled:
            yield f'{name} draws grids without their words'


def _training_faults(cells, number):
    code = _code(cells)
    trains = re.search(r'\.(fit|fit_one_cycle|fine_tune)\(', code)
    if number > 1 and '.backward()' in code and not trains:
        yield 'a loop by hand, and no Learner'
    table = any('train_loss' in value for c in cells for _, value in c.data())
    if trains and not table:
        yield 'no table of fastai is shown'
    if trains and 'fit_one_cycle' not in code:
        yield 'trains, but not with fit_one_cycle'
    for part in (CALLBACKS.get(number), WIDGETS.get(number)):
        if part and not re.search(rf'\b{part}\(', code):
            yield f'does not use {part}'


def _verdict_faults(cells, number):
    said = verdict_lines(cells)
    for line in said:
        full = re.search(r'\d', line) and 'expected' in line and re.search(r'\bsupported\b|not decided', line)
        if not full:
            yield f'a verdict without effect size and expected sign: {line.strip()[:80]}'
    strings = [n.value for c in cells if c.is_code for n in _strings(c.tree)]
    bare = [s for s in strings if re.search(r'\b(holds|does not hold)\b', s)]
    bare += re.findall(r'\*\*(?:holds|does not hold)\*\*', _markdown(cells))
    for text in bare:
        yield f'a bare verdict: {text.strip()[:60]}'
    if number < 15 and not said:
        yield 'no verdict'


def _strings(tree):
    import ast

    return [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def _later_faults(cells, number, exports):
    text = _markdown(cells)
    for name in imported_names(cells):
        owner = owner_of(name, exports)
        if owner <= number:
            continue
        if any(name.startswith(part) for part in BORROWED.get(number, ())):
            if not re.search(rf'\({owner:02d}_\w+\.ipynb', text):
                yield f'uses {name} of page {owner} without a link to it'
        else:
            yield f'imports {name}, which page {owner} introduces'


def _text_faults(cells):
    for cell in cells:
        if not cell.is_code:
            yield from (f'a citation without a link: {found}' for found in unlinked_citations(cell.text))
    headings = re.findall(r'^## (.+)$', _markdown(cells), re.M)
    if 'What you learned' not in headings:
        yield 'no section "What you learned"'
    if not {'Try it', 'Exercises'} & set(headings):
        yield 'no section "Try it"'
    names = '\n'.join(c.text for c in cells if c.is_code)
    for check in _exercises(cells):
        if not re.search(rf'assert .*\b{check}\(', names):
            yield f'{check} is never tried on a solution'


def find_faults(path):
    "What is outside the form of a path page, one line each"
    path = Path(path)
    cells, number = read_cells(path), int(path.stem[:2])
    exports = {p: int(q.stem[:2]) for q in path_pages(path.parent) for p in _exported_modules(q)}
    found = [*_limit_faults(measure_page(path)), *_opening_faults(cells, number), *_picture_faults(cells)]
    found += [*_training_faults(cells, number), *_verdict_faults(cells, number)]
    found += [*_later_faults(cells, number, exports), *_text_faults(cells)]
    return [f'{path.stem}: {fault}' for fault in found]


def _exported_modules(path):
    "The module that a page exports, if any"
    return re.findall(r'default_exp ([\w.]+)', '\n'.join(c.text for c in read_cells(path) if c.is_code))
