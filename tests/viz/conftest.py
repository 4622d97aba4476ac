"A small model that prefers some words, and its album, in two vocabularies."

import pytest
import torch

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.viz.album import Album
from visual_token_diffusion.worlds.stories import story_text


@pytest.fixture(scope='package', params=['words', 'bytes'])
def album(request):
    text = story_text(200, torch.Generator().manual_seed(0))
    vocab = make_vocab(request.param, text)
    model = build_model(vocab, torch.tensor(vocab.encode(text)), load_settings('ci'))
    with torch.no_grad():
        for layer in model.head.out:
            generator = torch.Generator().manual_seed(1)
            torch.nn.init.normal_(layer.weight, std=0.3, generator=generator)
    return Album(model.eval())
