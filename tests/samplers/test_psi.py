"Mixtures of steps back and steps forth, beside the published rules."

import pytest
import torch
from support.parts import gen

from visual_token_diffusion.diffusion.discrete import Absorbing, Uniform
from visual_token_diffusion.metrics.toy import Denoiser, Toy
from visual_token_diffusion.samplers.ancestral import sample_ancestral
from visual_token_diffusion.samplers.psi import (
    REMDM_RULES, chain_denoiser, kappas, least_kappa, psi_posterior, remdm_kappa, sample_psi,
)

TOY = Toy()
START = torch.zeros(30, TOY.length, dtype=torch.long)
PROCESSES = [Absorbing(4), Uniform(4)]


def states(process, seed=0):
    x_t = torch.randint(process.n_states, (6, 5), generator=gen(seed))
    x_0 = torch.rand(6, 5, 4, generator=gen(seed + 1), dtype=torch.double).softmax(-1)
    t = torch.rand(6, generator=gen(seed + 2), dtype=torch.double) * 0.5 + 0.4
    return x_t, x_0, t * 0.7, t


@pytest.mark.parametrize('process', PROCESSES, ids=lambda p: p.name)
def test_the_mixture(process):
    "kappa q(x_s|x_t,x_0) + (1-kappa) of the clean prediction, noised to s: (1-t) of it and t of the limit"
    x_t, x_0, s, t = states(process)
    kappa = torch.rand(6, generator=gen(5), dtype=torch.double)
    clean = process.posterior(x_t, x_0, torch.zeros_like(s), t)
    limit = torch.zeros(process.n_states, dtype=torch.double)
    limit[4:] = 1.0
    if process.mask_id is None:
        limit = torch.full((4,), 0.25, dtype=torch.double)
    alpha = process.schedule.alpha(s)[:, None, None]
    renoised = alpha * clean + (1 - alpha) * limit
    expected = kappa[:, None, None] * process.posterior(x_t, x_0, s, t) + (1 - kappa)[:, None, None] * renoised
    torch.testing.assert_close(psi_posterior(process, x_t, x_0, s, t, kappa), expected)


def test_kappa_one_is_ancestral():
    process = PROCESSES[0]
    denoise = chain_denoiser(Denoiser(TOY).eval(), process)
    first = [s.x for s in sample_ancestral(denoise, process, START, steps=6, generator=gen(1))]
    second = [s.x for s in sample_psi(denoise, process, START, steps=6, kappa=1.0, generator=gen(1))]
    assert all(map(torch.equal, first, second))


def test_below_one_written_tokens_are_masked_again_and_in_the_end_none():
    process = PROCESSES[0]
    denoise = chain_denoiser(Denoiser(TOY).eval(), process)
    walk = list(sample_psi(denoise, process, START, steps=8, kappa=0.0, generator=gen(1)))
    assert not walk[0].changed.any() and not walk[0].confidence.any(), 'nothing is written at the start'
    again = [(after.mask & ~before.mask).any() for before, after in zip(walk, walk[1:])]
    assert any(again) and not walk[-1].mask.any() and (walk[-1].x < 4).all()


def published_sigma(alpha_t, alpha_s, eta, rule):
    "Chance that a written token is masked: kuleshov-group/remdm f830d65; `rescale_capped`: s-sahoo/duo 7c9b498"
    most = min(1, (1 - alpha_s) / alpha_t) if alpha_t > 0 else 1
    cap = min(eta, most)
    capped = (cap if alpha_t > 0 else 1) * eta
    return dict(constant=eta, cap=cap, rescale=eta * most, rescale_capped=capped)[rule]


STEPS = torch.linspace(0, 0.95, 20, dtype=torch.double)
PAIRS = list(zip(STEPS[:-1].tolist(), STEPS[1:].tolist()))


@pytest.mark.parametrize('eta', [0.0, 0.02, 0.3, 0.5, 1.0])
@pytest.mark.parametrize('rule', REMDM_RULES)
def test_kappa_of_remdm(rule, eta):
    "Clipped, as s-sahoo/duo 7c9b498 has it"
    sigma = [published_sigma(later, earlier, eta, rule) for later, earlier in PAIRS]
    want = [min(max(1 - s / (1 - earlier), 0), 1) for s, (_, earlier) in zip(sigma, PAIRS)]
    assert remdm_kappa(STEPS[1:], STEPS[:-1], eta, rule).tolist() == pytest.approx(want)


