"Embeddings: what is masked is not seen, whole or in part, and codes and tokens agree."

import pytest, torch
from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.networks.embeddings import (
    CodeEmbedding,
    CodedEmbedding,
    FeatureEmbedding,
    FrozenEmbedding,
    LogBilinear,
    TokenEmbedding,
)

V = 11
WIDTH, DIM = 8, 12


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def table():
    every = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    return CodeTable(every[torch.randperm(16, generator=gen())[:V]], 4)


features = torch.randn(V, DIM, generator=gen(1))
ids = torch.randint(V, (3, 9), generator=gen(2))
mask = torch.rand(3, 9, generator=gen(3)) < 0.5
single = torch.rand(3, 9, 2, generator=gen(4)) < 0.4
whole = dict(
    codes=lambda: CodedEmbedding(table(), WIDTH),
    features=lambda: FeatureEmbedding(table(), features, WIDTH),
    rows=lambda: TokenEmbedding(V, WIDTH),
    frozen=lambda: FrozenEmbedding(features, WIDTH),
)
partial = dict(
    codes=lambda: CodedEmbedding(table(), WIDTH, partial=True),
    features=lambda: FeatureEmbedding(table(), features, WIDTH, partial=True),
)


@pytest.mark.parametrize('name', whole)
def test_masked_tokens_are_not_seen(name):
    embed = whole[name]()
    x = embed(ids, mask)
    assert x.shape == (3, 9, WIDTH)
    assert torch.equal(x, embed(torch.where(mask, (ids + 1) % V, ids), mask))
    assert torch.equal(x[mask], embed.mask_embed.expand(int(mask.sum()), -1))
    assert torch.equal(x[~mask], embed(ids)[~mask])


@pytest.mark.parametrize('name', partial)
def test_masked_codes_are_not_seen(name):
    embed, codes = partial[name](), table().codes[ids]
    x = embed(codes, single)
    assert torch.equal(x, embed(torch.where(single, (codes + 1) % 4, codes), single))
    assert torch.equal(x, embed(ids, single))


@pytest.mark.parametrize('name', partial)
def test_masks_of_tokens_are_masks_of_all_their_codes(name):
    embed, codes = partial[name](), table().codes[ids]
    both = mask[..., None].expand(-1, -1, 2)
    assert torch.equal(embed(ids, mask), embed(codes, both))
    assert torch.allclose(
        embed(ids, mask)[mask], embed.mask_embed.sum(0).expand(int(mask.sum()), -1)
    )


def test_partly_masked_tokens_by_hand():
    embed, codes = partial['features'](), table().codes[ids]
    x = embed(codes, single)
    for b, l in ((0, 0), (1, 4), (2, 8)):
        want = torch.zeros(WIDTH)
        for m, start in enumerate(embed.start.tolist()):
            seen = embed.emb.weight[start + codes[b, l, m]]
            want = want + (embed.mask_embed[m] if single[b, l, m] else seen)
        if not single[b, l].any():
            want = want + embed.feature_proj(embed.features[ids[b, l]])
        assert torch.allclose(x[b, l], want, atol=1e-6)


def test_codes_that_no_token_has_bring_no_features():
    embed, free = partial['features'](), (table().inverse < 0).nonzero()[None]
    assert (embed.visible_features(free) == 0).all()
    assert torch.equal(embed(free), CodeEmbedding.forward(embed, free))


def test_visible_features_are_those_of_visible_tokens():
    embed = whole['features']()
    got = embed.visible_features(ids, mask)
    assert (got[mask] == 0).all() and torch.equal(got[~mask], embed.features[ids][~mask])
    assert torch.equal(embed.visible_features(ids), embed.features[ids])


def test_codebooks_of_different_sizes_do_not_share_rows():
    embed = CodeEmbedding((2, 3), WIDTH)
    assert embed.emb.num_embeddings == 5
    codes = torch.cartesian_prod(torch.arange(2), torch.arange(3))[None]
    want = torch.stack(
        [embed.emb.weight[a] + embed.emb.weight[2 + b] for a, b in codes[0].tolist()]
    )
    assert torch.allclose(embed(codes)[0], want)


def test_names_of_the_parameters():
    "Checkpoints depend on them, and only a partial embedding has a vector for each codebook"
    embed = CodeEmbedding((4,) * 3, 16)
    assert set(embed.state_dict()) == {'emb.weight', 'mask_embed'}
    assert embed.mask_embed.shape == (16,)
    assert CodeEmbedding((4,) * 3, 16, partial=True).mask_embed.shape == (3, 16)
    names = set(whole['features']().state_dict())
    assert names == {'emb.weight', 'mask_embed', 'features', 'feature_proj.weight'}


def test_rows_start_from_features():
    embed = TokenEmbedding(V, WIDTH, start=features)
    assert torch.allclose(embed.emb.weight.square().mean(1), torch.ones(V), atol=1e-2)
    with pytest.raises(ValueError, match='cannot start'):
        TokenEmbedding(V, DIM + 1, start=features)


def test_log_bilinear_by_loops():
    skip = LogBilinear(4, (-2, 1))
    for layer in skip.maps:
        torch.nn.init.normal_(layer.weight)
    f = torch.randn(1, 6, 4)
    got = skip(f)
    for i in range(6):
        want = torch.zeros(4)
        for offset, layer in zip((-2, 1), skip.maps):
            if 0 <= i + offset < 6:
                want = want + layer(f[0, i + offset])
        assert torch.allclose(got[0, i], want * skip.scale, atol=1e-5)
