"Parts side by side: planted faults are told, copies are equal, broken parts are named, nothing is measured twice."

import json
import re

import pytest
import torch

from visual_token_diffusion.codebooks.balanced_kmeans import BalancedCodebook
from visual_token_diffusion.core.errors import InputError
from visual_token_diffusion.experiments.compare.base import Measure, settings_of
from visual_token_diffusion.experiments.compare.judgement import judge, rounded, table_text
from visual_token_diffusion.experiments.compare.parts import parse_part
from visual_token_diffusion.experiments.compare.planted import PLANTED
from visual_token_diffusion.experiments.compare.run import compare, default_folder
from visual_token_diffusion.experiments.compare.seams import COMPARISONS, comparison_of
from visual_token_diffusion.experiments.compare.statistics import difference, holm, mean_error, threshold, verdict_word

# Few steps, so that a test takes seconds; the recorded run has the settings of the profile cpu.
SMALL = dict(
    quantizer=['steps=60'],
    tokenizer=None,
    encoder=['sentences=200'],
    decoder=['sentences=200', 'steps=30'],
    codebook=['sentences=300'],
    process=['sentences=300', 'steps=30'],
    sampler=['texts=1000'],
    head=['sentences=200', 'steps=6'],
    unit=['sentences=200', 'steps=6'],
    preset=None,
)


def few(seam, *parts, **kwargs):
    return compare(seam, *parts, profile='ci', seeds=3, settings=SMALL[seam], log=None, **kwargs)


def test_every_seam_has_a_planted_fault():
    assert set(PLANTED) == set(COMPARISONS) == set(SMALL)


@pytest.mark.parametrize('seam', [seam for seam, settings in SMALL.items() if settings])
def test_a_planted_fault_is_told_and_a_copy_is_equal(seam):
    good, copy, faulty = PLANTED[seam][:3]
    found = few(seam, good, copy, faulty, world='toy' if seam == 'sampler' else None)
    assert found.verdicts[copy.__name__] == 'equal', found
    assert found.verdicts[faulty.__name__] in ('worse', 'broken'), found
    assert found.verdicts[good] == 'baseline' or 'trivial' in found.lines[0], found


def test_paired_differences_are_told_apart_by_a_t_test():
    assert threshold(3) == pytest.approx(4.303, abs=1e-3)
    assert threshold(1) is None
    far = difference([1.0, 1.1, 1.05], [0.0, 0.1, 0.0])
    near = difference([1.0, 0.0, 1.05], [0.0, 0.9, 1.0])
    assert far.told and not near.told
    assert verdict_word(far, 'less') == 'worse' and verdict_word(far, 'more') == 'better'
    assert verdict_word(near, 'less') == 'not told apart'
    assert verdict_word(difference([1.0, 2.0], [1.0, 2.0]), 'less') == 'equal'
    assert verdict_word(difference([1.5, 2.5], [1.0, 2.0]), 'less') == 'worse'
    assert mean_error([1.0, 3.0]) == (2.0, 1.0)


def test_holm_corrects_for_the_number_of_parts():
    "Against the textbook: the smallest p of three is multiplied by 3, the next by 2, and none falls below one before"
    nothing = [0.0, 0.0, 0.0]
    spread = 0.1, 0.3, 1.0
    alone = [difference([1.0, 1 + s, 1 - s], nothing) for s in spread] + [difference(nothing, nothing)]
    found = holm(alone)
    p = [d.p for d in alone]
    assert p[:3] == sorted(p[:3]) and p[3] == 1.0
    corrected = [4 * p[0], 3 * p[1], 2 * p[2]]
    assert [d.p for d in found[:3]] == pytest.approx(corrected)
    assert [d.told for d in alone] == [True, True, False, False]
    assert [d.told for d in found] == [True, 3 * p[1] < 0.05, False, False]
    assert holm([alone[0]])[0] == alone[0] and holm([]) == []
    assert holm([difference([1.0], [0.0])])[0].p is None


def test_many_equal_parts_are_seldom_told_apart():
    "Without a correction one of twenty in each part; with it one of twenty comparisons of eight parts"
    draws = torch.randn(400, 9, 3, generator=torch.Generator().manual_seed(0), dtype=torch.double).tolist()
    alone = [[difference(part, first) for part in parts] for first, *parts in draws]
    wrong = sum(any(d.told for d in row) for row in alone) / len(alone)
    corrected = sum(any(d.told for d in holm(row)) for row in alone) / len(alone)
    assert wrong > 0.15 and corrected < 0.08


