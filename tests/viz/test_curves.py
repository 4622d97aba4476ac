"Curves: only finite points are drawn, and no name can break out."

import math
from collections import namedtuple

import pytest

from support.html_tags import check_view
from visual_token_diffusion.viz.curves import axis_ticks, curves, training_view


def test_curves():
    rising = [(0, 1.0), (10, 2.0), (20, math.nan)]
    svg = curves({'a': rising, 'b': [(0, 1.0)], 'c': []}, {'level': 1.5})
    check_view(svg)
    assert svg.count('<polyline') == 2 and 'level 1.500' in svg and 'nan' not in svg
    for bad in ({}, {'a': []}, {'a': [(0, math.inf)]}):
        with pytest.raises(ValueError, match='nothing to draw'):
            curves(bad)


def test_training():
    history = [dict(step=1, train=1.0, valid=2.0)]
    view = training_view(history, {'<script>': 1.0}, failure_modes={'</p><script>': 'x'})
    check_view(view.html)
    assert '<script' not in view.html and view.text.startswith('step 1: train 1.000, valid 2.000')
    with pytest.raises(ValueError, match='first report'):
        training_view([])


Signs = namedtuple('Signs', 'step accuracy leak codebook_usage')


def test_signs_of_any_monitor():
    "Of what a monitor finds, the numbers that are known here are shown"
    signs = Signs(1, 0.5, 0.125, {'a': 1.0})
    view = training_view([dict(step=1, train=1.0, valid=None)], signs=signs)
    check_view(view.html)
    assert '<th>accuracy</th><th>leak</th>' in view.html
    assert '<td>0.50</td><td>0.12</td>' in view.html


SPANS = [(0, 1), (-3.2, 7.9), (0, 1234567), (1e-6, 2e-6), (5, 5)]


@pytest.mark.parametrize('span', SPANS)
def test_ticks_are_round_and_inside(span):
    low, high = span
    ticks = axis_ticks(low, high)
    assert all(low <= t <= high for t in ticks) and len(ticks) <= 6
