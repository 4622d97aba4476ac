"Outputs of backbones, embeddings and heads are those of before the packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.codebooks.balanced_kmeans import balanced_codes
from visual_token_diffusion.networks import attention_masks as masks
from visual_token_diffusion.networks.embeddings import (
    CodedEmbedding, CodeEmbedding, FeatureEmbedding, FrozenEmbedding, LogBilinear, TokenEmbedding)
from visual_token_diffusion.networks.heads.adaptive import AdaptiveHead
from visual_token_diffusion.networks.heads.feature_tree import FeatureTreeHead
from visual_token_diffusion.networks.heads.flat import FlatHead
from visual_token_diffusion.networks.heads.hierarchical import HierarchicalSoftmaxHead
from visual_token_diffusion.networks.heads.independent import IndependentHead
from visual_token_diffusion.networks.heads.sampled import SampledHead
from visual_token_diffusion.networks.heads.tied import FrozenHead, TiedHead
from visual_token_diffusion.networks.transformer import Backbone


def gen(seed):
    return torch.Generator().manual_seed(seed)


def shaken(module):
    "The module with noise on all its numbers, so that nothing is zero; the same for the same shapes"
    for parameter in module.parameters():
        seed = 31 * parameter.dim() + sum(parameter.shape)
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=gen(seed))
    return module


def features(n=192, dim=24):
    centers = torch.randn(20, dim, generator=gen(0))[torch.randint(20, (n,), generator=gen(1))]
    return centers + 0.5 * torch.randn(n, dim, generator=gen(2))


@torch.no_grad()
def backbones():
    x = torch.randn(3, 12, 16, generator=gen(3))
    real = torch.arange(12) < torch.tensor([12, 7, 9])[:, None]
    picture = torch.tensor([0, 0, 1, 1, 1, 0, 2, 2, 0, 0, 3, 3])
    patterns = {
        'full': masks.full, 'causal': masks.causal, 'block causal': masks.block_causal(3),
        'prefix': masks.prefix(torch.tensor([2, 5, 0])), 'omni': masks.omni(picture),
        'padding': masks.intersect(masks.full, masks.padding(real))}
    for registers in (0, 2):
        torch.manual_seed(1)
        model = Backbone(16, 2, 2, registers=registers)
        yield f'{registers} registers: plain', model(x)
        for name, pattern in patterns.items():
            yield f'{registers} registers: {name}', model(x, pattern)
    torch.manual_seed(2)
    timed = shaken(Backbone(16, 2, 2, offsets=(), time=8))
    times, condition = torch.rand(3, generator=gen(4)), torch.randn(3, 8, generator=gen(5))
    yield 'with times', timed(x, t=times)
    yield 'with times of positions', timed(x, t=torch.rand(3, 12, generator=gen(6)), cond=condition)
    torch.manual_seed(3)
    dropped = Backbone(16, 2, 2, dropout=0.2, offsets=(-2, -1)).train()
    yield 'with dropout', dropped(x, masks.causal)


@torch.no_grad()
def embeddings():
    table, ids = balanced_codes(features()), torch.randint(192, (3, 9), generator=gen(7))
    mask = torch.rand(3, 9, generator=gen(8)) < 0.4
    some = torch.rand(3, 9, 3, generator=gen(9)) < 0.4
    torch.manual_seed(4)
    yield 'codes', CodeEmbedding((6, 6, 6), 16)(table.codes[ids], mask)
    yield 'single codes', CodeEmbedding((6, 6, 6), 16, partial=True)(table.codes[ids], some)
    yield 'coded tokens', CodedEmbedding(table, 16)(ids, mask)
    yield 'features', FeatureEmbedding(table, features(), 16)(ids, mask)
    yield 'tokens', TokenEmbedding(192, 16)(ids, mask)
    yield 'tokens, started', TokenEmbedding(192, 16, features())(ids, mask)
    yield 'frozen', FrozenEmbedding(features(), 16)(ids, mask)
    yield 'neighbors', shaken(LogBilinear(24))(features()[ids])


def heads():
    table, rows = balanced_codes(features()), torch.nn.Embedding(192, 16)
    torch.manual_seed(5)
    yield 'hierarchical', HierarchicalSoftmaxHead(table, 16), 16
    yield 'feature tree', FeatureTreeHead(table, features(), 16, skip=True), 40
    yield 'flat', FlatHead(192, 16), 16
    yield 'independent', IndependentHead(table, 16), 16
    torch.nn.init.normal_(rows.weight)
    yield 'tied', TiedHead(rows, 16), 16
    yield 'frozen', FrozenHead(features(), 16, skip=24), 40
    yield 'sampled', SampledHead(rows, 16, n=40), 16
    yield 'adaptive', AdaptiveHead(192, 16, features(), cutoffs=(50, 120)), 16


@torch.no_grad()
def head_values():
    counts = torch.randint(50, (192,), generator=gen(11)).float()
    for name, head, width in heads():
        shaken(head)
        head.set_prior(counts)
        h, ids = torch.randn(30, width, generator=gen(12)), torch.randint(192, (30,), generator=gen(13))
        torch.manual_seed(6)
        nats = [head.train().nll(h, ids), head.eval().nll(h, ids)]
        ways = (1.0, 1.0), (0.0, 1.0), (0.7, 0.8)
        drawn = [head.sample(h, temperature, gen(14), top_p) for temperature, top_p in ways]
        yield f'{name}: drawn', torch.stack([ids for ids, _ in drawn])
        yield f'{name}: nats', torch.stack([*nats, *(nats for _, nats in drawn)])
        yield f'{name}: all tokens', head.log_probs(h[:4])


def test_backbones():
    hold('networks: backbones', backbones(), rtol=1e-4)


def test_embeddings():
    hold('networks: embeddings', embeddings(), rtol=1e-5)


def test_heads():
    hold('networks: heads', head_values(), rtol=1e-4)