def cells(*values):
    return [dict(numbers=dict(error=v)) for v in values]


def result(**arms):
    parts = [name for name in arms if name not in ('control', 'trivial')]
    said = dict(control='chance', trivial='the mean', floors=dict(error=0.0))
    measures = [Measure('error', 'error')]
    return dict(parts=parts, baseline=parts[0], seeds=3, cells=arms, measures=measures) | said


def test_worse_than_the_trivial_predictor_is_broken():
    facts = result(good=cells(1, 2, 3), bad=cells(9, 9, 9.5), trivial=cells(8, 8, 8))
    good, bad = judge(facts)
    assert good['word'] == 'baseline' and bad['word'] == 'broken'
    assert 'trivial predictor' in bad['line'] and 'worse than good' in bad['line']
    assert 'best possible' in table_text(facts)


def test_where_every_part_is_worse_than_the_trivial_predictor_there_is_no_verdict():
    facts = result(good=cells(9, 9, 9), other=cells(9, 9.5, 9.7), trivial=cells(8, 8, 8))
    assert [j['word'] for j in judge(facts)] == ['no verdict', 'no verdict']
    assert all('take more steps' in j['line'] for j in judge(facts))
    alone = result(good=cells(9, 9, 9), trivial=cells(8, 8, 8))
    assert judge(alone)[0]['word'] == 'broken'


def test_numbers_have_as_many_digits_as_their_errors():
    assert rounded(3.53612, 0.4012) == ('3.54', '0.40')
    assert rounded(0.00058361, 1.4e-5) == ('0.000584', '0.000014')
    assert rounded(123.4, 31.0) == ('123', '31')
    assert rounded(6.0, 0.0) == ('6', '') and rounded(None, None) == ('–', '')


def test_a_folder_of_another_comparison_is_refused(tmp_path):
    few('codebook', 'balanced', out=tmp_path).save(tmp_path)
    kept = (tmp_path / 'result.json').read_text()
    with pytest.raises(InputError, match='holds a comparison of codebook in the world stories; name another'):
        compare('encoder', 'semantic', profile='ci', out=tmp_path, log=None)
    few('codebook', 'random', out=tmp_path).save(tmp_path)  # other parts of the same comparison are welcome
    (tmp_path / 'result.json').write_text('{"mine": 1}')
    with pytest.raises(InputError, match='is no result of a comparison'):
        few('codebook', 'balanced', out=tmp_path)
    assert 'stories' in kept and (tmp_path / 'result.json').read_text() == '{"mine": 1}'


def test_no_better_than_the_control_is_said():
    facts = result(good=cells(1, 2, 3), control=cells(0.5, 1.5, 2.5))
    assert 'worse than the control, chance' in judge(facts)[0]['line']


def test_one_broken_seed_breaks_a_part_and_no_other():
    facts = result(good=cells(1, 2, 3), bad=[*cells(1), dict(broken='squared error is nan')])
    good, bad = judge(facts)
    assert good['word'] == 'baseline'
    assert bad == dict(part='bad', word='broken', line='broken: squared error is nan')


class NoCodes(BalancedCodebook):
    def codes(self, features, sizes, generator=None, counts=None):
        raise KeyError('<b>two</b>\nlines')


class Endless(BalancedCodebook):
    def codes(self, features, sizes, generator=None, counts=None):
        while True:
            pass


def test_what_a_part_raises_is_one_line_and_the_others_go_on():
    found = few('codebook', 'balanced', NoCodes)
    assert found.verdicts == dict(balanced='baseline', NoCodes='broken')
    assert 'KeyError' in found.lines[1] and '\n' not in found.lines[1]
    assert found.measured() == ['balanced']


def test_an_endless_part_is_stopped():
    found = compare(
        'codebook', 'balanced', Endless, profile='ci', seeds=1, settings=['sentences=300', 'limit=5'], log=None
    )
    assert 'time limit of 5 s' in found.lines[1] and found.verdicts['balanced'] == 'baseline'


