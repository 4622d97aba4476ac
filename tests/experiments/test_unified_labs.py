"Experiments of one switch at a time, at a size that trains in no time."

import math

import pytest
import torch
from support.unified import WORLD, pictures

from visual_token_diffusion.experiments.resume import saved_metrics
from visual_token_diffusion.experiments.unified import labs, measures
from visual_token_diffusion.experiments.unified.labs import (
    LABS, Snapshots, ceiling, count, fitted_width, main, run_lab_arm,
)
from visual_token_diffusion.experiments.unified.table import SIZES, run_switches
from visual_token_diffusion.models.unified.switches import switches_of
from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.tokenizers.vit import ViTTokenizer
from visual_token_diffusion.training.unified_learner import unified_model

TINY = dict(width=8, depth=1, heads=1)


@pytest.fixture
def quick(monkeypatch):
    "A likelihood over few pairs"
    ids, captions = (part[::96] for part in measures.all_pairs(WORLD)[:2])
    shares = torch.full((len(ids),), 1 / len(ids), dtype=torch.float64)
    monkeypatch.setattr(measures, 'some_pairs', lambda world: (ids, captions, shares))


def untrained(bits, seed=0):
    "A tokenizer of scenes into one code of four"
    torch.manual_seed(seed)
    return ViTTokenizer(FSQ((2, 2)), size=24, patch=8, width=16, depth=1, heads=1, n_latents=1, latent_dim=8)


@pytest.mark.parametrize('lab', LABS)
def test_every_arm_has_switches_and_no_two_are_the_same(lab):
    arms = LABS[lab]
    found = {(switches_of(arm.preset, **arm.changes), arm.bits, str(arm.sizes)) for arm in arms.values()}
    assert len(found) == len(arms) > 2


@pytest.mark.parametrize(
    'lab, name', [('masks', 'causal'), ('noise', 'any, hidden beside the clean copy'), ('encoders', '4 bits, separate')]
)
def test_an_arm_is_built_trained_and_measured(lab, name, quick, monkeypatch):
    monkeypatch.setattr(labs, 'coarse_codes', untrained)
    arm = LABS[lab][name]._replace(sizes=TINY, calls=(2,), at=(1,))
    found = run_lab_arm(arm, steps=2)
    assert math.isfinite(found['excess']['caption']) and ('picture' in found['excess']) == (lab == 'masks')
    for written in (found['writing'], found['by_calls']['2'], found['at']['1']):
        assert 0 <= written['match'] <= written['valid'] <= 1
    assert ('ceiling' in found) == bool(arm.bits)


def test_ceilings_of_exact_and_of_coarse_codes():
    exact = ceiling(pictures('codes'), WORLD)
    assert exact['exact'] == 1 and abs(exact['bits'] - math.log2(288)) < 1e-9
    coarse = ceiling(untrained(2), WORLD)
    assert coarse['bits'] <= 2 and coarse['exact'] <= 4 / 288


def test_a_shared_model_is_made_as_large_as_a_separate_one():
    shared, codes = switches_of('janus', reading_encoder='shared'), pictures('codes')
    target = count(unified_model('janus', WORLD, 24, codes, **SIZES))
    width = fitted_width(shared, WORLD, codes, target)
    fitted = count(unified_model(shared, WORLD, 24, codes, **SIZES | dict(width=width)))
    assert width > SIZES['width'] and abs(fitted / target - 1) < 0.05  # widths are multiples of four


def test_snapshots_leave_training_as_it_was(quick):
    found = {}
    for at in ((), (1, 2)):
        snapshots = Snapshots(WORLD, at)
        model, _ = run_switches(switches_of('show_o'), 0, 3, WORLD, pictures('codes'), cbs=[snapshots], **TINY)
        found[at] = model.state_dict()
        assert list(snapshots.found) == [str(n) for n in at]
    for name, value in found[()].items():
        assert torch.equal(value, found[(1, 2)][name]), name


def test_some_arms_of_a_lab_are_run_and_others_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    row = dict(excess={}, writing={}, reading=0.0)
    monkeypatch.setattr(labs, 'run_lab_arm', lambda arm, seed, steps: row)
    main(['noise', '--arm', 'any', '--seeds', '2'])
    assert {key for key in saved_metrics('unified-noise') if '|' in key} == {'any|0', 'any|1'}
    with pytest.raises(SystemExit) as e:
        main(['noise', '--arm', 'clear'])
    assert e.value.code == 2 and "the lab noise has no arm 'clear'" in capsys.readouterr().err
