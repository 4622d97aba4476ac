"Perceptual distance, discriminator and the game between tokenizer and discriminator, by formulas written anew."

from types import SimpleNamespace

import pytest
import torch
from support.parts import randn, seeded

from visual_token_diffusion.experiments.tokenizers.runs import train_tokenizer
from visual_token_diffusion.networks.contrastive import info_nce
from visual_token_diffusion.networks.gradients import adaptive_weight
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.teacher import Teacher
from visual_token_diffusion.tokenizers.vit import ViTTokenizer
from visual_token_diffusion.training.tokenizer_losses import (
    AdversarialCB, PatchDiscriminator, PerceptualLoss, hinge_loss, lecam_loss,
)
from visual_token_diffusion.worlds.captions import World


def teacher():
    return seeded(lambda: Teacher(24, 8, 16, 2))


def pictures(n):
    "Two batches (n,3,24,24)"
    return randn(2, n, 3, 24, 24).sigmoid()


def test_perceptual_loss_is_a_mean_of_squared_differences_of_unit_vectors():
    net, (a, b) = teacher(), pictures(3)
    loss = PerceptualLoss(net, ['backbone'])(a, b)
    u, v = net.features(a), net.features(b)
    u, v = u / u.norm(dim=-1, keepdim=True), v / v.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(loss, (u - v).square().sum(-1).mean())


def test_layers_add_up_and_weights_count():
    net, (a, b) = teacher(), pictures(2)
    names = ['backbone.blocks.0', 'backbone.blocks.1']
    single = sum(PerceptualLoss(net, [name])(a, b) for name in names)
    torch.testing.assert_close(PerceptualLoss(net, names)(a, b), single)
    doubled = PerceptualLoss(net, names, [2 * torch.ones(16)] * 2)(a, b)
    torch.testing.assert_close(doubled, 2 * single)


def test_convolutions_serve_too_and_gradients_reach_pictures_only():
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
    loss = PerceptualLoss(net, ['0'])
    images = randn(2, 3, 8, 8).requires_grad_()
    loss(images, randn(2, 3, 8, 8, seed=1)).backward()
    assert images.grad.abs().sum() > 0 and all(p.grad is None for p in net.parameters())
    assert not loss.train().network.training


def test_hinge_and_lecam():
    real, fake = randn(5), randn(7, seed=1)
    want = 0.5 * ((1 - real).clamp(min=0).mean() + (1 + fake).clamp(min=0).mean())
    torch.testing.assert_close(hinge_loss(real, fake), want)
    above, below = (real + 0.3).clamp(min=0), (0.4 - fake).clamp(min=0)
    want = above.pow(2).mean() + below.pow(2).mean()
    torch.testing.assert_close(lecam_loss(real, fake, 0.4, -0.3), want)


def test_the_adaptive_weight_makes_gradients_equally_long():
    w = randn(3, 4).requires_grad_()
    x, y = randn(4), randn(4, seed=1)
    first, second = (w @ x).square().sum(), 100 * (w @ y).abs().sum()
    scale = adaptive_weight(first, second, w, eps=0)
    a = torch.autograd.grad(first, w, retain_graph=True)[0]
    b = torch.autograd.grad(scale * second, w, retain_graph=True)[0]
    torch.testing.assert_close(a.norm(), b.norm())
    assert not scale.requires_grad and adaptive_weight(first, second * 0, w, most=5.0) == 5


def test_info_nce_by_hand():
    a, b = randn(4, 8), randn(4, 8, seed=1)
    u, v = a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True)
    logits = u @ v.T / 0.1
    rows = -logits.log_softmax(1).diag().mean()
    columns = -logits.log_softmax(0).diag().mean()
    torch.testing.assert_close(info_nce(a, b, 0.1), (rows + columns) / 2)
    torch.testing.assert_close(info_nce(a, b, 0.1, symmetric=False), rows)
    with pytest.raises(ValueError, match='two batches'):
        info_nce(a, b[:2])


def tokenizer():
    return seeded(lambda: ViTTokenizer(VectorQuantizer(8, 16), size=24, patch=8, width=16, depth=1))


def test_the_game_begins_when_it_is_told():
    game = AdversarialCB(seeded(lambda: PatchDiscriminator(8)), start=2, lecam=0.001)
    before = [p.clone() for p in game.discriminator.parameters()]
    train_tokenizer(tokenizer(), World(1), 2, valid=32, batch=8, cbs=[game])
    assert all(torch.equal(a, b) for a, b in zip(before, game.discriminator.parameters())) and not game.rows
    train_tokenizer(tokenizer(), World(1), 2, valid=32, batch=8, cbs=[game])
    assert len(game.rows) == 2 and game.means.abs().sum() > 0
    assert any(not torch.equal(a, b) for a, b in zip(before, game.discriminator.parameters()))
    assert all(p.requires_grad for p in game.discriminator.parameters())


def test_the_game_changes_the_tokenizer_and_weight_zero_does_not():
    def trained(**kwargs):
        cbs = [AdversarialCB(seeded(lambda: PatchDiscriminator(8)), **kwargs)] if kwargs else []
        torch.manual_seed(1)
        return train_tokenizer(tokenizer(), World(1), 3, valid=32, batch=8, cbs=cbs).model.to_pixels.weight

    assert torch.equal(trained(), trained(weight=0.0))
    assert not torch.equal(trained(), trained(weight=1.0))


def test_the_term_of_the_game_is_added_with_both_weights():
    game = AdversarialCB(seeded(lambda: PatchDiscriminator(8)), weight=0.3)
    model, image = tokenizer(), pictures(2)[0]
    decoded = model.to_pixels.weight.square().sum() * image
    loss = decoded.square().mean()
    game.learn = SimpleNamespace(loss_grad=loss, pred=[decoded], model=model, training=True)
    game.after_loss()
    term = -game.discriminator(decoded).mean()
    scale = adaptive_weight(loss, term, model.to_pixels.weight)
    assert abs(scale.item() - 1) > 0.1
    torch.testing.assert_close(game.learn.loss_grad, loss + 0.3 * scale * term)


def test_a_perceptual_term_trains():
    loss = PerceptualLoss(teacher(), ['backbone'])
    learn = train_tokenizer(tokenizer(), World(1), 2, valid=32, batch=8, perceptual=loss, perceptual_weight=0.1)
    assert learn.recorder.losses[-1].isfinite()
