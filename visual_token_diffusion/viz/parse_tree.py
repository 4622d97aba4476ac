"A tree of nested tuples as a drawing in the colours of its page, with pictures at the leaves."

import html
from typing import NamedTuple

from .data_uris import grid_uris

__all__ = ['Tree']


class _Node(NamedTuple):
    "A name at its place; a leaf has no branches, and a picture if there is one"

    name: str
    x: float
    y: float
    below: tuple
    is_leaf: bool


class Tree:
    "`(name, part, part, ...)`, where a string is a leaf and `(name,)` stands for what is not drawn"

    def __init__(
        self,
        tree,  # a tuple, as `Grammar.parse` gives it
        grids=None,  # {leaf: grid (3,size,size)}, a picture for each leaf that is in it
        width=960,  # of the drawing in pixels
        level=52,  # pixels between a name and the names below it
    ):
        "Raises `ValueError` for what is no tree"
        self.tree = tree
        self.width, self.level = width, level
        _check(tree)
        names = list(grids or {})
        self.pictures = dict(zip(names, (grid_uris(grids[n][None])[0] for n in names)))
        self.slot = width / _n_slots(tree)
        self.side = min(72, int(self.slot * 0.86))
        self.bottom = level * _depth(tree)
        self.turned = self.slot < 64

    def __repr__(self):
        return f'Tree({as_text(self.tree)})'

    def _repr_html_(self):
        root, _ = self._place(self.tree, 0, 0)
        parts = ''.join(self._draw(root))
        height = self.bottom + self.side + (104 if self.turned else 44)
        label = html.escape(as_text(self.tree)[:400], quote=True)
        head = f'<svg viewBox="0 -16 {self.width} {height}" width="{self.width}" role="img"'
        style = 'style="max-width:100%;height:auto;font:14px system-ui,sans-serif"'
        return f'{head} {style} aria-label="{label}">{parts}</svg>'

    def _place(self, tree, first, depth):
        "`(node, next free slot)`"
        if isinstance(tree, str) or len(tree) == 1:
            leaf = isinstance(tree, str)
            y = self.bottom if leaf else depth * self.level
            name = tree if leaf else tree[0]
            return _Node(name, (first + 0.5) * self.slot, y, (), leaf), first + 1
        below = []
        for part in tree[1:]:
            node, first = self._place(part, first, depth + 1)
            below.append(node)
        x = sum(node.x for node in below) / len(below)
        return _Node(tree[0], x, depth * self.level, tuple(below), False), first

    def _draw(self, node):
        "Pieces of SVG of a node and all below it"
        for child in node.below:
            end = child.y - (4 if child.is_leaf else 13)
            line = f'x1="{node.x:.1f}" y1="{node.y + 9:.1f}" x2="{child.x:.1f}" y2="{end:.1f}"'
            yield f'<line {line} stroke="currentColor" opacity=".4"/>'
            yield from self._draw(child)
        if node.is_leaf:
            yield self._leaf(node)
        else:
            yield _text(node.name, node.x, node.y + 3, self.turned and not node.below)

    def _leaf(self, node):
        "Picture and word"
        uri = self.pictures.get(node.name)
        side = self.side if uri else 0
        place = f'x="{node.x - side / 2:.1f}" y="{node.y:.1f}" width="{side}" height="{side}"'
        image = f'<image {place} href="{uri}" style="image-rendering:pixelated"/>' if uri else ''
        return image + _text(node.name, node.x, node.y + side + 16, self.turned)


def _check(tree):
    "Refuse what is no tree. Raises `ValueError`"
    if isinstance(tree, str):
        return
    if not isinstance(tree, tuple) or not tree or not isinstance(tree[0], str):
        raise ValueError(f"a tree is a word or a tuple (name, part, ...), got {str(tree)[:60]!r}")
    for part in tree[1:]:
        _check(part)


def _n_slots(tree):
    "How many places side by side"
    if isinstance(tree, str) or len(tree) == 1:
        return 1
    return sum(map(_n_slots, tree[1:]))


def _depth(tree):
    "Levels below the root"
    if isinstance(tree, str) or len(tree) == 1:
        return 0
    return 1 + max(map(_depth, tree[1:]))


def as_text(tree):
    "The tree in brackets"
    if isinstance(tree, str):
        return tree
    return f'[{" ".join([tree[0], *map(as_text, tree[1:])])}]'


def _text(name, x, y, turned=False):
    "A name, centered; or turned, so that it has room below a narrow leaf"
    name = html.escape(name)
    if not turned:
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="currentColor">{name}</text>'
    where = f'x="{x + 4:.1f}" y="{y - 10:.1f}" transform="rotate(90 {x:.1f} {y - 10:.1f})"'
    return f'<text {where} dy="4" fill="currentColor" font-size="13">{name}</text>'
