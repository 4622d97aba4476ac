"The accept rule beside the published formula, and the two samplers that use it."

import pytest
import torch
from support.parts import gen

from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.diffusion.discrete import Uniform
from visual_token_diffusion.metrics.toy import Denoiser, Toy
from visual_token_diffusion.models.text_methods import MASKED_STORYTELLER
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.samplers.base import Sampler
from visual_token_diffusion.samplers.entropy_bound import (
    accept_by_entropy, falling_temperature, sample_entropy_bound_uniform, sample_entropy_bound,
)

TOY = Toy()
START = torch.zeros(40, TOY.length, dtype=torch.long)


def by_counting(entropy, bound):
    "Row by row: add the lowest one after the other while those before it stay within the bound"
    accepted = torch.zeros_like(entropy, dtype=torch.bool)
    for row, chosen in zip(entropy, accepted):
        total = 0.0
        for i in row.argsort().tolist():
            if total > bound:
                break
            chosen[i] = True
            total += row[i].item()
    return accepted


@pytest.mark.parametrize('bound', [0, 0.1, 1.5, 100])
def test_the_rule(bound):
    entropy = torch.rand(30, 12, generator=gen(1), dtype=torch.double)
    assert torch.equal(accept_by_entropy(entropy, bound), by_counting(entropy, bound))


def test_only_what_may_be_accepted():
    entropy = torch.rand(30, 12, generator=gen(2))
    mask = torch.rand(30, 12, generator=gen(3)) < 0.5
    mask[0] = False
    accepted = accept_by_entropy(entropy, 0.3, mask)
    assert not (accepted & ~mask).any() and not accepted[0].any()
    assert torch.equal(accepted.any(1), mask.any(1))
    alone = entropy.masked_fill(~mask, 50.0)
    assert torch.equal(accepted[1:], (by_counting(alone.double(), 0.3) & mask)[1:])


@pytest.mark.parametrize('steps', [1, 2, 3, 9])
def test_it_ends_within_its_steps(steps):
    walk = list(sample_entropy_bound(Denoiser(TOY).eval(), None, START, bound=1e-12, steps=steps, generator=gen()))
    assert len(walk) - 1 == min(steps, TOY.length) and not walk[-1].mask.any()


def test_a_wide_bound_takes_one_call():
    assert len(list(sample_entropy_bound(Denoiser(TOY).eval(), None, START, bound=99, generator=gen()))) == 2


def test_temperatures_fall():
    assert [falling_temperature(n, 4) for n in (4, 2, 1)] == pytest.approx([0.8, 0.6, 0.5])


def certain(x, t):
    "A denoiser that knows the text: token 2 everywhere"
    return torch.full((*x.shape, 4), -40.0).index_fill(-1, torch.tensor([2]), 0.0)


def test_uniform_noise_stops_when_it_is_stable_and_confident():
    walk = list(sample_entropy_bound_uniform(certain, Uniform(4), START, generator=gen()))
    assert (walk[-1].x == 2).all() and len(walk) - 1 == 2
    late = list(sample_entropy_bound_uniform(certain, Uniform(4), START, stable=3, generator=gen()))
    assert len(late) - 1 == 4


class Lucky(Uniform):
    "Noise that is right by chance"

    def prior(self, shape, generator=None):
        return torch.full(shape, 2)


def test_noise_that_happens_to_be_right_is_no_earlier_prediction():
    "As in transformers 5.18, whose history of predictions begins with none"
    walk = list(sample_entropy_bound_uniform(certain, Lucky(4), START, generator=gen()))
    assert len(walk) - 1 == 2
    walk = list(sample_entropy_bound_uniform(certain, Lucky(4), START, stable=0, generator=gen()))
    assert len(walk) - 1 == 1


def test_uniform_noise_keeps_the_prompt_and_redraws_the_rest():
    mask = torch.zeros_like(START, dtype=torch.bool)
    mask[:, 1:] = True
    chain = Denoiser(TOY, Uniform(4)).eval()
    options = dict(mask=mask, steps=5, generator=gen())
    walk = list(sample_entropy_bound_uniform(lambda x, t: chain(x, t=t), Uniform(4), START, **options))
    assert all((step.x[:, 0] == 0).all() for step in walk)
    assert len(walk) == 6 and not walk[-1].mask.any()


BAD = {'steps': 0, 'bound': 0.0, 't_min': 0.0, 't_max': 0.1}


@pytest.mark.parametrize('name', list(BAD))
def test_bad_redrawing(name):
    bad = {name: BAD[name]}
    with pytest.raises(ValueError, match=name):
        list(sample_entropy_bound_uniform(certain, Uniform(4), START, **bad))


def test_bad_bounds():
    for bad in (-1, 0, float('nan')):
        with pytest.raises(ValueError, match='must be above 0'):
            list(sample_entropy_bound(certain, None, START, bound=bad))
    with pytest.raises(ValueError, match='must not be negative'):
        accept_by_entropy(torch.zeros(1, 2), -1)
    with pytest.raises(ValueError, match='NaN'):
        list(sample_entropy_bound(lambda x, mask: torch.full((*x.shape, 4), torch.nan), None, START))


def test_the_packaged_model_writes_with_it_and_refuses_uniform_noise():
    model = VisualTokenLM.from_pretrained(MASKED_STORYTELLER)
    sampler = Sampler.make('entropy_bound', bound=3.0)
    *_, last = model.generate_steps('the cat', n=2, sampler=sampler, steps=24, length=16)
    assert not last.mask.any() and model.vocab.decode(last.x[0].tolist()).startswith('the cat')
    first, again = (model.generate('the cat', sampler=sampler, length=16) for _ in range(2))
    assert first == again
    with pytest.raises(CombinationError, match="'entropy_bound_uniform' undoes uniform.*entropy_bound"):
        model.generate(sampler='entropy_bound_uniform')


def test_the_bound_is_in_nats():
    "Four equally likely tokens are log 4 = 1.386 nats: the first costs nothing, the second just fits"
    def alike(x, mask):
        return torch.zeros(*x.shape, 4)

    start = torch.zeros(1, 4, dtype=torch.long)
    for bound, written in ((1.38, 1), (1.39, 2)):
        first = list(sample_entropy_bound(alike, None, start, bound=bound, generator=gen()))[1]
        assert first.changed.sum() == written
