"Backbone, embeddings and whole models on a device of their own: tables follow the data."

import pytest
import torch
from support.parts import V, features, gen, randn, table
from support.standin import DEVICE, StandIn, on_device, stand_in_device

from visual_token_diffusion.models.sequence import SequenceModel
from visual_token_diffusion.networks.attention_masks import causal, intersect, omni, padding, prefix
from visual_token_diffusion.networks.embeddings import (
    CodedEmbedding,
    FeatureEmbedding,
    FrozenEmbedding,
    LogBilinear,
    TokenEmbedding,
)
from visual_token_diffusion.networks.heads.base import Head
from visual_token_diffusion.networks.transformer import Backbone

L, WIDTH = 6, 16
patterns = dict(
    none=None,
    causal=causal,
    prompts=prefix([1, 3]),
    pictures=omni([0, 1, 1, 0, 2, 2]),
    padded=intersect(causal, padding(torch.ones(2, L, dtype=torch.bool))),
)
embeddings = dict(
    codes=lambda: CodedEmbedding(table(), WIDTH),
    features=lambda: FeatureEmbedding(table(), features(), WIDTH),
    partial=lambda: FeatureEmbedding(table(), features(), WIDTH, partial=True),
    rows=lambda: TokenEmbedding(V, WIDTH),
    frozen=lambda: FrozenEmbedding(features(), WIDTH),
)


@pytest.mark.parametrize('name', patterns)
@pytest.mark.parametrize('registers,time', [(0, 0), (2, 8)])
def test_backbone(name, registers, time):
    backbone = Backbone(WIDTH, 2, 2, time=time, registers=registers)
    with stand_in_device():
        moved, x = on_device(backbone), randn(2, L, WIDTH).to(DEVICE)
        kw = dict(t=torch.rand(2, generator=gen()).to(DEVICE)) if time else {}
        out = moved(x, patterns[name], **kw)
        assert isinstance(out, StandIn)
        out.sum().backward()


@pytest.mark.parametrize('name', embeddings)
def test_embeddings(name):
    embed, ids = embeddings[name](), torch.randint(V, (2, L), generator=gen())
    shape = (2, L, 3) if name == 'partial' else (2, L)
    mask = torch.rand(shape, generator=gen()) < 0.5
    want = embed(ids, mask).detach()
    with stand_in_device():
        got = on_device(embed)(ids.to(DEVICE), mask.to(DEVICE))
        assert isinstance(got, StandIn) and torch.equal(got.detach().cpu(), want)


@pytest.mark.parametrize('is_causal', [False, True])
def test_a_model_with_features_everywhere(is_causal):
    embed = FeatureEmbedding(table(), features(), WIDTH)
    head = Head.part('feature_tree').build(table=table(), width=WIDTH, features=features())
    skip = LogBilinear(features().shape[1], (-2, -1) if is_causal else (-2, -1, 1, 2))
    model = SequenceModel(embed, head, WIDTH, 2, 2, is_causal, skip)
    ids = torch.randint(V, (2, L), generator=gen())
    mask = torch.ones(2, L, dtype=torch.bool)
    with stand_in_device():
        moved = on_device(model)
        moved.head.set_features(moved.embed.features)
        loss = moved(ids.to(DEVICE), mask.to(DEVICE), torch.ones(2).to(DEVICE))
        assert isinstance(loss, StandIn)
        loss.sum().backward()
