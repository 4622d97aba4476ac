"Orders of codes, the control, floors, and what is measured of a stream."

import math

import numpy as np
import pytest

from visual_token_diffusion.experiments.text import visual_language
from visual_token_diffusion.experiments.text.visual_language import grammar_metrics, law_metrics, measure, share_found
from visual_token_diffusion.experiments.text.visual_streams import (
    ORDERS,
    STREAMS,
    Lab,
    Stream,
    grid_order,
    reordered,
    shuffled,
)


@pytest.mark.parametrize('side', [1, 2, 4, 8])
def test_orders_are_permutations_and_hilbert_moves_to_neighbors(side):
    for how in ORDERS:
        assert sorted(grid_order(how, side)) == list(range(side * side))
    rows, cols = np.divmod(grid_order('hilbert', side), side)
    assert (np.abs(np.diff(rows)) + np.abs(np.diff(cols)) == 1).all()
    assert (grid_order('random', side, 3) == grid_order('random', side, 3)).all()


def test_bad_orders():
    with pytest.raises(ValueError, match='power of two'):
        grid_order('hilbert', 3)
    with pytest.raises(ValueError, match="got 'spiral'"):
        grid_order('spiral')


def codes():
    rng = np.random.default_rng(0)
    return Stream(list(rng.integers(0, 4, (90, 4))), 4, floor=1.5, grid=True)


def test_reordered_and_shuffled():
    stream = codes()
    turned = reordered(stream, 'random', 1)
    assert turned.floor == 1.5 and all(sorted(a) == sorted(b) for a, b in zip(stream.rows, turned.rows))
    dealt = shuffled(stream)
    counts = [np.bincount(np.concatenate(s.rows)) for s in (stream, dealt)]
    assert (counts[0] == counts[1]).all() and dealt.floor is None
    assert [len(row) for row in dealt.rows] == [4] * 90


def test_floors_are_exact():
    lab = Lab()
    cells = STREAMS['exact cells'](lab, 0)
    assert abs(cells.floor - math.log2(36_864) / 9) < 1e-9 and len(cells.rows) == 36_864
    captions = STREAMS['captions'](lab, 0)
    grammar = lab.world().grammar()
    assert abs(captions.floor - grammar.entropy() / grammar.mean_length()) < 0.02
    assert max(map(max, captions.rows)) < captions.vocab_size


def test_figures(monkeypatch):
    monkeypatch.setattr(visual_language, 'TOKENS', 200)
    figures = measure(codes(), draws=2)
    assert 200 <= figures['tokens'] <= 204 and figures['types'][1] == 4
    assert figures['laws'][1]['none'].startswith('no tail has 50')
    assert figures['low'][3] < figures['corrected'][3]
    told = grammar_metrics(codes(), epochs=1)
    assert set(told) == {'1 tokens', '2 tokens', '3 tokens', 'by place', 'grammar', 'floor'}
    assert share_found({'1 tokens': 3.0, 'grammar': 2.0, 'floor': 1.0}) == 0.5
    assert 'none' in law_metrics(np.ones(100, int), 2)
