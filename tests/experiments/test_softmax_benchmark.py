"The arms of the softmax benchmark, a run under a budget, and what is saved of it."

import pytest
import torch

from visual_token_diffusion.core.results import load_run, runs_folder
from visual_token_diffusion.experiments.speed.benchmark_data import BenchmarkData
from visual_token_diffusion.experiments.speed.softmax_arms import ARMS, arm_model, optimizers
from visual_token_diffusion.experiments.speed.softmax_benchmark import (
    BenchmarkRun, benchmark_batch, benchmark_nelbo, run_arm, run_name, warmup_cosine,
)
from visual_token_diffusion.worlds.stories import story_text

SMALL = dict(width=32, depth=1, dim=16)


@pytest.fixture(scope='module')
def data():
    text = story_text(1500, torch.Generator().manual_seed(0))
    return BenchmarkData(text, 'words', 16, 32, windows=128)


def run(model, data, **options):
    return BenchmarkRun(model, data, **options).run()


@pytest.mark.parametrize('arm', ARMS)
def test_every_arm_starts_at_the_token_frequencies_and_learns(data, arm):
    model = arm_model(data, arm, **SMALL)
    frequencies = (data.counts + 0.5) / (data.counts + 0.5).sum()
    with torch.no_grad():
        x = data.valid[:4]
        h = model.hidden_states(x, torch.ones_like(x, dtype=torch.bool)).flatten(0, 1)
        probs = model.head.log_probs(h).exp()
    assert torch.allclose(probs.sum(1), torch.ones(len(probs)), atol=1e-4)
    if arm in ('hierarchical', 'flat', 'tied', 'sampled'):
        assert torch.allclose(probs, frequencies.expand_as(probs), rtol=2e-2)
    curve = run(model, data, steps=40, lr=1e-2, marks=(0.05, 1))
    assert curve[1]['nelbo'] < curve[0]['nelbo'] - 0.1


@pytest.mark.parametrize('arm', ['feature_tree', 'sampled'])
def test_a_causal_arm_looks_left_only(data, arm):
    model = arm_model(data, arm, is_causal=True, **SMALL).eval()
    x, changed = data.valid[:2], data.valid[:2].clone()
    changed[:, 8:] = (changed[:, 8:] + 1) % data.vocab_size
    with torch.no_grad():
        a, b = model.hidden_states(x), model.hidden_states(changed)
    assert torch.equal(a[:, :9], b[:, :9])
    assert not torch.equal(a[:, 9:], b[:, 9:])
    assert len(run(model, data, steps=2, marks=(1,))) == 1


def test_rows_start_from_the_features(data):
    tied, bare = (arm_model(data, 'tied', from_features=start, **SMALL) for start in (True, False))
    rows = tied.embed.emb.weight
    similarity = torch.cosine_similarity(rows[5], data.features[5], 0)
    assert similarity > 0.99 and not torch.equal(rows, bare.embed.emb.weight)


def test_an_unknown_arm_is_refused(data):
    with pytest.raises(ValueError, match='feature_tree'):
        arm_model(data, 'informed')


def test_only_tables_with_sparse_gradients_get_sparse_adam(data):
    for arm in ARMS:
        found = optimizers(arm_model(data, arm, **SMALL), 1e-3)
        sparse = ['SparseAdam'] * (arm in ('sampled', 'adaptive'))
        assert [type(o).__name__ for o in found] == ['AdamW', *sparse], arm


def test_the_rate_of_the_head(data):
    "At zero it keeps its weights, and the backbone does not"
    model, start = (arm_model(data, 'sampled', width=32, depth=1) for _ in range(2))
    run(model, data, steps=2, marks=(1,), head_rate=0.0)
    assert torch.equal(model.head.mix.weight, start.head.mix.weight)
    assert (model.backbone.blocks[0].up.weight != start.backbone.blocks[0].up.weight).any()


