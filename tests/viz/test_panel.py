"A view with controls: it redraws, it says what went wrong, and it leaves a picture."

import threading

import ipywidgets as W

from visual_token_diffusion.viz.panel import Job, Panel, in_one_line, row_of
from visual_token_diffusion.viz.views import View


def squares(n):
    return View(f'<p>{"■" * n}</p>', f'{n} squares') if n else 1 / n


def panel():
    return Panel(squares, dict(n=W.IntSlider(3, 0, 9)))


def test_a_panel_draws_what_its_controls_say():
    p = panel()
    assert p.values() == dict(n=3) and p.picture.value.count('■') == 3
    p.controls['n'].value = 5
    assert p.picture.value.count('■') == 5 and p.status.value == ''


def test_what_goes_wrong_is_a_line_and_passes():
    p = panel()
    p.controls['n'].value = 0
    assert p.picture.value == '' and 'ZeroDivisionError' in p.status.value
    assert 'Traceback' not in p.status.value and 'role="status"' in p.status.value
    p.controls['n'].value = 2
    assert p.status.value == '' and p.picture.value.count('■') == 2


def test_errors_in_one_line():
    assert in_one_line(ValueError('there is\nno text yet')) == 'there is no text yet'
    assert in_one_line(KeyError()) == 'this cannot be shown (KeyError)'
    assert in_one_line(ZeroDivisionError('division by zero')).endswith('(ZeroDivisionError: division by zero)')


def test_the_static_fallback_is_the_view_of_the_moment():
    p = panel()
    bundle = p._static_bundle()
    assert bundle['text/plain'] == '3 squares' and bundle['text/html'].count('■') == 3
    assert 'vtd-static' in bundle['text/html']
    p.make_view = lambda n: (_ for _ in ()).throw(ValueError('nothing to see'))
    assert p._static_bundle()['text/plain'] == 'nothing to see'


def test_widgets_side_by_side():
    assert [type(child) for child in row_of([W.Text(), W.IntSlider()]).children] == [W.Text, W.IntSlider]


def test_new_work_stops_the_old_and_does_not_wait():
    job, log = Job(), []
    job.start(lambda stop: log.append('stopped' if stop.wait(60) else 'done'))
    first = job.thread
    job.start(lambda stop: log.append('the second'))
    first.join(30)
    job.wait()
    assert sorted(log) == ['stopped', 'the second']


def test_waiting_has_an_end():
    job, release = Job(), threading.Event()
    job.start(lambda stop: release.wait(60))
    job.wait(0.01)
    assert job.thread.is_alive()
    release.set()
    job.wait()
    assert not job.thread.is_alive()
