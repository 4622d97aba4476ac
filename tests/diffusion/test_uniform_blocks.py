"Blocks of uniform noise: their times, a loss that training and sampling share, and feedback that changes answers."

import pytest
import torch
from support.parts import V, gen, shaken

from visual_token_diffusion.diffusion.uniform_blocks import Feedback, UniformBlocks
from visual_token_diffusion.models.sequence import SequenceModel
from visual_token_diffusion.networks.embeddings import TokenEmbedding
from visual_token_diffusion.networks.heads.flat import FlatHead

L, WIDTH = 12, 16
IDS = torch.randint(V, (4, L), generator=gen(1))


def small(feedback=False, size=4):
    torch.manual_seed(0)
    model = SequenceModel(TokenEmbedding(V, WIDTH), FlatHead(V, WIDTH), WIDTH, 2, 2, process=UniformBlocks(V, size))
    if feedback:
        model.feedback = Feedback(WIDTH)
    return shaken(model).eval()


def test_each_block_has_its_own_share_of_noise():
    x0 = torch.zeros(4000, L, dtype=torch.long)
    x_t = UniformBlocks(1000, 4).corrupt_blocks(x0, torch.full((4000,), 0.5), gen()).x_t
    shares = (x_t != 0).double().view(-1, 3, 4).mean((0, 2)).tolist()
    assert sorted(shares) == pytest.approx([0.5 - 1 / 3, 0.5, 0.5 + 1 / 3], abs=0.02)


def test_without_noise_nothing_changes():
    process = UniformBlocks(V, L)
    assert torch.equal(process.corrupt_blocks(IDS, torch.full((4,), 1e-12), gen()).x_t, IDS)


@torch.no_grad()
def test_the_loss_is_what_the_denoiser_answers():
    "Every block beside what sampling sees: the clean text before it, and itself noisy"
    model = small()
    t = torch.full((4,), 0.7)
    x_t = model.process.corrupt_blocks(IDS, t, gen(3)).x_t
    total = 0.0
    for end in (4, 8, 12):
        x = torch.cat([IDS[:, : end - 4], x_t[:, end - 4 : end]], 1)
        log_probs = model.process.block_denoiser(model)(x, t)[:, -4:]
        total = total - log_probs.gather(-1, IDS[:, end - 4 : end, None])[..., 0].sum(1)
    torch.testing.assert_close(model.process.flat_loss(model, IDS, t, gen(3)), total, rtol=1e-4, atol=1e-3)


@torch.no_grad()
def test_feedback_is_the_last_answer_and_ends_with_the_block():
    model = small(feedback=True)
    denoise = model.process.block_denoiser(model)
    first, second = denoise(IDS[:, :8], None), denoise(IDS[:, :8], None)
    assert not torch.allclose(first[:, -4:], second[:, -4:], atol=1e-4)
    torch.testing.assert_close(first[:, :4], second[:, :4])
    anew = model.process.block_denoiser(model)(IDS, None)
    torch.testing.assert_close(denoise(IDS, None), anew)


def test_feedback_starts_as_nothing_and_learns():
    model = small(feedback=True)
    torch.nn.init.zeros_(model.feedback.proj.weight)
    plain = small()
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith('feedback')})
    denoise = model.process.block_denoiser(model)
    denoise(IDS, None)
    torch.testing.assert_close(denoise(IDS, None), plain.process.block_denoiser(plain)(IDS, None))
    for seed in range(20):  # one of them feeds back
        model.process.flat_loss(model, IDS, torch.full((4,), 0.5), gen(seed)).sum().backward()
    assert model.feedback.proj.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('make', [lambda: UniformBlocks(V, 0), lambda: UniformBlocks(1),
                                  lambda: UniformBlocks(V, 5).corrupt_blocks(IDS, torch.ones(4))])
def test_bad_blocks_are_refused_in_one_line(make):
    with pytest.raises(ValueError) as e:
        make()
    assert '\n' not in str(e.value)
