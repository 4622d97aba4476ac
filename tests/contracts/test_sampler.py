"Every registered sampler: a generator of steps that keeps what is given and writes the listed distribution."

import pytest
import torch
from support.parts import gen
from support.standin import DEVICE, StandIn, stand_in_device
from support.toys import ToyModel, perfect_model, toy_table

from visual_token_diffusion.core.registry import seam_base
from visual_token_diffusion.metrics.toy import Denoiser, Toy
from visual_token_diffusion.samplers.base import SamplerStep

BASE, PROCESS = seam_base('sampler'), seam_base('process')
TOY = Toy(2, 2, 2)
TOKENS = {
    'masked': 'masked', 'partial': 'partial', 'next_scale': 'next_scale', 'autoregressive': 'autoregressive',
    'entropy_bound': 'masked', 'editing': 'masked', 'blocks': 'block',
}
EXACT = [name for name in TOKENS if name != 'editing']  # it writes what is likely, and says so
CHAINS = ['ancestral', 'psi', 'entropy_bound_uniform', 'uniform_blocks']
ELSEWHERE = ['speculative']  # asks rows of other lengths than the toy's: tests/samplers/test_speculative.py
CONTINUOUS = ['ddim', 'euler', 'heun', 'ancestral_gaussian']


def process_of(name):
    return PROCESS.part(TOKENS[name]).build(toy_table(TOY))


def answering(name, process, model, generator):
    "What a sampler calls: a function that draws tokens, or one that gives probabilities"
    if BASE.part(name).asks == 'probs':
        return process.predictor(model)
    return process.denoiser(model, generator=generator)


def walk(name, n, seed=0, steps=8, x=None, mask=None):
    "All steps of a sampler over a toy with its perfect denoiser"
    process = process_of(name)
    model = perfect_model(TOY, process.is_causal)
    generator = gen(seed)
    denoise = answering(name, process, model, generator)
    x = torch.zeros(n, 2, dtype=torch.long) if x is None else x
    return list(BASE.make(name)(denoise, process, x, mask=mask, steps=steps, generator=generator))


def final_tokens(step):
    return step.x if step.x.dim() == 2 else toy_table(TOY).ids(step.x)


def test_every_sampler_is_asked_something():
    assert set(BASE.names()) == {*TOKENS, *CONTINUOUS, *CHAINS, *ELSEWHERE}


@pytest.mark.parametrize('name', EXACT)
def test_one_token_at_a_time_writes_the_listed_distribution(name):
    "Chi-square against the toy's table: with a call for every token or code there is no error but chance"
    n = 6000
    ids = final_tokens(walk(name, n)[-1])
    counts = torch.bincount(TOY.index(ids), minlength=len(TOY.p)).double()
    often = TOY.p * n > 5
    expected = TOY.p * n
    chi = ((counts - expected)[often] ** 2 / expected[often]).sum().item()
    degrees = int(often.sum()) - 1
    assert chi < degrees + 6 * (2 * degrees) ** 0.5, (chi, degrees)


@pytest.mark.parametrize('name', list(TOKENS))
def test_steps_are_steps(name):
    steps = walk(name, 5)
    assert all(isinstance(s, SamplerStep) for s in steps)
    assert steps[0].mask.all() and not steps[-1].mask.any()
    assert not steps[0].changed.any() and not steps[0].confidence.any()
    for before, after in zip(steps, steps[1:]):
        assert not (after.mask & ~before.mask).any()
        kept = ~before.mask
        assert torch.equal(after.x[kept], before.x[kept])


@pytest.mark.parametrize('name', ['masked', 'partial', 'next_scale', 'entropy_bound'])
def test_what_is_given_stays(name):
    x = TOY.rows(40, gen(3))
    mask = torch.zeros_like(x, dtype=torch.bool)
    mask[:, 1] = True
    ids = final_tokens(walk(name, 40, x=x, mask=mask)[-1])
    assert torch.equal(ids[:, 0], x[:, 0])


