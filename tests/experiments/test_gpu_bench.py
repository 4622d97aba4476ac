"""The command for a card runs in miniature on the CPU, goes on where it stopped, and says what failed."""

import pytest
import torch

from visual_token_diffusion.experiments import gpu_bench
from visual_token_diffusion.experiments.speed.gpu_steps import bench_model, model_flops, utilization
from visual_token_diffusion.experiments.speed.gpu_writing import PROCESSES, WAYS
from visual_token_diffusion.experiments.speed.step_cost import ZipfData
from visual_token_diffusion.worlds.stories import story_text

CPU = torch.device('cpu')


@pytest.fixture(scope='module')
def found():
    text = story_text(2000, torch.Generator().manual_seed(0))
    plan = gpu_bench.MINI._replace(train_seconds=0.05, seconds=0.01)
    plain = plan._replace(sizes=((32, 1),))
    return gpu_bench.measure(plain, CPU, text, {'steps 32x1 compiled': {}}, log=lambda line: None)


def test_every_question_has_an_answer(found):
    names = {'matrix product', 'steps 32x1 eager', 'steps 32x1 compiled', 'equal time 32x1'}
    others = {'learner', 'learner, bf16 weights', 'processes', 'writing', 'training', 'utilization'}
    assert set(found) == names | others
    assert not [name for name, answer in found.items() if 'failed' in answer]


def test_a_step_with_a_head_stands_beside_the_backbone(found):
    steps = found['steps 32x1 eager']
    assert set(steps) == {'backbone', *gpu_bench.HEADS, 'flat, table'}
    assert all(row['peak_gib'] > 0 for row in steps.values()), 'memory on the CPU, too'
    for head in gpu_bench.HEADS:
        assert steps[head]['ratio'] == steps[head]['ms'] / steps['backbone']['ms'] > 0


def test_equal_time_is_measured_on_held_out_text_beside_ngrams(found):
    equal = found['equal time 32x1']
    assert equal['n-grams']['bigram'] < equal['n-grams']['unigram']
    assert all(equal[head]['steps'] > 0 and equal[head]['nats'] > 2 for head in gpu_bench.HEADS)


def test_every_way_to_write_stands_beside_its_quality(found):
    writing = found['writing']
    assert set(writing) == {'held-out text', *WAYS}
    assert all(writing[way]['per_second'] > 0 and writing[way]['trigram'] > 0 for way in WAYS)
    assert writing['held-out text']['trigram'] < min(writing[way]['trigram'] for way in WAYS)


def test_a_static_cache_writes_the_same(found):
    "Quality of the same texts; on a CPU it is not compiled"
    kept, static = (found['writing'][f'autoregressive, {name}'] for name in ('cache', 'static cache'))
    assert abs(kept['trigram'] - static['trigram']) < 0.5


def test_every_process_is_timed_with_and_without_fixed_shapes(found):
    assert set(found['processes']) == set(PROCESSES)
    assert all(set(row) == {'masks', 'fixed'} and min(row.values()) > 0 for row in found['processes'].values())


@pytest.mark.parametrize('arm,has_table', [('flat, fused', False), ('flat, table', True)])
def test_the_flat_head_in_two_ways(arm, has_table):
    data = ZipfData(300, 128)
    model = bench_model(data, arm, codebook='random', width=32, depth=1)
    assert (model.head.most_logits > 10**9) == has_table
    with pytest.raises(ValueError, match='no arm'):
        bench_model(data, 'round, fused', codebook='random')


def test_the_learner_stands_beside_a_bare_loop(found):
    took = found['learner']['seconds']
    assert len(took['learner']) == len(took['loop']) == 4
    ratios = sorted(a / b for a, b in zip(took['learner'][1:], took['loop'][1:]))
    assert found['learner']['ratio'] == ratios[1] > 0


def test_utilization_is_a_share_of_the_matrix_product(found):
    rows, limit = found['utilization']['steps 32x1 eager'], found['matrix product']['tflops']
    assert rows['tied'] == found['steps 32x1 eager']['tied']['backbone_tflops'] / limit
    assert utilization({}) == {}


def test_what_was_measured_is_not_measured_again(found):
    calls = []
    again = gpu_bench.measure(gpu_bench.MINI, CPU, 'text', found, calls.append, log=lambda line: None)
    assert again == found and not calls


def test_a_measurement_that_fails_says_so_and_the_others_go_on(found, monkeypatch):
    def broken(*_):
        raise RuntimeError('no such\nkernel')

    monkeypatch.setattr(gpu_bench, 'matrix_rate', broken)
    rest = {name: answer for name, answer in found.items() if name != 'matrix product'}
    saved = []
    again = gpu_bench.measure(gpu_bench.MINI, CPU, 'text', rest, saved.append, log=lambda line: None)
    assert again['matrix product'] == {'failed': 'no such kernel'} and len(saved) == 1


def test_without_a_card_only_the_miniature_runs(capsys):
    with pytest.raises(SystemExit) as stop:
        gpu_bench.main(['--device', 'cpu'])
    assert stop.value.code == 2 and '--mini' in capsys.readouterr().err


def test_operations_of_a_token():
    assert model_flops(width=2, depth=1, length=0) == 6 * 12 * 4
