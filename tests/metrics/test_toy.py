"The toy's perfect denoiser and its probes, by listing everything."

import pytest, torch
from visual_token_diffusion.metrics.toy import Denoiser, Probe, Toy


@pytest.mark.parametrize('masks_codes', [False, True])
def test_the_denoiser_by_listing_all_sequences(masks_codes):
    toy = Toy(2, 2, 3, seed=4)
    x = toy.seqs[[27]]
    shape = (1, 3, 2) if masks_codes else (1, 3)
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.6
    got = Denoiser(toy).eval()(x, mask)[0].exp()
    of_codes = mask if masks_codes else mask[..., None].expand(1, 3, 2)
    agree = ((toy.codes[toy.seqs] == toy.codes[x]) | of_codes).flatten(1).all(1)
    weight = toy.p * agree
    want = [[weight[column == v].sum() for v in range(4)] for column in toy.seqs.T]
    assert torch.allclose(got, torch.tensor(want).double() / weight.sum())


def test_a_probe_pays_at_one_level_only():
    toy = Toy()
    x = toy.seqs[[9]]
    for masked in (1, 2, 3):
        mask = torch.arange(3)[None] < masked
        lp = Probe(toy, x, 2).eval()(x, mask)
        nll = -lp.gather(-1, x[..., None])[..., 0][mask]
        want = torch.full((masked,), 4.0).log() if masked == 2 else torch.zeros(masked)
        assert torch.allclose(nll, want.double(), atol=1e-9)