def test_cells_are_kept_and_a_damaged_one_is_measured_anew(tmp_path):
    lines = []
    asked = dict(profile='ci', seeds=1, settings=SMALL['codebook'], out=tmp_path, log=lines.append)
    first = compare('codebook', 'balanced', 'random', **asked)
    assert sum('kept' in line for line in lines) == 0
    files = sorted((tmp_path / 'cells').glob('*.json'))
    files[0].write_text('{"facts": ')
    lines.clear()
    again = compare('codebook', 'balanced', 'random', **asked)
    assert sum('kept' in line for line in lines) == len(files) - 1
    assert again.mean('random', 'bits') == first.mean('random', 'bits')
    lines.clear()
    compare('codebook', 'balanced', 'random', **asked | dict(settings=['sentences=310']))
    assert not any('kept' in line for line in lines)


def test_the_report_escapes_names_and_loads_nothing(tmp_path):
    hostile = '"><script>alert(1)</script>'
    found = few('codebook', 'balanced', 'random')
    found.facts['parts'][1] = hostile
    found.facts['cells'][hostile] = found.facts['cells'].pop('random')
    found.facts['command'] = f'vtd compare {hostile}'
    found.judged[1]['part'] = hostile
    page = found.save(tmp_path).read_text()
    assert '<script' not in page and '&lt;script&gt;' in page
    assert not re.search(r'(src|href)="(?!data:)', page) and 'url(' not in page
    assert 'prefers-color-scheme:dark' in page and 'best possible' in page and '<img src="data:image/png' in page
    kept = json.loads((tmp_path / 'result.json').read_text())
    assert kept['verdicts'][0]['word'] == 'baseline' and 'picture' not in kept['cells']['balanced'][0]


@pytest.mark.parametrize(
    'text,name,options',
    [
        ('vq', 'vq', {}),
        ('masked,order=confidence', 'masked', dict(order='confidence')),
        ('a/b.py:Part,dim=3,x=0.5', 'a/b.py:Part', dict(dim=3, x=0.5)),
    ],
)
def test_words_of_a_part(text, name, options):
    spec = parse_part(text)
    assert (spec.name, spec.options) == (name, options)


@pytest.mark.parametrize('text', ['', ',', 'vq,dim', 'vq,1=2', 'vq,=3'])
def test_bad_words_of_a_part_are_refused(text):
    with pytest.raises(ValueError) as e:
        parse_part(text)
    assert '\n' not in str(e.value)


@pytest.mark.parametrize(
    'change',
    [
        dict(seam='quantiser'), dict(parts=['nosuch']), dict(parts=['nofile.py:X']), dict(parts=['os:path']),
        dict(parts=['random', 'random']), dict(parts=['control']), dict(parts=[]), dict(world='emoji'),
        dict(world='no.txt'), dict(profile='laptop'), dict(settings=['stepz=1']), dict(settings=['sentences=nan']),
        dict(settings=['sentences=-1']), dict(settings=['limit']), dict(seeds=0), dict(baseline='nosuch'),
    ],
)
def test_bad_input_is_one_line_before_anything_is_written(change, tmp_path):
    asked = dict(seam='codebook', parts=['balanced'], profile='ci', log=None) | change
    seam, parts = asked.pop('seam'), asked.pop('parts')
    with pytest.raises(ValueError) as e:
        compare(seam, *parts, out=tmp_path / 'new', **asked)
    assert '\n' not in str(e.value)
    assert not (tmp_path / 'new').exists()


def test_settings_of_a_profile_and_overrides():
    comparison = comparison_of('quantizer')
    cfg = settings_of(comparison, 'ci', ['steps=7', 'lr=.1'])
    assert (cfg.steps, cfg.lr, cfg.bits) == (7, 0.1, comparison.settings['cpu']['bits'])
    with pytest.raises(InputError, match="did you mean 'steps'"):
        settings_of(comparison, 'ci', ['step=7'])


@pytest.mark.parametrize('seam', list(COMPARISONS))
def test_every_comparison_says_what_it_is(seam):
    comparison = comparison_of(seam)
    assert comparison.seam == seam and comparison.about and comparison.control and comparison.trivial
    assert comparison.baseline in comparison.names()
    assert comparison.measures[0].better in ('less', 'more')
    assert set(comparison.settings) == {'ci', 'cpu', 'gpu'}
    assert settings_of(comparison, 'gpus').profile == 'gpus'


def test_default_folders_have_plain_names():
    assert str(default_folder('unit', '/a/Ä b<c>.txt')).replace('\\', '/') == 'runs/compare-unit-b-c'
