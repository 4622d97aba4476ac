"""Marks into pixels: exact at every sub-pixel's center, the same on every machine, mirror images for mirrored marks"""

import math
from collections import namedtuple

import numpy as np
import torch

from .colours import PALETTE

__all__ = ['UNITS', 'Board', 'Layer', 'Mark', 'grow']

UNITS = 16  # side of the board
# kind: 'oval' with two corners, 'poly' with its corners, 'line' with its points; points in units
Mark = namedtuple('Mark', 'kind colour points width', defaults=(0.0,))
Layer = namedtuple('Layer', 'marks outline')  # outline: units that it reaches beyond the marks


def grow(cover, radius):
    "(H,W) bool: everything within `radius` pixels of what is true in `cover` (H,W) bool"
    height, width = cover.shape
    grown, reach = cover.copy(), int(radius)
    before = np.zeros((height, width + 1), np.int32)
    np.cumsum(cover, 1, out=before[:, 1:])
    column = np.arange(width)
    for up in range(min(reach, height - 1) + 1):
        side = int(math.sqrt(radius**2 - up**2))
        near = before[:, np.minimum(column + side + 1, width)] > before[:, np.maximum(column - side, 0)]
        grown[up:] |= near[: height - up]
        grown[: height - up] |= near[up:]
    return grown


class Board:
    "A white board of `UNITS` by `UNITS`, `size` pixels wide; every pixel is the mean of its sub-pixels"

    def __init__(self, size):
        self.size, self.over = size, max(2, min(8, 384 // size))
        side = size * self.over
        self.scale = side / UNITS
        self.x = ((np.arange(side) + 0.5) / self.scale)[None]
        self.y = self.x.T
        self.paint = np.ones((side, side, 3), np.float32)

    def pixels(self):
        "(3,size,size) float32 in [0,1]"
        tiles = self.paint.reshape(self.size, self.over, self.size, self.over, 3)
        return torch.from_numpy(tiles.mean((1, 3))).permute(2, 0, 1).contiguous()

    def cover(self, mark):
        "(side,side) bool: the sub-pixels whose centers the mark covers"
        return dict(oval=self._oval, poly=self._poly, line=self._line)[mark.kind](mark)

    def draw_layer(self, layer):
        "The outline of all marks together in ink, then the marks one after the other"
        covers = [self.cover(mark) for mark in layer.marks]
        if layer.outline and covers:
            self.paint[grow(np.logical_or.reduce(covers), layer.outline * self.scale)] = PALETTE['ink']
        for mark, cover in zip(layer.marks, covers):
            self.paint[cover] = PALETTE[mark.colour]

    def _oval(self, mark):
        (x0, y0), (x1, y1) = mark.points
        across = (self.x - (x0 + x1) / 2) / (x1 - x0 or 1e-9)
        down = (self.y - (y0 + y1) / 2) / (y1 - y0 or 1e-9)
        return across**2 + down**2 <= 0.25

    def _poly(self, mark):
        "Even-odd rule: a center is inside if an odd number of edges lies to its right"
        inside = np.zeros((self.x.size, self.x.size), bool)
        for (x0, y0), (x1, y1) in zip(mark.points, mark.points[1:] + mark.points[:1]):
            rows = np.flatnonzero((y0 <= self.y[:, 0]) != (y1 <= self.y[:, 0]))
            if len(rows):
                inside[rows] ^= self.x < x0 + (self.y[rows] - y0) * (x1 - x0) / (y1 - y0)
        return inside

    def _line(self, mark):
        "Everything within half the width of a segment, which rounds joints and ends"
        half, near = mark.width / 2, np.zeros((self.x.size, self.x.size), bool)
        for (x0, y0), (x1, y1) in zip(mark.points, mark.points[1:]):
            rows, columns = self._span(y0, y1, half), self._span(x0, x1, half)
            px, py = self.x[:, columns] - x0, self.y[rows] - y0
            dx, dy = x1 - x0, y1 - y0
            along = np.clip((px * dx + py * dy) / (dx**2 + dy**2 or 1), 0, 1)
            across = (px - along * dx) ** 2 + (py - along * dy) ** 2
            near[rows, columns] |= across <= half**2
        return near

    def _span(self, a, b, half):
        "The sub-pixels of one axis from `half` a unit before `a` and `b` to `half` behind"
        first, last = (min(a, b) - half) * self.scale, (max(a, b) + half) * self.scale
        return slice(max(0, math.floor(first)), max(0, math.ceil(last)))
