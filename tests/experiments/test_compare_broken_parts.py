"Parts that break their promises are named in one line, and what they do to their process is borne."

from types import SimpleNamespace

import pytest
import torch

from visual_token_diffusion.experiments.compare import worker
from visual_token_diffusion.codebooks.balanced_kmeans import BalancedCodebook
from visual_token_diffusion.experiments.compare.base import BrokenPart, settings_of
from visual_token_diffusion.experiments.compare.quantizer import build_quantizer, check_quantizer
from visual_token_diffusion.experiments.compare.run import compare
from visual_token_diffusion.experiments.compare.seams import comparison_of
from visual_token_diffusion.experiments.compare.worker import Worker
from visual_token_diffusion.quantizers.base import Quantized, Quantizer


def broken(make):
    "What is said of a quantizer with a fault"
    with pytest.raises(BrokenPart) as e:
        check_quantizer(make(4))
    assert '\n' not in str(e.value)
    return str(e.value)


class Signs(Quantizer):
    def __init__(self, dim):
        super().__init__(dim, (2,) * dim)

    def encode(self, z):
        return (z > 0).long()

    def decode(self, codes):
        return 2.0 * codes - 1

    def forward(self, z):
        codes = self.encode(z)
        return Quantized(self.decode(codes), codes, {})


class NaNSigns(Signs):
    def decode(self, codes):
        return codes * float('nan')


class WideCodes(Signs):
    def encode(self, z):
        return (z > 0).long() * 7


class OtherDecode(Signs):
    def decode(self, codes):
        return 2.0 * codes + torch.is_grad_enabled()

    def forward(self, z):
        codes = self.encode(z)
        return Quantized(2.0 * codes - 1, codes, {})


class Restless(Signs):
    def encode(self, z):
        return (torch.rand_like(z) > 0.5).long()


class FewCodes(Signs):
    def encode(self, z):
        return (z > 0).long()[..., :2]


@pytest.mark.parametrize(
    'part,words',
    [
        (NaNSigns, 'NaN'), (WideCodes, 'below'), (OtherDecode, 'differ'), (Restless, 'two calls'),
        (FewCodes, 'should be'),
    ],
)
def test_a_quantizer_that_breaks_its_promises_is_named(part, words):
    assert words in broken(part)


def test_a_users_quantizer_gets_the_dim_with_the_nearest_bits():
    assert build_quantizer(Signs, 6, 0.1).dim == 6
    assert build_quantizer(Signs, 6, 0.1, dict(dim=3)).dim == 3
    assert build_quantizer(Quantizer.part('fsq'), 6, 0.1).bits == pytest.approx(6)


OWN = '''
import os, time
from visual_token_diffusion.codebooks.balanced_kmeans import BalancedCodebook

class Mine(BalancedCodebook): pass

class Dies(BalancedCodebook):
    def codes(self, *args): os._exit(7)

class Sleeps(BalancedCodebook):
    def codes(self, *args):
        while True:
            try: time.sleep(1)
            except BaseException: pass

class Prints(BalancedCodebook):
    def codes(self, *args):
        os.write(1, b'{"result": 2}')
        return super().codes(*args)
'''


def test_another_process_survives_what_parts_do(tmp_path, monkeypatch):
    "A file of the user's own: one part is fine, one ends the process, one never ends, one writes to the pipe"
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'own.py').write_text(OWN)
    parts = [f'own.py:{name}' for name in ('Mine', 'Dies', 'Sleeps', 'Prints')]
    settings = ['sentences=300', 'limit=5']
    found = compare('codebook', *parts, profile='ci', seeds=1, settings=settings, apart=True, log=None)
    assert 'code 7' in found.lines[1] and 'time limit' in found.lines[2]
    assert found.mean(parts[0], 'bits') == found.mean(parts[3], 'bits')
    assert found.measured() == [parts[0], parts[3]]


