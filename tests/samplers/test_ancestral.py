"Ancestral sampling of every chain follows the listed table."

import pytest
import torch
from support.noise import gen
from support.pairs import PROCESSES, chi2, fast_denoiser, label

from visual_token_diffusion.samplers.ancestral import sample_ancestral


@pytest.mark.parametrize('p', PROCESSES[:6], ids=label)
def test_ancestral_sampler(p):
    blank = torch.zeros(12000, 2, dtype=torch.long)

    def run(steps, seed):
        walk = sample_ancestral(fast_denoiser(p), p, blank, steps=steps, generator=gen(seed))
        return list(walk)[-1].x

    assert chi2(run(96, 0)) < 8 + 5 * 4 < chi2(run(1, 0))
    assert torch.equal(run(3, 5), run(3, 5))


def test_the_state_and_the_prediction_of_a_step():
    p, x = PROCESSES[1], torch.zeros(50, 2, dtype=torch.long)
    mask = torch.tensor([[True, False]]).expand(50, 2)
    steps = list(sample_ancestral(fast_denoiser(p), p, x, mask=mask, steps=4, generator=gen()))
    assert [s.t for s in steps] == [1.0, 0.75, 0.5, 0.25, 0.0]
    for before, after in zip(steps, steps[1:]):
        assert torch.equal(after.changed, before.x != after.x)
        assert torch.equal(after.mask, mask & (after.t > 0))
        assert (after.pred[:, 1] == 0).all() and (after.confidence <= 0).all()
