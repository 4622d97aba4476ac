"A causal model with its cache gives what the whole network gives."

import pytest
import torch
from support.parts import gen, shaken

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.models.kv_cache import KVCache, sample_autoregressive
from visual_token_diffusion.models.sequence import SequenceModel
from visual_token_diffusion.networks.embeddings import FeatureEmbedding, LogBilinear, TokenEmbedding
from visual_token_diffusion.networks.heads.feature_tree import FeatureTreeHead
from visual_token_diffusion.networks.heads.flat import FlatHead

V = 50


def model(skips, is_causal=True):
    torch.manual_seed(0)
    table, features = random_codes(V, 3, generator=gen()), torch.randn(V, 24, generator=gen(1))
    if not skips:
        return SequenceModel(TokenEmbedding(V, 32), FlatHead(V, 32), 32, 2, 2, is_causal).eval()
    embed = FeatureEmbedding(table, features, 32)
    head = FeatureTreeHead.build(table=table, width=32, features=features, skip=True)
    skip = LogBilinear(24, (-2, -1))
    return SequenceModel(embed, head, 32, 2, 2, is_causal, skip).eval()


@pytest.mark.parametrize('skips', [False, True])
def test_the_cache_is_the_network(skips):
    m, x = shaken(model(skips)), torch.randint(V, (3, 12), generator=gen(2))
    cache = KVCache(m, 3, 12)
    with torch.no_grad():
        whole = m.hidden_states(x)
        steps = [cache.step(x[:, i - 1] if i else None) for i in range(12)]
    torch.testing.assert_close(torch.stack(steps, 1), whole, atol=1e-4, rtol=1e-4)


def test_a_prompt_stays_and_one_seed_is_one_text():
    m = shaken(model(False)).train()
    options = dict(n=2, length=10, start=torch.tensor([5, 6]))
    a, b = (sample_autoregressive(m, generator=gen(3), **options) for _ in range(2))
    assert torch.equal(a, b) and a[:, :2].tolist() == [[5, 6]] * 2 and m.training


def test_refusals_are_one_line():
    with pytest.raises(ValueError, match='both ways'):
        KVCache(model(False, is_causal=False), 1, 4)
    with pytest.raises(ValueError, match='fills 5 of 4'):
        sample_autoregressive(model(False), 1, 4, start=torch.zeros(5, dtype=torch.long))


def test_a_cache_is_used_again_after_a_reset_and_not_before():
    m = shaken(model(True))
    cache, options = KVCache(m, 2, 10), dict(n=2, length=10, start=torch.tensor([5, 6]))
    a = sample_autoregressive(m, generator=gen(3), cache=cache, **options)
    with pytest.raises(ValueError, match='has read 10 tokens; call its `reset` first'):
        sample_autoregressive(m, generator=gen(3), cache=cache, **options)
    b = sample_autoregressive(m, generator=gen(3), cache=cache.reset(), **options)
    assert torch.equal(a, b) and torch.equal(a, sample_autoregressive(m, generator=gen(3), **options))
