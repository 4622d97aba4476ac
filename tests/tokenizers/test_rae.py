"RAE: shifted times, frozen features, noise on what the decoder reads."

import pytest
import torch
import torch.nn.functional as F

from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.tokenizers.rae import RAE, shifted_time
from visual_token_diffusion.tokenizers.teacher import Teacher


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def model(**kwargs):
    torch.manual_seed(0)
    return RAE(size=16, patch=8, width=16, depth=1, **kwargs)


def images():
    return torch.rand(2, 3, 16, 16, generator=gen())


@pytest.mark.parametrize('dim,s', [(4096, 1.0), (4 * 4096, 2.0), (1024, 0.5), (196608, 48**0.5)])
def test_the_shift_multiplies_the_odds_of_noise(dim, s):
    t = torch.linspace(0.05, 0.95, 7, dtype=torch.double)
    moved = shifted_time(t, dim)
    torch.testing.assert_close(moved / (1 - moved), s * t / (1 - t))


def test_the_ends_stay_and_the_order_too():
    t = shifted_time(torch.linspace(0, 1, 50, dtype=torch.double), 196608)
    assert t[0] == 0 and t[-1] == 1 and (t.diff() > 0).all()


def test_the_shift_keeps_the_signal_of_a_repeated_value():
    "One number said m times, averaged, has at t' the signal to noise of one at t, with m the factor of numbers"
    t, m = torch.tensor([0.2, 0.5, 0.9], dtype=torch.double), 9
    moved = shifted_time(t, m, 1)
    torch.testing.assert_close((1 - t) / t, (1 - moved) / (moved / m**0.5))


@pytest.mark.parametrize('dim,base', [(0, 4096), (8, 0), (-1, 2)])
def test_no_numbers_no_shift(dim, base):
    with pytest.raises(ValueError, match='at least 1'):
        shifted_time(torch.zeros(1), dim, base)


def test_latents_are_normalized_features_of_the_encoder():
    encoder = Teacher(16, width=12, depth=1)
    rae, x = model(encoder=encoder), images()
    features = encoder.features(x)
    centred = features - features.mean(-1, keepdim=True)
    wanted = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(rae.latents(x), wanted)


def test_only_the_decoder_is_trained():
    rae = model()
    out, _ = rae(images())
    out.square().mean().backward()
    assert all(p.grad is None for p in rae.encoder.parameters())
    assert all(p.grad is not None for p in rae.decoder.parameters() if p.numel())
    rae = model(frozen=False)
    rae(images())[0].square().mean().backward()
    assert all(p.grad is not None for p in rae.parameters() if p.numel())


def test_noise_has_one_deviation_for_each_picture_below_the_largest():
    rae = model(noise=0.8, generator=gen(3))
    noise = rae.noised(torch.zeros(512, 9, 64))
    sigma = noise.flatten(1).std(1)
    assert sigma.max() < 0.85 and 0.37 < sigma.mean() < 0.43 and sigma.min() < 0.05
    g = gen(3)
    wanted = 0.8 * torch.rand(512, 1, 1, generator=g) * torch.randn(512, 9, 64, generator=g)
    torch.testing.assert_close(noise, wanted)


def test_noise_is_for_training_and_for_the_decoder_only():
    rae, x = model(), images()
    first, second = rae(x), rae(x)
    assert torch.equal(first[1].z, second[1].z) and not torch.equal(first[0], second[0])
    rae.eval()
    assert torch.equal(rae(x)[0], rae.render(rae.latents(x)))
    still = model(noise=0)
    assert torch.equal(still(x)[0], still(x)[0])


def test_a_quantizer_gets_a_map_of_its_own_and_all_comes_back(tmp_path):
    rae, x = model(quantizer=FSQ((4, 4, 4))).eval(), images()
    assert rae.latents(x).shape == (2, 4, 3) and rae.encode(x).shape == (2, 4, 3)
    rae.save_pretrained(tmp_path)
    again = RAE.from_pretrained(tmp_path)
    assert torch.equal(again.encode(x), rae.encode(x)) and torch.equal(again(x)[0], rae(x)[0])
    assert not any(p.requires_grad for p in again.encoder.parameters())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match='n_latents'):
        model(n_latents=2)
    with pytest.raises(ValueError, match='4 patches'):
        model(encoder=Teacher(16, patch=4, width=12, depth=1))(images())
    with pytest.raises(ValueError, match='expected pictures'):
        model()(torch.rand(2, 3, 24, 24))


def test_features_are_those_that_a_layer_norm_gives():
    rae, x = model(), images()
    torch.testing.assert_close(rae.latents(x), F.layer_norm(rae.encoder.features(x), (16,)))
