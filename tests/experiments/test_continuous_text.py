"Excess against the ideal denoiser: what an untrained network must lose is known; nothing where the network is ideal."

import math

import pytest
import torch

from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion
from visual_token_diffusion.experiments.continuous import ideal as continuous_ideal
from visual_token_diffusion.experiments.continuous import text as continuous_text
from visual_token_diffusion.experiments.continuous.languages import CaptionRows
from visual_token_diffusion.experiments.continuous.measures import (
    block_excess,
    excess_at,
    judge,
    masked_excess,
    total_excess,
)

LN2 = math.log(2)


@pytest.fixture(scope='module')
def lang():
    return CaptionRows()


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def frequency_excess(model, lang, rows):
    "Bits a row that word frequencies lie above the exact information"
    return float((-model.unigram[rows].double().sum(1) + lang.log_probs(rows)).mean() / LN2)


@pytest.mark.parametrize('arm', ['one time', 'clocks', 'any clocks', 'blocks of 4', 'blocks of 1', 'masks'])
def test_an_untrained_network_loses_what_word_frequencies_lose(lang, arm):
    model, rows = continuous_text.make(arm, lang).eval(), lang.rows(384, 5)
    if arm == 'any clocks':
        model.process = continuous_text.PerTokenTimes(lang.band, lang.length, continuous_text.LAG)
    found = total_excess(continuous_text._excess_function(model, lang), rows, draws=4, bins=8)
    assert abs(found['excess'] - frequency_excess(model, lang, rows)) < 5 * found['se'] + 0.3
    assert len(found['density']) == 8 and (torch.as_tensor(found['density']) >= 0).all()


def test_the_ideal_denoiser_loses_nothing(lang):
    ideal, rows = lang.ideal(GaussianDiffusion(lang.band, 'x0')), lang.rows(32, 5)
    excess, gap, together = excess_at(ideal, lang, rows, torch.linspace(0.01, 0.99, 32), None, gen())
    torch.testing.assert_close(torch.stack([excess, gap]), torch.zeros(2, 32, dtype=torch.double))
    assert together[0].abs() < 1e-3 and together[-1] > 1  # clean tokens are no matter of independence


def test_one_call_costs_what_the_words_know_of_each_other(lang):
    entropy = -(lang.p * lang.p.log()).sum()
    alone = 0.0
    for column in lang.all_rows.T:
        p = torch.zeros(lang.vocab_size, dtype=torch.double).index_add(0, column, lang.p)
        alone -= float(torch.xlogy(p, p).sum())
    wide = continuous_ideal.WIDE
    ends = wide.time_of(torch.tensor([wide.knots[-1] + 0.01, 4.0]))
    ideal = lang.ideal(GaussianDiffusion(wide, 'x0'))
    cost = continuous_ideal.steps_cost(lang, ideal, lang.rows(512, 3), ends, gen())
    assert abs(cost.mean() - (alone - entropy)) < 4 * cost.std() / 512**0.5 + 0.02


def test_the_least_sum_is_read_on_rows_that_did_not_choose_it():
    def at(ids, u, generator):
        noise = torch.randn(3, len(ids), generator=generator, dtype=torch.double)
        return torch.ones(len(ids), dtype=torch.double), 2 * u.double(), noise[0] * 0

    found = total_excess(at, torch.zeros(256, 1), draws=8, bins=8)
    low = float(found['reading'][0])
    assert found['excess'] == pytest.approx(1 / LN2 + low, abs=1e-9)
    assert found['cut'] == 0.0 and found['best'] == pytest.approx((1 - 1 / 16 + 1 / 8) / LN2, abs=0.05)


def test_all_arms_write_rows(lang):
    for arm in continuous_text.ARMS:
        if arm == 'blocks of 8':
            continue  # captions have eight places: it is one time
        written = continuous_text.write(continuous_text.make(arm, lang).eval(), lang, 3, 4, 0)
        assert written.shape == (3, 8) and 0 <= written.min() and written.max() < lang.vocab_size


def test_what_is_written_is_judged(lang):
    right, wrong = lang.rows(3, 0), torch.zeros(1, 8, dtype=torch.long)
    found = judge(lang, torch.cat([right, wrong]))
    assert found['grammatical'] == 0.75 and found['bits'] == pytest.approx(float(lang.bits(right).mean()))
    assert judge(lang, wrong)['bits'] is None


def test_arms_have_about_the_same_parameters(lang):
    counts = [sum(p.numel() for p in continuous_text.make(arm, lang).parameters()) for arm in continuous_text.ARMS]
    assert max(counts) / min(counts) < 1.15


def test_unknown_arms_are_refused():
    with pytest.raises(SystemExit) as e:
        continuous_text.main(['--arms', 'letters'])
    assert e.value.code == 2


def test_functions_of_blocks_and_masks_agree_on_shapes(lang):
    rows, u = lang.rows(4, 0), torch.full((4,), 0.5)
    model = continuous_text.make('blocks of 2', lang).eval()
    masks = continuous_text.make('masks', lang).eval()
    for excess, gap in (
        block_excess(model, lang, rows, u, gen()),
        masked_excess(masks.predict, lang, rows, u, gen()),
    ):
        assert excess.shape == gap.shape == (4,) and (excess >= 0).all()