@pytest.mark.parametrize(
    'share, late_at',
    [
        (lambda second: 0.0, 9),  # sleeps from the start
        (lambda second: float(second < 3), 12),  # works for three seconds, then sleeps
        (lambda second: 0.05, None),  # a busy machine
        (lambda second: 1.0, 9),  # works for too long
    ],
)
def test_what_sleeps_is_late_after_the_limit_however_much_it_worked_before(monkeypatch, share, late_at):
    watch, now = worker._Watch(None), dict(clock=0.0, used=0.0)
    monkeypatch.setattr(worker.time, 'monotonic', lambda: now['clock'])
    monkeypatch.setattr(worker.time, 'process_time', lambda: now['used'])
    watch.begin(8)
    found = None
    for second in range(100):
        if found is None and watch.is_late():
            found = second
        now = dict(clock=now['clock'] + 1, used=now['used'] + share(second))
    assert found == late_at


def test_a_machine_that_stands_still_for_a_minute_makes_nobody_late(monkeypatch):
    watch, now = worker._Watch(None), dict(clock=0.0, used=0.0)
    monkeypatch.setattr(worker.time, 'monotonic', lambda: now['clock'])
    monkeypatch.setattr(worker.time, 'process_time', lambda: now['used'])
    watch.begin(8)
    found = []
    for clock in (0.2, 60.2, 60.4, 67.2, 76.2):
        now['clock'] = clock
        found.append(watch.is_late())
    assert found == [False] * 5


HOSTILE = '<script>alert(1)</script>'


def _raise(self, features, sizes, generator=None, counts=None):
    raise KeyError(HOSTILE)


def test_hostile_names_are_text_in_the_report(tmp_path, monkeypatch):
    "A class, a file, a world and an error that look like HTML, all through the pipeline"
    monkeypatch.chdir(tmp_path)
    (tmp_path / '<b>.py').write_text('from visual_token_diffusion.codebooks.random import RandomCodebook as Own\n')
    lines = ['the cat sees the dog and the moon'] * 200
    (tmp_path / '<img src=x onerror=alert(1)>.txt').write_text('\n'.join(lines))
    named = type(HOSTILE, (BalancedCodebook,), {})
    raising = type('"><svg onload=alert(2)>', (BalancedCodebook,), dict(codes=_raise))
    world = '<img src=x onerror=alert(1)>.txt'
    settings = ['sentences=100', 'tokens=64']
    parts = 'balanced', named, raising, '<b>.py:Own'
    found = compare('codebook', *parts, world=world, profile='ci', seeds=1, settings=settings, log=None)
    page = found.save(tmp_path / 'out').read_text()
    assert found.verdicts[raising.__name__] == 'broken' and '<b>.py:Own' in found.measured()
    for tag in ('<script', '<svg onload', '<img src=x', '<b>.py'):
        assert tag not in page
    assert '&lt;script&gt;alert(1)' in page and '&lt;img src=x' in page and '&lt;b&gt;.py:Own' in page
    assert "default-src 'none'" in page and 'http:' not in page and 'https:' not in page


class NaNWhenTrained(Signs):
    "Fine when it is asked, NaN as soon as it is trained"

    def forward(self, z):
        codes = self.encode(z)
        decoded = self.decode(codes)
        return Quantized(decoded * (float('nan') if self.training else 1), codes, {})


def test_a_part_that_trains_to_nan_is_broken():
    settings = ['steps=6', 'width=16']
    found = compare('quantizer', 'fsq', NaNWhenTrained, profile='ci', seeds=1, settings=settings, log=None)
    assert found.verdicts['NaNWhenTrained'] == 'broken' and found.measured() == ['fsq']
    assert 'nan' in found.lines[1].lower() and '\n' not in found.lines[1]


def test_a_worker_refuses_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'boom.py').write_text('raise RuntimeError("two\\nlines")')
    with Worker() as worker:
        with pytest.raises(ValueError, match='RuntimeError') as e:
            worker.call('describe', 60, seam='codebook', text='boom.py:X')
        assert '\n' not in str(e.value)
        cfg = vars(settings_of(comparison_of('codebook'), 'ci', ['sentences=300']))
        found = worker.call('measure_floors', 60, seam='codebook', world='stories', cfg=cfg)
    assert 3 < found['bits'] < 5 and SimpleNamespace(**cfg).seeds == 3
