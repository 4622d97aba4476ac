"""Boxes, arrows, words and grids as pieces of SVG that keep their contrast on light and dark pages.

Words and arrows take the colour of the text around them (`currentColor`); fills are transparent.
"""

import html
from pathlib import Path

from .data_uris import grid_uris

__all__ = ['COLORS', 'Drawing', 'arrow', 'bow', 'box', 'cell', 'grid', 'line', 'polyline', 'words']

# after Okabe and Ito (2008), of middle lightness, so that they stand out on white and on black
COLORS = ['#3a8ccb', '#e0701e', '#14a077', '#cc6fa3', '#c99700', '#8a78e0', '#888888']

_STANDALONE = 'svg{color:#222;background:#fff}@media(prefers-color-scheme:dark){svg{color:#e6e6e6;background:#16191d}}'


def words(x, y, text, size=15, anchor='middle', weight=400, opacity=1, color='currentColor'):
    "A line of text whose middle is at height `y`"
    style = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" opacity="{opacity}" fill="{color}"'
    return f'<text x="{x:.1f}" y="{y + 0.35 * size:.1f}" {style}>{html.escape(str(text))}</text>'


def cell(x, y, width, height, color=None, fill=0.16, dashed=False, radius=4):
    "A rectangle: outlined in `color` (a number in colourS, or None for the colour of text), filled faintly"
    stroke = 'currentColor' if color is None else COLORS[color]
    dash = ' stroke-dasharray="5 4"' if dashed else ''
    shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius}"'
    return f'<rect {shape} fill="{stroke}" fill-opacity="{fill}" stroke="{stroke}" stroke-width="1.6"{dash}/>'


def box(x, y, width, height, lines, color=0, size=16):
    "A rectangle with lines of text in its middle; the first is bold"
    lines = [lines] if isinstance(lines, str) else list(lines)
    drawn, step = [cell(x, y, width, height, color, radius=8)], size + 4
    top = y + height / 2 - step * (len(lines) - 1) / 2
    drawn.append(words(x + width / 2, top, lines[0], size, weight=600))
    for i, text in enumerate(lines[1:], 1):
        drawn.append(words(x + width / 2, top + step * i, text, size - 2))
    return ''.join(drawn)


def polyline(points, width=1.6, opacity=1, color='currentColor'):
    "A line through points `(x, y)`"
    path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
    style = f'stroke="{color}" stroke-width="{width}" stroke-opacity="{opacity}"'
    return f'<polyline points="{path}" fill="none" {style}/>'


def line(x1, y1, x2, y2, **kwargs):
    "A straight line between two points"
    return polyline([(x1, y1), (x2, y2)], **kwargs)


def _head(x, y, dx, dy, color='currentColor'):
    "The head of an arrow that ends at `(x, y)` in direction `(dx, dy)`"
    length = (dx * dx + dy * dy) ** 0.5 or 1
    ux, uy = dx / length, dy / length
    left = (x - 9 * ux - 4.5 * uy, y - 9 * uy + 4.5 * ux)
    right = (x - 9 * ux + 4.5 * uy, y - 9 * uy - 4.5 * ux)
    points = ' '.join(f'{a:.1f},{b:.1f}' for a, b in ((x, y), left, right))
    return f'<polygon points="{points}" fill="{color}"/>'


def arrow(x1, y1, x2, y2, label='', below='', size=14, **kwargs):
    "An arrow, with a word above its middle and one below (beside, where it is vertical)"
    drawn = line(x1, y1, x2, y2, **kwargs) + _head(x2, y2, x2 - x1, y2 - y1, kwargs.get('color', 'currentColor'))
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    upright = abs(x2 - x1) < abs(y2 - y1)
    if label:
        drawn += words(x + 8, y, label, size, 'start') if upright else words(x, y - 12, label, size)
    if below:
        drawn += words(x - 8, y, below, size, 'end') if upright else words(x, y + 14, below, size)
    return drawn


def bow(x1, y1, x2, y2, bend, label='', size=14):
    "An arrow that leaves and arrives in the middle of a curve of height `bend` (negative: upwards)"
    middle, top = (x1 + x2) / 2, (y1 + y2) / 2 + bend
    path = f'M{x1:.1f},{y1:.1f} Q{middle:.1f},{top + bend:.1f} {x2:.1f},{y2:.1f}'
    drawn = f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.6"/>'
    drawn += _head(x2, y2, x2 - middle, y2 - (top + bend))
    beside = top + (14 if bend > 0 else -12)
    return drawn + (words(middle, beside, label, size) if label else '')


def grid(x, y, side, picture):
    "A grid (3,size,size) in [0,1], its pixels kept sharp"
    uri = grid_uris(picture[None])[0]
    place = f'x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"'
    frame = f'<rect {place} fill="none" stroke="currentColor" stroke-opacity=".5"/>'
    return f'<image {place} href="{uri}" style="image-rendering:pixelated" preserveAspectRatio="none"/>{frame}'


class Drawing:
    "Pieces of SVG that a notebook shows inline, as wide as its column"

    def __init__(self, parts, width, height, title):
        self.parts, self.title = list(parts), title
        self.width, self.height = width, height

    def __repr__(self):
        return f'Drawing({self.title})'

    def _open(self, attributes):
        view = f'viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        title = html.escape(self.title, quote=True)
        font = 'font-family="system-ui,sans-serif"'
        return f'<svg {attributes} {view} role="img" aria-label="{title}" {font}><title>{title}</title>'

    def _repr_html_(self):
        size = f'width:100%;max-width:{self.width:.0f}px;min-width:{min(self.width, 620):.0f}px;height:auto'
        svg = self._open(f'style="{size}"') + ''.join(self.parts) + '</svg>'
        return f'<div class="vtd-drawing" style="overflow-x:auto">{svg}</div>'

    def standalone(self):
        "An SVG file's text, with colours of its own for light and dark"
        size = f'xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" height="{self.height:.0f}"'
        return self._open(size) + f'<style>{_STANDALONE}</style>' + ''.join(self.parts) + '</svg>'

    def save(self, path):
        "Write the SVG file"
        Path(path).write_text(self.standalone(), encoding='utf-8')
