"Waves and the spectral encoder against slow references."

import math
import pytest
import torch
import torch.nn.functional as F
from scipy.fft import dctn
from visual_token_diffusion.encoders.dct import DCTEncoder, components, dct_basis

g = torch.Generator().manual_seed(0)


@pytest.mark.parametrize('G', [2, 4, 5, 8, 16])
def test_waves_are_an_orthonormal_cosine_transform(G):
    w = dct_basis(G)
    assert torch.allclose(w @ w.T, torch.eye(3 * G * G), atol=1e-5)
    x = torch.rand(3, G, G, generator=g).double()
    power = dctn(x.numpy(), axes=(1, 2), norm='ortho')  # of each channel, by scipy
    energy = (w.double() @ x.flatten()).square().sum().item()
    assert energy == pytest.approx((power**2).sum())
    assert w[0].std() < 1e-6
    finest = w[-1].view(3, G, G)[0, 0]
    assert finest.sign().diff().abs().sum() > 0


def test_components_by_svd():
    f = torch.randn(40, 6, generator=g)
    f[3] = 0
    known = torch.arange(40) != 3
    u = F.normalize((f - f[known].mean(0))[known].double(), dim=1)
    U, S, _ = torch.linalg.svd(u, full_matrices=False)
    z = components(f, 4).double()
    assert torch.allclose(z[known].abs(), (U * S)[:, :4].abs(), atol=1e-5)
    assert z[3].abs().max() == 0


def test_small_gain_keeps_distances_and_margin_is_exact():
    f = torch.randn(300, 20, generator=g)
    e = DCTEncoder(f, 8, gain=0.1)
    x = e(torch.arange(300)).flatten(1).double()
    assert e.margin() == pytest.approx(torch.pdist(x).min().item(), abs=1e-6)
    u = F.normalize(f - f.mean(0), dim=1).double()
    r = torch.pdist(x) / torch.pdist(u)
    assert r.max() < 1.1 * r.min()


def test_grids_are_bytes_and_unknown_tokens_are_far():
    f = torch.randn(60, 16, generator=g)
    f[10:20] = 0
    e = DCTEncoder(f, 8, gain=2.0)
    x = e(torch.arange(60))
    assert torch.allclose(x * 255, (x * 255).round(), atol=1e-4)
    assert x.min() >= 0 and x.max() <= 1
    distances = torch.cdist(x.flatten(1), x.flatten(1)).fill_diagonal_(99)
    assert distances[10:20].min() > 6
    twice = DCTEncoder(f, 8, gain=2.0)
    assert torch.equal(e.grids, twice.grids), 'one seed, one result'
    assert len(e(torch.zeros(2, 3, dtype=torch.long)).shape) == 5


def test_duplicates_have_no_margin_until_they_have_an_identity():
    f = torch.randn(9, 5, generator=g)
    f[1] = f[0]
    assert DCTEncoder(f).margin() == 0 and DCTEncoder(f, identity=0.5).margin() > 0.5


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: DCTEncoder(torch.zeros(0, 4)), 'at least one row'),
        (lambda: DCTEncoder(torch.full((3, 4), math.nan)), 'NaN'),
        (lambda: DCTEncoder(torch.ones(3, 4), dim=5), '1..4'),
        (lambda: DCTEncoder(torch.ones(3, 4), gain=-1), 'gain'),
        (lambda: DCTEncoder(torch.ones(3, 4), 1), 'side'),
        (lambda: DCTEncoder(torch.ones(3, 4))(torch.tensor([3])), '0..2'),
    ],
)
def test_bad_input_is_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)
