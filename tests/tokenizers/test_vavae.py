"VA-VAE: its two losses, the adaptive weight, the Gaussian latents."

import math

import pytest
import torch
import torch.nn.functional as F

from visual_token_diffusion.networks.gradients import adaptive_weight
from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.tokenizers.teacher import Teacher
from visual_token_diffusion.tokenizers.vavae import VAVAE, distance_matrix_loss, marginal_cosine_loss


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def pair(seed=0):
    return torch.randn(2, 3, 4, generator=gen(seed)), torch.randn(2, 3, 4, generator=gen(seed + 1))


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a.tolist(), b.tolist()))
    return dot / math.sqrt(sum(x * x for x in a.tolist()) * sum(x * x for x in b.tolist()))


@pytest.mark.parametrize('margin', [0, 0.5, 1.2])
def test_cosine_loss_is_a_mean_over_places(margin):
    z, f = pair()
    cosines = [cosine(z[b, i], f[b, i]) for b in range(2) for i in range(3)]
    terms = [max(0, 1 - margin - c) for c in cosines]
    assert marginal_cosine_loss(z, f, margin).item() == pytest.approx(sum(terms) / 6, abs=1e-6)


@pytest.mark.parametrize('margin', [0, 0.25, 0.8])
def test_distance_loss_is_a_mean_over_all_pairs_of_a_picture(margin):
    z, f = pair(3)
    pairs = [(b, i, j) for b in range(2) for i in range(3) for j in range(3)]
    of_z = [cosine(z[b, i], z[b, j]) for b, i, j in pairs]
    of_f = [cosine(f[b, i], f[b, j]) for b, i, j in pairs]
    terms = [max(0, abs(x - y) - margin) for x, y in zip(of_z, of_f)]
    assert distance_matrix_loss(z, f, margin).item() == pytest.approx(sum(terms) / 18, abs=1e-6)


def test_lengths_of_vectors_do_not_count():
    z, f = pair()
    lengths = torch.rand(2, 3, 1, generator=gen(5)) + 0.1
    for loss in (marginal_cosine_loss, distance_matrix_loss):
        torch.testing.assert_close(loss(lengths * z, f), loss(z, f))


def test_shapes_must_agree():
    z, f = pair()
    for loss in (marginal_cosine_loss, distance_matrix_loss):
        with pytest.raises(ValueError, match='expected mapped latents'):
            loss(z, f[:, :2])


def test_the_weight_is_the_ratio_of_gradients_and_has_none():
    layer = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    weight = adaptive_weight(layer.square().sum(), layer.sum(), layer)
    assert weight.item() == pytest.approx(10 / (math.sqrt(2) + 1e-4), rel=1e-6)
    assert not weight.requires_grad
    assert adaptive_weight(layer.sum(), 0 * layer.sum(), layer, eps=1e-9, most=7.0).item() == 7


def model(**kwargs):
    torch.manual_seed(0)
    return VAVAE(size=16, patch=8, width=16, depth=1, **kwargs)


def images():
    return torch.rand(2, 3, 16, 16, generator=gen())


def test_training_samples_and_evaluation_takes_the_mean():
    vae, x = model(generator=gen(1)), images()
    mean, logvar = vae.moments(x)
    first, second = vae(x)[1].z, vae(x)[1].z
    assert not torch.equal(first, second)
    noise = torch.randn(mean.shape, generator=gen(1))
    torch.testing.assert_close(first, mean + (0.5 * logvar).exp() * noise)
    assert torch.equal(vae.eval()(x)[1].z, mean)


def test_the_kl_is_summed_over_a_picture_and_shared_by_its_pixels():
    vae, x = model(kl_weight=0.5), images()
    mean, logvar = vae.moments(x)
    normal = torch.distributions.Normal(mean, (0.5 * logvar).exp())
    kl = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(vae(x)[1].losses['kl'], 0.5 * kl.sum() / 2 / (3 * 16 * 16))


def test_the_alignment_pulls_with_a_share_of_the_pixels_gradient():
    teacher = Teacher(16, width=12, depth=1)
    vae, x = model(teacher=teacher, weight=0.3, cos_margin=0, dist_margin=0), images()
    out, quantized = vae(x)

    def length(loss):
        return torch.autograd.grad(loss, vae.to_latents.weight, retain_graph=True)[0].norm()

    share = length(quantized.losses['alignment']) / length(F.mse_loss(out, x))
    assert share.item() == pytest.approx(0.3, rel=2e-2)
    sum(quantized.losses.values()).backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert vae.align_proj.weight.grad.abs().sum() > 0


def test_no_alignment_without_gradients_or_in_evaluation():
    vae = model(teacher=Teacher(16, width=12, depth=1))
    with torch.no_grad():
        assert set(vae(images())[1].losses) == {'kl'}
    assert set(vae.eval()(images())[1].losses) == {'kl'}


def test_a_quantizer_takes_the_place_of_the_gaussian():
    vae = model(quantizer=FSQ((4, 4, 4)), teacher=Teacher(16, width=12, depth=1))
    _, quantized = vae(images())
    assert 'kl' not in quantized.losses and 'alignment' in quantized.losses
    later = model(latent_dim=3)
    later.quantizer = FSQ((4, 4, 4))
    assert later.encode(images()).shape == (2, 4, 3)


def test_a_teacher_of_patches_needs_latents_of_patches():
    with pytest.raises(ValueError, match='n_latents'):
        model(teacher=Teacher(16, width=12, depth=1), n_latents=2)
    larger, z = model(teacher=Teacher(24, width=12, depth=1)), torch.randn(2, 4, 8)
    with pytest.raises(ValueError, match='expected mapped latents'):
        larger.alignment(z, torch.rand(2, 3, 24, 24))


def test_a_saved_one_comes_back_without_its_teacher(tmp_path):
    vae = model(teacher=Teacher(16, width=12, depth=1)).eval()
    vae.save_pretrained(tmp_path)
    again = VAVAE.from_pretrained(tmp_path)
    assert again.teacher is None and torch.equal(again(images())[0], vae(images())[0])
    vae.quantizer = FSQ((4, 4) * 4)
    vae.save_pretrained(tmp_path)
    assert torch.equal(VAVAE.from_pretrained(tmp_path).encode(images()), vae.encode(images()))


def test_the_two_losses_have_weights_and_the_whole_may_be_fixed():
    "hustvl/LightningDiT 2725fed: `cos_weight`, `distmat_weight`, and `vf_weight` without the adaptive factor"
    teacher, x = Teacher(16, width=12, depth=1), images()
    options = dict(weight=3.0, cos_weight=0.5, dist_weight=2.0, adaptive=False)
    vae = model(teacher=teacher, **options)
    quantized = vae(x)[1]
    mapped, features = vae.align_proj(quantized.z), teacher.features(x)
    want = 0.5 * marginal_cosine_loss(mapped, features) + 2 * distance_matrix_loss(mapped, features)
    torch.testing.assert_close(quantized.losses['alignment'], 3 * want)
