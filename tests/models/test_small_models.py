"The small models of the course: a masked denoiser, pixels, and pixels on request."

import pytest
import torch

from visual_token_diffusion.models.guided_pixel_denoiser import GuidedPixelDenoiser
from visual_token_diffusion.models.pixel_denoiser import PixelDenoiser
from visual_token_diffusion.models.small_denoiser import SmallDenoiser
from visual_token_diffusion.models.story_language import story_language

L = story_language()
points = 0.3 * (2 * L.encoder(torch.arange(len(L.vocab))) - 1)
ids = torch.tensor([L.vocab.encode('the cat sleeps near one big old tree')])


def test_a_masked_word_is_not_seen():
    torch.manual_seed(0)
    model = SmallDenoiser(L.vocab, L.encoder, length=8, width=16, depth=1).eval()
    mask = torch.tensor([[False, True, False, False, False, False, False, True]])
    other = ids.clone()
    other[mask] = 5
    assert torch.equal(model.log_probs(ids, mask), model.log_probs(other, mask))
    assert model(ids, mask, torch.tensor([4.0])).shape == (1,)


def test_a_prompt_stays():
    model = SmallDenoiser(L.vocab, L.encoder, length=8, width=16, depth=1).eval()
    steps = list(model.generate_steps('the cat', n=2, steps=3, seed=1))
    assert all(L.labels(row) == ['the', 'cat'] for row in steps[-1].x[:, :2].tolist())
    again = list(model.generate_steps('the cat', n=2, steps=3, seed=1))
    assert torch.equal(steps[-1].x, again[-1].x) and not steps[-1].mask.any()
    with pytest.raises(ValueError, match='leaves no room'):
        list(model.generate_steps('the cat ' * 4))


@pytest.mark.parametrize('out', ['pixels', 'words', 'bayes'])
def test_shapes_of_a_pixel_denoiser(out):
    model = PixelDenoiser(points, out, width=16, depth=1).eval()
    x = points[ids]
    said = model(x, torch.tensor([0.5]))
    assert said.shape == (x.shape if out == 'pixels' else (1, 8, len(L.vocab)))
    assert model.expected(x, torch.tensor([0.5])).shape == x.shape


def test_bayes_alone_reads_what_has_little_noise():
    "Untrained, the likelihood of each grid decides"
    model = PixelDenoiser(points, 'bayes', width=16, depth=1).eval()
    t = torch.tensor([0.1])
    noise = torch.randn(points[ids].shape, generator=torch.Generator().manual_seed(0))
    noisy = 0.9 * points[ids] + 0.1 * noise
    assert torch.equal(model(noisy, t).argmax(-1), ids)


def test_likelihood_against_the_density():
    model = PixelDenoiser(points, 'bayes', width=16, depth=1).eval()
    model.head.weight.data.zero_()
    model.head.bias.data.zero_()
    x = torch.randn(1, 8, 3, 16, 16, generator=torch.Generator().manual_seed(2)).double()
    t = torch.tensor([0.7])
    model = model.double()
    normal = torch.distributions.Normal(0.3 * points.double(), 0.7)
    want = normal.log_prob(x[0][:, None]).sum((2, 3, 4)).log_softmax(-1)
    assert torch.allclose(model(x, t.double())[0], want, atol=1e-4)


def test_guidance_is_a_line_in_logarithms():
    torch.manual_seed(0)
    model = GuidedPixelDenoiser(points, 4, width=16, depth=1).eval()
    x, t = points[ids], torch.tensor([0.5])
    kind = torch.tensor([2])
    keep = torch.tensor([True])
    assert torch.allclose(model.guided_log_probs(x, t, kind, 1.0), model(x, t, kind, keep), atol=1e-5)
    assert torch.allclose(model.guided_log_probs(x, t, kind, 0.0), model(x, t, kind, ~keep), atol=1e-5)
    with pytest.raises(ValueError, match='negative'):
        model.guided_log_probs(x, t, kind, -1.0)
