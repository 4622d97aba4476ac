"""Where positions look, as SVG: the cells of a picture with a frame each, words beneath, blue for what is seen.

All rows are in the drawing; a style sheet shows the one that is pointed at, so that no script is needed.
"""

import hashlib
import html
from typing import NamedTuple

from .data_uris import image_uri
from .pair_animation import square_side

__all__ = ['WIDTH', 'looks_svg', 'most_seen']

WIDTH = 356  # of a drawing
_BLUE = '#3a8ccb'
_GRAY = '#888888'
_ORANGE = '#e0701e'


class _Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float


def most_seen(
    looks,  # `Looks`
    row,  # (L,) weights
    n: int = 3,  # at most so many
) -> str:
    "The positions with the largest weights, in words"
    values, numbers = row.topk(min(n, len(row)))
    found = zip(values.tolist(), numbers.tolist())
    return ', '.join(f'{looks.positions[k].name} {value:.0%}' for value, k in found)


def _boxes(positions):
    "Where each position is drawn: cells in a square between their marks, words in rows of five beneath"
    side = square_side(sum(position.kind == 'cell' for position in positions))
    slot = 256 / side
    boxes, n_words = [], 0
    for position in positions:
        if position.kind == 'cell':
            row, col = divmod(int(position.label), side)
            boxes.append(_Box(48 + col * slot + 1, row * slot + 1, slot - 2, slot - 2))
        elif position.kind == 'frame':
            boxes.append(_Box(0 if position.label == 'begin' else 308, 111, 44, 34))
        else:
            row, col = divmod(n_words, 5)
            boxes.append(_Box(col * 71, 266 + 38 * row, 68, 34))
            n_words += 1
    return boxes


def _text(x, y, text):
    return f'<text x="{x:.0f}" y="{y:.0f}">{html.escape(text)}</text>'


def _tile(image, i, side):
    "The address of a cell of a Pillow picture"
    size = image.width // side
    left, top = i % side * size, i // side * size
    return image_uri(image.crop((left, top, left + size, top + size)))


def _picture(box, uri):
    "A cell of the picture inside its frame"
    size = 0.74 * box.width
    corner = f'x="{box.x + 0.13 * box.width:.0f}" y="{box.y + 0.06 * box.width:.0f}"'
    shape = f'{corner} width="{size:.0f}" height="{size:.0f}"'
    return f'<image {shape} href="{uri}" style="image-rendering:pixelated"></image>'


def _base(looks, boxes):
    "The cells of the picture, and the labels of all other positions"
    side = square_side(sum(position.kind == 'cell' for position in looks.positions))
    drawn = []
    for position, box in zip(looks.positions, boxes):
        if position.kind == 'cell':
            drawn.append(_picture(box, _tile(looks.image, int(position.label), side)))
        else:
            drawn.append(_text(box.x + box.width / 2, box.y + 14, position.label))
    return ''.join(drawn)


def _heat(name, row, boxes):
    "Blue for each of the weights (L,), and the larger ones as numbers, in hundredths"
    most = max(float(row.max()), 1e-9)
    heat, numbers = [], []
    for k, (weight, box) in enumerate(zip(row.tolist(), boxes)):
        if weight >= 0.01 * most:
            heat.append(f'<use href="#{name}k{k}" opacity="{0.7 * weight / most:.2f}"></use>')
        if weight >= 0.02:
            bottom = box.y + box.height - 5
            numbers.append(_text(box.x + box.width / 2, bottom, f'{100 * weight:.0f}'))
    return f'<g fill="{_BLUE}">{"".join(heat)}</g>{"".join(numbers)}'


def _gray(name, allowed):
    "Grey for what may not be seen"
    drawn = [f'<use href="#{name}k{k}"></use>' for k, may_look in enumerate(allowed.tolist()) if not may_look]
    return f'<g fill="{_GRAY}" opacity=".75">{"".join(drawn)}</g>'


def _layers(name, looks, rows, boxes, at):
    "What lies beneath the picture and the labels, and what lies above, for every position"
    beneath, above = [], []
    for i, row in enumerate(rows):
        shown = f'class="l l{i}{" now" if i == at else ""}"'
        ring = f'<use href="#{name}k{i}" fill="none" stroke="{_ORANGE}" stroke-width="3"></use>'
        beneath.append(f'<g {shown}>{_heat(name, row, boxes)}</g>')
        above.append(f'<g {shown}>{_gray(name, looks.allowed[i])}{ring}</g>')
    return ''.join(beneath), ''.join(above)


def _target(name, looks, rows, i):
    "What is pointed at: a position, and what it looks at in words"
    label = html.escape(f'{looks.positions[i].name} looks at {most_seen(looks, rows[i])}', quote=True)
    shape = f'<use href="#{name}k{i}" fill="transparent" stroke="currentColor" stroke-opacity=".35"></use>'
    return f'<g class="q q{i}" tabindex="0" role="img" aria-label="{label}">{shape}</g>'


def _rules(name, n):
    "Show the row that is pointed at, else the one with the focus, else the chosen one"
    svg = f'svg.{name}'
    idle = f'{svg}:not(:has(.q:hover))'
    rules = [
        f'{svg} .l{{display:none}}',
        f'{svg} .q{{cursor:pointer;outline:none}}',
        f'{svg} text{{text-anchor:middle;fill:currentColor;font-size:11px}}',
        f'{idle}:not(:has(.q:focus)) .now{{display:inline}}',
    ]
    for i in range(n):
        rules.append(f'{svg}:has(.q{i}:hover) .l{i},{idle}:has(.q{i}:focus) .l{i}{{display:inline}}')
    return f'<style>{"".join(rules)}</style>'


def _shapes(name, boxes):
    "A rectangle for each position, to be used again and again"
    drawn = []
    for i, box in enumerate(boxes):
        where = ' '.join(f'{key}="{value:.0f}"' for key, value in box._asdict().items())
        drawn.append(f'<rect id="{name}k{i}" {where} rx="4"></rect>')
    return f'<defs>{"".join(drawn)}</defs>'


def looks_svg(
    looks,  # `Looks`
    rows,  # (L,L) weights: where each position looks
    at: int,  # the position that is shown at first
) -> str:
    "A style sheet and a drawing of all rows. Raises `ValueError` for cells that are no square"
    boxes = _boxes(looks.positions)
    name = 'a' + hashlib.sha256(f'{rows.tolist()}{looks.positions}'.encode()).hexdigest()[:6]
    beneath, above = _layers(name, looks, rows, boxes, at)
    targets = ''.join(_target(name, looks, rows, i) for i in range(len(boxes)))
    height = max(box.y + box.height for box in boxes) + 4
    view = f'viewBox="-2 -2 {WIDTH} {height:.0f}" width="{WIDTH}"'
    head = f'<svg class="{name}" {view} role="group" aria-label="where positions look">'
    drawn = f'{_shapes(name, boxes)}{beneath}{_base(looks, boxes)}{above}{targets}'
    return f'{_rules(name, len(boxes))}{head}{drawn}</svg>'
