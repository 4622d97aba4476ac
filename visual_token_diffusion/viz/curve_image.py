"""Curves as a picture, for files that no browser shows: the same lines, colours and dashes as the drawing in SVG."""

import io
import math

from PIL import Image

from .style import OKABE_ITO

__all__ = ['curve_image']

_DASHES = ('-', '--', ':', '-.')


def curve_image(
    rows: dict,  # name -> [(x, y), ...]
    levels: dict = None,  # name -> y of a level line
    x_name: str = 'step',
    y_name: str = 'nats per token',
) -> Image.Image:
    "A Pillow picture of curves, each named at its end. Raises `ValueError` without points"
    from matplotlib.figure import Figure

    rows = {name: [(x, y) for x, y in points if math.isfinite(y)] for name, points in rows.items()}
    rows = {name: points for name, points in rows.items() if points}
    if not rows:
        raise ValueError('there is nothing to draw yet')
    figure = Figure(figsize=(7.2, 3.6), dpi=120, layout='constrained')
    axes = figure.add_subplot()
    for k, (name, points) in enumerate(rows.items()):
        label = f'{name} {points[-1][1]:.3f}'
        axes.plot(*zip(*points), color=OKABE_ITO[k % 8], linestyle=_DASHES[k % 4], linewidth=2, label=label)
    for name, y in (levels or {}).items():
        axes.axhline(y, color='#666666', linestyle=':', linewidth=1, label=f'{name} {y:.3f}')
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
    axes.legend(loc='center left', bbox_to_anchor=(1, 0.5), frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format='png')
    return Image.open(file).convert('RGB')
