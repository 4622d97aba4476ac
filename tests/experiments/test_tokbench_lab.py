"The lab of words: every arm is built with the bits that it claims, and a family runs through."

import math

import pytest
import torch

from visual_token_diffusion.experiments.tokenizers import caption_leak, tokbench_lab as tokbench
from visual_token_diffusion.experiments.tokenizers.word_tokenizers import ARMS, build


@pytest.fixture(scope='module')
def lab():
    return tokbench.Lab(40, 4, 1, 1)


@pytest.mark.parametrize('arm', ARMS)
def test_arms_spend_equal_bits(lab, arm):
    family, quantizer = ARMS[arm]
    model = build(family, quantizer(8), lab.teacher).eval()
    said = [lab.test.captions()] if model.reads_captions else []
    codes = model.encode(lab.test.pictures, *said)
    assert codes.shape[:2] == (4, 144)
    assert math.prod(model.quantizer.codebook_sizes) == 2**8


def test_a_family_runs_with_any_reader(lab, monkeypatch):
    monkeypatch.setattr(tokbench, 'recognizer', lambda: lambda pieces: ['ant'] * len(pieces))
    found = tokbench.run_family(lab, 'vit', 0, (8,), (1, 1), 4)
    assert list(found) == ['vit|free', 'vq|8', 'fsq|8', 'magvit2|8']
    assert all(len(metrics['heights']) == 3 for metrics in found.values())
    assert 'strip' in found['vq|8'] and 0 < found['vq|8']['use'] <= 1


def test_controls_are_pictures(lab):
    for made in tokbench.controls(lab, (4,)).values():
        assert made.shape == lab.test.pictures.shape and made.isfinite().all()


def test_psnr():
    a = torch.zeros(1, 3, 4, 4)
    assert torch.allclose(tokbench.psnr(a, a + 0.1), torch.tensor([20.0]))


def test_a_caption_that_says_the_word(monkeypatch):
    "A reader that always says the same word reads as many written words as captions say it"
    monkeypatch.setattr(caption_leak, 'recognizer', lambda: lambda pieces: ['ant'] * len(pieces))
    found = caption_leak.run_leak('textok', 0, (1, 1), 24)
    assert list(found) == ['original', 'own', 'other']
    assert found['own'] == found['original'] and found['other'][0] == found['other'][1]
