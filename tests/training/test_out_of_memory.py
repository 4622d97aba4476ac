"What does not fit is refused in one line with the estimate, on a CPU as on a GPU, before anything is built."

import pytest
import torch
from fastai.callback.core import Callback

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.core.memory import memory_free
from visual_token_diffusion.models.build import check_memory, memory_needed
from visual_token_diffusion.training import language_model
from visual_token_diffusion.worlds.stories import story_text

FREE = 78 * 2**30


@pytest.fixture
def card(monkeypatch):
    "A card of which so much is free, asked by its name"
    asked = []

    def free(device):
        asked.append(str(device))
        return FREE, FREE

    monkeypatch.setattr(torch.cuda, 'mem_get_info', free)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    return asked


@pytest.mark.parametrize('device', ['cuda', 'cuda:1', 'auto'])
def test_a_batch_a_hundred_times_too_large_is_refused_on_a_card(card, device):
    fits = load_settings('gpu', [f'device={device}'])
    assert memory_needed(49408, fits) < FREE
    check_memory(49408, fits)
    planted = load_settings('gpu', [f'device={device}', f'batch={100 * fits.batch}'])
    with pytest.raises(ValueError, match=r'needs about [\d.]+ GiB and 78.0 GiB are free; make .*batch smaller') as e:
        check_memory(49408, planted)
    assert '\n' not in str(e.value)
    assert set(card) == {'cuda' if device == 'auto' else device}


def test_and_on_the_cpu():
    cfg = load_settings('cpu', ['device=cpu'])
    check_memory(194, cfg)
    with pytest.raises(ValueError, match='GiB are free'):
        check_memory(194, load_settings('cpu', ['device=cpu', f'batch={100 * memory_free() // 2**20}']))


class Full(Callback):
    def after_pred(self):
        raise torch.OutOfMemoryError('CUDA out of memory.\nTried to allocate 20.00 GiB')


def test_a_device_that_is_full_after_all_is_one_line(monkeypatch):
    monkeypatch.setattr(language_model, 'optional_callbacks', lambda *_: [Full()])
    cfg = load_settings('ci', ['unit=words', 'steps=2', 'epochs=1'])
    text = story_text(300, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match='16 sequences of 32 tokens; make batch smaller, and accumulate larger') as e:
        language_model.train_text(text, cfg, progress=False)
    assert '\n' not in str(e.value)
