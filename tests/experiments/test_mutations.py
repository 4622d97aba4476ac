"Planted faults: one change each, comments stay, texts are left alone, and a running function gets them."

import ast
import importlib.util

import pytest

from visual_token_diffusion.experiments.mutations import score, trial
from visual_token_diffusion.experiments.mutations.operators import faults_of, planted
from visual_token_diffusion.experiments.mutations.planting import library_functions, plant

SOURCE = '''
LIMIT = 3

def spread(x, low=0.5):
    "Text - with 1 number"
    if x < low: raise ValueError(f"{x - 1} is low")  # é: two bytes
    total = x.detach().sum(dim=-1)
    total += 1
    return total * 2.0

class Pair:
    def both(self, first, second):
        def inner(a): return a - 1
        return inner(first), inner(second)
'''
FAULTS = faults_of(SOURCE, 'toy.py')


def test_every_operator_that_fits_is_found_and_what_is_no_claim_is_left_alone():
    found = {(fault.function, fault.operator, fault.before) for fault in FAULTS}
    assert {('spread', 'comparison', 'x < low'), ('spread', 'dropped', 'x.detach()')} <= found
    assert {('spread', 'removed', 'total += 1'), ('spread', 'scaled', 'return total * 2.0')} <= found
    assert ('Pair.both', 'swapped', 'return inner(first), inner(second)') in found
    assert ('Pair.both.<locals>.inner', 'arithmetic', 'a - 1') in found
    assert not any('LIMIT' in before or before in ('0.5', 'x - 1', '3') for _, _, before in found)


def test_a_fault_is_one_change_of_a_module_that_still_parses():
    for fault in FAULTS:
        text = planted(SOURCE, fault)
        assert 'é: two bytes' in text and ast.dump(ast.parse(text)) != ast.dump(ast.parse(SOURCE))
        changed = [a != b for a, b in zip(text.splitlines(), SOURCE.splitlines())]
        assert sum(changed) == 1 and SOURCE.splitlines()[changed.index(True)].strip() == fault.line
    assert len({fault.key for fault in FAULTS}) == len(FAULTS)


def test_a_key_does_not_depend_on_the_place():
    assert [fault.key for fault in faults_of('# a line more\n' + SOURCE, 'toy.py')] == [fault.key for fault in FAULTS]


def test_a_running_function_gets_the_fault(tmp_path):
    path = tmp_path / 'toy_of_mutations.py'
    path.write_text(SOURCE, encoding='utf-8')
    spec = importlib.util.spec_from_file_location('toy_of_mutations', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.Pair().both(3, 5) == (2, 4)
    swapped = next(fault for fault in FAULTS if fault.function == 'Pair.both' and fault.operator == 'swapped')
    assert plant(path, swapped, library_functions(tmp_path)) == 1
    assert module.Pair().both(3, 5) == (4, 2)


def test_a_sample_is_the_same_twice_and_has_every_operator(tmp_path):
    folder = tmp_path / trial.PACKAGE / 'toys'
    folder.mkdir(parents=True)
    (folder / 'toy.py').write_text(SOURCE, encoding='utf-8')
    group = score.Group(('toys/*.py',), ())
    first, again, other = (score.sample(tmp_path, group, 6, seed) for seed in (0, 0, 1))
    assert first == again != other and len({fault.operator for fault in first}) == 6


def test_outside_a_checkout_one_line_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(trial, '__file__', str(tmp_path / 'a' / 'b' / 'c' / 'trial.py'))
    with pytest.raises(SystemExit, match='clone the repository') as e:
        score.main(['--count', '1'])
    assert '\n' not in str(e.value)