@pytest.mark.parametrize('eta', [0.0, 0.02, 0.3, 0.5, 1.0])
@pytest.mark.parametrize('rule', ['cap', 'rescale', 'rescale_capped'])
def test_steps_of_remdm(rule, eta):
    "Not the knob but the chances of a mask, for a written and for a masked token"
    process = PROCESSES[0]
    ours = remdm_kappa(STEPS[1:], STEPS[:-1], eta, rule, clip=False)
    assert (ours >= least_kappa(process, STEPS) - 1e-9).all()
    x = torch.tensor([[1], [process.mask_id]])
    clean = torch.eye(process.vocab_size, dtype=torch.double)[1].expand(2, 1, -1)
    for kappa, (later, earlier) in zip(ours, PAIRS):
        times = [torch.full((2,), 1 - a, dtype=torch.double) for a in (earlier, later)]
        probs = psi_posterior(process, x, clean, *times, kappa.expand(2))[:, 0, process.mask_id].tolist()
        sigma = published_sigma(later, earlier, eta, rule)
        assert probs[1] == pytest.approx((1 - earlier - sigma * later) / (1 - later), abs=1e-9)
        if later > 0:
            assert probs[0] == pytest.approx(sigma, abs=1e-9)


def test_a_function_may_go_below_zero_where_no_chance_does():
    def whole(a_s, a_t):
        return remdm_kappa(a_s, a_t, 1.0, 'cap', clip=False)

    process = PROCESSES[0]
    denoise = chain_denoiser(Denoiser(TOY).eval(), process)
    *_, last = sample_psi(denoise, process, START, steps=8, kappa=whole, generator=gen(1))
    assert (last.x < 4).all()
    with pytest.raises(ValueError, match='kappa must lie in'):
        list(sample_psi(denoise, PROCESSES[1], START, steps=8, kappa=whole))


def test_kappa_by_step_and_by_time():
    alpha = torch.linspace(0, 1, 5, dtype=torch.double)
    assert kappas(0.3, alpha).tolist() == [0.3] * 4
    assert kappas([0.1, 0.2, 0.3, 0.4], alpha).tolist() == [0.1, 0.2, 0.3, 0.4]
    assert kappas(lambda a_s, a_t: a_s - a_t, alpha).tolist() == [0.25] * 4


@pytest.mark.parametrize('kappa', [-0.1, 1.1, [0.5, float('nan'), 0.5], [0.5]])
def test_bad_kappa(kappa):
    with pytest.raises(ValueError, match='kappa'):
        list(sample_psi(None, PROCESSES[0], START, steps=3, kappa=kappa))


def test_bad_eta():
    for eta in (-0.1, 1.5):
        with pytest.raises(ValueError, match='eta'):
            remdm_kappa(0.5, 0.4, eta)


def test_what_was_given_for_kappa_is_said():
    with pytest.raises(ValueError, match=r'kappa must lie in \[0,1\], got 1.5'):
        list(sample_psi(None, PROCESSES[0], START, steps=3, kappa=1.5))


def test_a_process_that_is_no_chain_is_refused():
    from visual_token_diffusion.diffusion.masked import MaskedDiffusion

    with pytest.raises(ValueError, match="undoes absorbing and uniform, not process 'masked'"):
        list(sample_psi(None, MaskedDiffusion(), START, steps=3))


@pytest.mark.parametrize('process', PROCESSES, ids=lambda p: p.name)
def test_what_is_given_stays_at_every_step(process):
    "Even where all is drawn anew in each step"
    x = TOY.rows(30, gen(3))
    mask = torch.ones_like(x, dtype=torch.bool)
    mask[:, 0] = False
    flat = lambda x, t: torch.zeros(*x.shape, 4)
    walk = list(sample_psi(flat, process, x, mask=mask, steps=8, kappa=0.0, generator=gen(1)))
    assert all(torch.equal(step.x[:, 0], x[:, 0]) for step in walk)
    assert not torch.equal(walk[-1].x, x)