@pytest.mark.parametrize('name', list(TOKENS))
def test_one_generator_one_result(name):
    first, again, other = (final_tokens(walk(name, 60, seed)[-1]) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize('sampler', ['ancestral', 'psi'])
@pytest.mark.parametrize('process', ['absorbing', 'uniform'])
def test_steps_back_reach_the_listed_distribution(process, sampler):
    "Two positions are drawn independently within a step, so many small steps"
    n, made = 4000, PROCESS.part(process)(len(TOY.codes))
    denoiser = Denoiser(TOY, made).eval()
    generator = gen()

    def from_the_others(x, t):
        "What the other positions say of each: the perfect answer without the position's own likelihood"
        own = made.likelihood(x, made.schedule.alpha(t.double()))[..., : len(TOY.codes)]
        return torch.where(own > 0, denoiser(x, t=t) - own.log(), 0.0)

    start = torch.zeros(n, 2, dtype=torch.long)
    steps = BASE.make(sampler)(from_the_others, made, start, steps=64, generator=generator)
    *_, last = steps
    counts = torch.bincount(TOY.index(last.x), minlength=len(TOY.p)).double() / n
    assert 0.5 * (counts - TOY.p).abs().sum() < 0.06


@pytest.mark.parametrize('name', CONTINUOUS)
def test_continuous_samplers_find_a_point(name):
    "A denoiser that knows the data leads there from any noise"
    process, goal = PROCESS.part('gaussian')(), torch.tensor([0.3, -0.7])
    x = process.prior((50, 2), gen(1))
    steps = list(BASE.make(name)(lambda x, t: goal.expand_as(x), process, x, steps=20, generator=gen(2)))
    torch.testing.assert_close(steps[-1].x, goal.expand(50, 2), rtol=0.15, atol=0.05)
    assert torch.equal(steps[0].x, x) and len(steps) >= 20


@pytest.mark.parametrize('name', CONTINUOUS)
def test_continuous_samplers_on_the_stand_in_device(name):
    process = PROCESS.part('gaussian')()
    with stand_in_device():
        x = process.prior((3, 2), gen(1)).to(DEVICE)
        *_, last = BASE.make(name)(lambda x, t: x * 0.5, process, x, steps=5, generator=gen(2))
        assert isinstance(last.x, StandIn)


@pytest.mark.parametrize('name', list(TOKENS))
def test_token_samplers_on_the_stand_in_device(name):
    process = process_of(name)
    expected = final_tokens(walk(name, 4, seed=5)[-1])
    with stand_in_device():
        model, generator = OnDevice(process.is_causal), gen(5)
        x = torch.zeros(4, 2, dtype=torch.long).to(DEVICE)
        denoise = answering(name, process, model, generator)
        *_, last = BASE.make(name)(denoise, process, x, steps=8, generator=generator)
        assert isinstance(last.x, StandIn)
        assert torch.equal(final_tokens(last._replace(x=last.x.cpu())), expected)


class OnDevice(ToyModel):
    "The perfect denoiser, reached from the stand-in device: it answers there"

    def __init__(self, is_causal):
        super().__init__(Denoiser(TOY).eval(), is_causal)

    def hidden_states(self, x, mask=None):
        return super().hidden_states(x.cpu(), None if mask is None else mask.cpu()).to(DEVICE)


def test_a_line_of_text_may_have_blanks_anywhere():
    sampler = BASE.from_text(' entropy_bound , bound = .5 , temperature=0')
    assert sampler.name == 'entropy_bound' and sampler.options == dict(bound=0.5, temperature=0)
    with pytest.raises(ValueError, match="key=value, got 'bound'"):
        BASE.from_text('entropy_bound,bound')


@pytest.mark.parametrize('name', list(TOKENS) + CONTINUOUS)
def test_an_unknown_option_is_refused_in_one_line(name):
    with pytest.raises(ValueError, match='no option') as e:
        BASE.make(name, stepz=3)
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('name', ['masked', 'partial', 'next_scale'] + CONTINUOUS)
def test_no_steps_are_refused_in_one_line(name):
    with pytest.raises(ValueError) as e:
        if name in TOKENS:
            walk(name, 2, steps=0)
        else:
            process = PROCESS.part('gaussian')()
            list(BASE.make(name)(lambda x, t: x, process, torch.zeros(2, 2), steps=0, generator=gen()))
    assert '\n' not in str(e.value)
