"A small language model whose weights are shaken, so that its probabilities are not even."

import torch

from support.training import parameters
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.training.dataloaders import split_text
from visual_token_diffusion.worlds.stories import story_text


def shaken_model(head, process, *options, length=16):
    "`(model, tokens it would be trained on)` for rows of `length` words"
    given = ['unit=words', 'width=16', f'length={length}', 'feature_dim=8', f'process={process}', f'head={head}']
    cfg = load_settings('ci', [*given, *options])
    vocab, train, _ = split_text(story_text(200, torch.Generator().manual_seed(0)), cfg)
    model, generator = build_model(vocab, train, cfg).eval(), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in parameters(model):
            p.add_(0.3 * torch.randn(p.shape, generator=generator))
    return model, train
