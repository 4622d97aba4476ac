"Mistakes that a model makes itself: where they stand, how many, and a loss that is the bound without them."

import pytest
import torch
from support.parts import V, gen, shaken

from visual_token_diffusion.diffusion.masked import MaskedDiffusion
from visual_token_diffusion.diffusion.own_mistakes import editing_loss, plant_mistakes
from visual_token_diffusion.models.sequence import SequenceModel
from visual_token_diffusion.networks.embeddings import TokenEmbedding
from visual_token_diffusion.networks.heads.flat import FlatHead

L, WIDTH = 10, 16
IDS = torch.randint(V, (200, L), generator=gen(1))


def small():
    torch.manual_seed(0)
    return shaken(SequenceModel(TokenEmbedding(V, WIDTH), FlatHead(V, WIDTH), WIDTH, 1, 2)).eval()


@pytest.mark.parametrize('own', [True, False])
def test_only_visible_tokens_change(own):
    mask = torch.rand(IDS.shape, generator=gen(2)) < 0.5
    x_t = plant_mistakes(small() if own else None, IDS, mask, 0.4, gen(3), V)
    changed = x_t != IDS
    assert not (changed & mask).any()
    share = float(changed[~mask].double().mean())
    assert share == pytest.approx(0.4 * (1 - 1 / V), abs=0.06 if own else 0.04)


def test_own_mistakes_are_drawn_from_the_model():
    "A model that knows one token only writes that token"
    model = small()
    model.head.prior.copy_(torch.full((V,), -50.0).index_fill(0, torch.tensor([7]), 0.0))
    x_t = plant_mistakes(model, IDS, torch.zeros_like(IDS, dtype=torch.bool), 1.0, gen(3))
    assert (x_t == 7).all()


@torch.no_grad()
def test_the_loss_without_mistakes_is_the_bound_and_what_is_seen():
    model, process = small(), MaskedDiffusion()
    noisy = process.corrupt(IDS, torch.rand(200, generator=gen(4)), generator=gen(5))
    bound = process.loss(model, IDS, noisy)
    torch.testing.assert_close(editing_loss(model, IDS, IDS, noisy, 0.0), bound)
    log_probs = model.head.log_probs(model.hidden_states(IDS, noisy.mask).flatten(0, 1)).view(200, L, V)
    nll = -log_probs.gather(-1, IDS[..., None])[..., 0]
    seen = (nll * ~noisy.mask).sum(1)
    torch.testing.assert_close(editing_loss(model, IDS, IDS, noisy, 2.0), bound + 2 * seen, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize('share', [-0.1, 1.5, float('nan')])
def test_a_bad_share_is_refused(share):
    with pytest.raises(ValueError, match='share of mistakes'):
        plant_mistakes(small(), IDS, IDS > V, share)