def test_the_learning_rate_rises_and_falls():
    shares = [warmup_cosine(done) for done in (0.0, 0.025, 0.05, 0.5, 1.0)]
    assert shares[0] == 0 and shares[1] == 0.5 and shares[2] == 1
    assert 0 < shares[3] < 1 and shares[4] == pytest.approx(0)


def test_batches_depend_on_seed_and_step_alone(data):
    first, _ = benchmark_batch(data.train, 4, 16, 0, 3)
    torch.manual_seed(99)
    assert torch.equal(first, benchmark_batch(data.train, 4, 16, 0, 3)[0])
    for seed, step in ((1, 3), (0, 4)):
        assert not torch.equal(first, benchmark_batch(data.train, 4, 16, seed, step)[0])


def test_a_run_that_was_stopped_ends_with_the_same_numbers(data, tmp_path):
    fresh = lambda: arm_model(data, 'sampled', width=32, depth=1)
    whole = run(fresh(), data, steps=12, marks=(0.5, 1))
    run(fresh(), data, steps=12, marks=(0.5,), path=tmp_path / 's.pt')
    torch.manual_seed(99)
    again = run(fresh(), data, steps=12, marks=(0.5, 1), path=tmp_path / 's.pt')
    assert whole[-1]['nelbo'] == again[-1]['nelbo'] and whole[-1]['loss'] == again[-1]['loss']


def test_a_budget_of_time(data):
    curve = run(arm_model(data, 'hierarchical', **SMALL), data, seconds=0.01, ms=2.0, marks=(0.5, 1))
    assert [point['step'] for point in curve] == [3, 5] and curve[-1]['seconds'] == 0.01
    with pytest.raises(ValueError, match='budget'):
        BenchmarkRun(arm_model(data, 'hierarchical', **SMALL), data)
    with pytest.raises(ValueError, match='budget'):
        BenchmarkRun(arm_model(data, 'hierarchical', **SMALL), data, seconds=1, steps=1)


def test_what_is_saved(data, tmp_path):
    options = dict(marks=(0.5, 1), folder=tmp_path, states=tmp_path, log=None)
    metrics = run_arm(data, 'feature_tree', steps=8, model=SMALL, **options)
    saved = load_run('softmax-feature-tree-8steps-0', tmp_path)
    assert saved['metrics']['curve'][-1]['step'] == 8 and saved['metrics']['model'] == SMALL
    state = torch.load(tmp_path / 'softmax-feature-tree-8steps-0.pt', weights_only=True)
    model = arm_model(data, 'feature_tree', **SMALL)
    model.load_state_dict(state['model'])
    assert benchmark_nelbo(model, data.valid)[0] == metrics['curve'][-1]['nelbo']


def call_in(command, module):
    "What the command in a saved result calls, with `run_arm` replaced by one that returns its arguments"
    code = command.split('-c "', 1)[1].rsplit('"', 1)[0]
    start, call = code.split('; ', 1)
    assert start == f'from {module} import run_arm'
    return eval(call, dict(run_arm=lambda *args, **options: (args, options)))


def test_the_commands_of_saved_results_name_them():
    "Each command, as it stands in the file, makes a result of that name with these facts"
    module = run_arm.__module__
    files = sorted(runs_folder().glob('softmax-*-[0-9].json'))
    assert len(files) > 15
    for path in files:
        saved = load_run(path.stem)
        if 'class-based' in path.stem:
            assert 'git worktree' in saved['command']
            continue
        (_, arm), options = call_in(saved['command'], module)
        facts = {k: options.get(k) for k in ('seconds', 'steps')}
        assert run_name(arm, options.get('tag', ''), seed=options['seed'], **facts) == path.stem
        metrics = saved['metrics']
        assert arm == metrics['arm'] in ARMS and options.get('model', {}) == metrics['model']
        assert options['lr'] == metrics['lr'] and options.get('ms') == metrics.get('ms')
