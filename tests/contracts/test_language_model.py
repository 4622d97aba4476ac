"A language model from any parts: trained, measured, written with, kept, and the same on the stand-in device."

import json

import pytest
import torch
from support.parts import gen
from support.standin import DEVICE, StandIn, on_device, stand_in_device

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.core.registry import seam_base
from visual_token_diffusion.models.build import build_model, validation_nelbo
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.training.language_model import lm_learner
from visual_token_diffusion.worlds.stories import story_text

TEXT = story_text(200, torch.Generator().manual_seed(0))
VOCAB = make_vocab('words', TEXT)
IDS = torch.tensor(VOCAB.encode(TEXT))
SMALL = ['width=16', 'heads=1', 'depth=1', 'length=8', 'feature_dim=8', 'batch=4', 'steps=4', 'epochs=1']
PROCESS, HEAD = seam_base('process'), seam_base('head')
PROCESSES = [n for n in PROCESS.names() if PROCESS.part(n).lm]
COMBINATIONS = [
    *([f'process={p}'] for p in PROCESSES),
    *([f'head={h}'] for h in HEAD.names()),
    *([f'encoder={e}'] for e in seam_base('encoder').names()),
    *([f'codebook={c}'] for c in seam_base('codebook').names()),
    ['encoder=pyramid', 'decoder=pyramid', 'process=partial'],
    ['head=hierarchical', 'process=next_scale', 'encoder=robust'],
]


def model_of(overrides=()):
    return build_model(VOCAB, IDS, load_settings('ci', [*SMALL, *overrides]))


def windows(n=8):
    return IDS[: n * 8].view(n, 8)


@pytest.mark.parametrize('overrides', COMBINATIONS, ids=' '.join)
def test_every_combination_learns_and_writes(overrides):
    model = model_of(overrides)
    noisy = model.process.corrupt(windows(), torch.linspace(0.1, 1, 8), generator=gen())
    loss = model(windows(), noisy.mask, noisy.weight)
    assert loss.shape == (8,) and loss.isfinite().all()
    loss.sum().backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    moved = [n for n, gradient in gradients.items() if gradient.abs().sum() > 0]
    assert any(n.startswith('head') for n in moved)
    text = model.generate('the cat', seed=1, steps=3)[0]
    assert text.startswith('the cat') and text == model.generate('the cat', seed=1, steps=3)[0]
    line = TEXT.splitlines()[0]
    assert model.decode_grids(model.encode_text(line)) == line


@pytest.mark.parametrize('overrides', COMBINATIONS[: len(PROCESSES)] + COMBINATIONS[-2:], ids=' '.join)
def test_a_checkpoint_gives_the_model_back(overrides, tmp_path):
    model = model_of(overrides).eval()
    model.save_pretrained(tmp_path)
    again = VisualTokenLM.from_pretrained(tmp_path)
    assert again.config == model.config and again.fingerprint == model.fingerprint
    assert validation_nelbo(again, windows()) == validation_nelbo(model, windows())
    assert again.generate(seed=3, steps=4) == model.generate(seed=3, steps=4)


CHANGES = [
    dict(width=32), dict(head='flat'), dict(encoder='robust'), dict(sizes=[9, 9, 9]),
    dict(format=2), dict(process='gaussian'), dict(head='os:system'),
]


@pytest.mark.parametrize('change', CHANGES, ids=str)
def test_a_tampered_checkpoint_is_refused_in_one_line(change, tmp_path):
    model_of().save_pretrained(tmp_path)
    path = tmp_path / 'config.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError) as e:
        VisualTokenLM.from_pretrained(tmp_path)
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('process', PROCESSES)
def test_the_learners_validation_loss_is_the_models_own(process):
    "The Learner measures with fixed noise of its own seed; the mean over many windows agrees within its error"
    from visual_token_diffusion.training.dataloaders import lm_dls

    cfg = load_settings('ci', [*SMALL, f'process={process}', 'valid_sequences=64'])
    model = build_model(VOCAB, IDS, cfg)
    held_out = IDS[: 64 * 8].view(64, 8)
    learn = lm_learner(lm_dls(IDS, held_out, cfg, VOCAB), model, cfg)
    with learn.no_bar(), learn.no_logging():
        loss = learn.validate()[0]
    own, se = validation_nelbo(model, held_out)
    assert abs(loss - own) < (1e-5 if process == 'autoregressive' else 5 * se), (loss, own, se)


@pytest.mark.parametrize(
    'overrides,remedy',
    [(['process=gaussian'], 'masked'), (['process=partial', 'head=tied'], 'feature_tree'),
     (['decoder=flat'], 'decoder=nearest'), (['sampler=heun'], 'sampler=masked'), (['head=flatt'], "'flat'"),
     (['encoder=semantc'], "'semantic'")],
)
def test_what_does_not_go_together_is_refused_in_one_line(overrides, remedy):
    with pytest.raises(ValueError, match=remedy) as e:
        model_of(overrides)
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('overrides', COMBINATIONS, ids=' '.join)
def test_on_the_stand_in_device(overrides, tmp_path):
    "Train, save, load, generate, encode, decode; the fingerprint, and the loss of the CPU"
    model = model_of(overrides)
    noisy = model.process.corrupt(windows(), torch.linspace(0.1, 1, 8), generator=gen())
    torch.manual_seed(0)  # a sampled softmax draws its negatives
    expected = model(windows(), noisy.mask, noisy.weight)
    with stand_in_device():
        moved = on_device(model)
        x = windows().to(DEVICE)
        t = torch.linspace(0.1, 1, 8).to(DEVICE)
        noisy = moved.process.corrupt(x, t, generator=gen())
        torch.manual_seed(0)
        loss = moved(x, noisy.mask, noisy.weight)
        loss.sum().backward()
        torch.optim.AdamW(moved.parameters(), 1e-3, foreach=False).step()
        assert isinstance(loss, StandIn) and moved.fingerprint == model.fingerprint
        torch.testing.assert_close(loss.detach().cpu(), expected.detach(), rtol=1e-5, atol=1e-5)
        moved.save_pretrained(tmp_path)
        assert moved.generate('the cat', seed=1, steps=3)[0].startswith('the cat')
        assert moved.decode_grids(moved.encode_text('the cat')) == 'the cat'
    assert VisualTokenLM.from_pretrained(tmp_path).fingerprint == model.fingerprint


@pytest.mark.parametrize('process', PROCESSES)
def test_a_whole_training_on_the_stand_in_device(process, tmp_path, monkeypatch):
    "fastai's loop with our callbacks, checkpoints and measurements; the optimizer is another one than on the CPU"
    from visual_token_diffusion.training import dataloaders, language_model

    cfg = load_settings('ci', [*SMALL, f'process={process}', 'valid_sequences=16', 'ema=0.9', 'monitor=2', 'clip=1'])
    expected = language_model.train_text(TEXT, cfg, progress=False)[1]
    for module in (dataloaders, language_model):
        if hasattr(module, 'torch_device'):
            monkeypatch.setattr(module, 'torch_device', lambda name: DEVICE)
    # fastai takes the type off every tensor before the model sees it, and with it the stand-in device
    monkeypatch.setattr('fastai.learner._cast_tensor', lambda x: x)
    with stand_in_device():
        model, metrics = language_model.train_text(TEXT, cfg, tmp_path, progress=False)
        assert isinstance(next(model.parameters()), StandIn)
        assert model.generate(seed=0, steps=2)
    assert abs(metrics['nelbo'] - expected['nelbo']) < 0.5
    assert VisualTokenLM.from_pretrained(tmp_path).config == model.config
