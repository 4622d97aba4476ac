"Curves: only finite points are drawn, and no name can break out."

import math
from collections import namedtuple

import pytest
from PIL import Image

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


def test_a_log_is_drawn_with_its_baselines(tmp_path):
    (tmp_path / 'log.csv').write_text('epoch,train_loss,valid_loss,lr\n1,4.0,4.5,0.1\n2,3.0,,0.1\n')
    assert training_view(tmp_path / 'log.csv').text == 'epoch 2: train 3.000, valid 4.500'
    (tmp_path / 'settings.json').write_text('{"steps": 100, "epochs": 4}')
    (tmp_path / 'metrics.json').write_text('{"unigram": 5.0, "bigram": 4.25, "nelbo": 3}')
    view = training_view(str(tmp_path))
    assert view.text == 'step 50: train 3.000, valid 4.500, unigram 5.000, bigram 4.250'
    assert 'nats per token' in view.html


def learner(metrics=None):
    "fastai's own, of a line through points, with its default callbacks"
    import fastai.callback.progress  # brings `no_bar`
    import torch
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from torch import nn

    x = torch.linspace(0, 1, 64)[:, None]
    data = list(zip(x, 2 * x))
    dls = DataLoaders.from_dsets(data, data[:16], bs=16)
    torch.manual_seed(0)
    return Learner(dls, nn.Linear(1, 1), loss_func=nn.MSELoss(), metrics=metrics)


def test_any_learner_has_curves(tmp_path):
    learn = learner()
    with pytest.raises(ValueError, match='first report'):
        training_view(learn)
    with learn.no_bar(), learn.no_logging():
        learn.fit(3, 0.05)
    view = training_view(learn)
    train, valid = learn.recorder.values[-1]
    assert f'valid {valid:.3f}' in view.text and view.text.startswith('step 12: train ')
    assert view.html.count('<polyline') == 2 and '>loss<' in view.html
    image = Image.open(view.save(tmp_path / 'curves.png'))
    assert image.width > 600 and image.convert('L').getextrema()[0] < 120


BAD = {
    'no columns epoch and train_loss': 'a,b\n1,2\n',
    'cannot read .*: No such file': None,
    'no columns': '',
    'not a table': b'\xff\xfe\x00',
}


@pytest.mark.parametrize('why', BAD)
def test_files_that_are_no_log_are_refused_in_one_line(why, tmp_path):
    path, content = tmp_path / 'log.csv', BAD[why]
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=why) as e:
        training_view(path)
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('given', [5, None, [1, 2], 'nowhere/log.csv', {'a': 1}], ids=str)
def test_what_is_no_history_is_refused_in_one_line(given):
    with pytest.raises(ValueError, match='expected a list of dicts|cannot read') as e:
        training_view(given)
    assert '\n' not in str(e.value)
