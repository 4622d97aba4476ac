"Heads: one contract for every registered one, and each against slow, obvious computations."

import math
import pytest, torch
import torch.nn.functional as F
from torch import nn
from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.networks.embeddings import TokenEmbedding
from visual_token_diffusion.networks.heads.adaptive import AdaptiveHead
from visual_token_diffusion.networks.heads.base import Head
from visual_token_diffusion.networks.heads import feature_tree
from visual_token_diffusion.networks.heads.feature_tree import (
    FeatureTreeHead,
    node_features,
    node_scores,
)
from visual_token_diffusion.networks.heads.hierarchical import HierarchicalSoftmaxHead, node_prior
from visual_token_diffusion.semantics.cooccurrence import rms_normalize

V = 11
WIDTH, DIM = 8, 12
counts = torch.arange(float(V))


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def codes():
    every = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    return every[torch.randperm(16, generator=gen())[:V]]


def build(name, **kw):
    "The head of this name, with all that a model has"
    torch.manual_seed(0)
    given = dict(features=torch.randn(V, DIM), embedding=TokenEmbedding(V, WIDTH))
    return Head.part(name).build(table=CodeTable(codes(), 4), width=WIDTH, **given, **kw)


def hidden_states(head, n=5, scale=1):
    "Random ones, as wide as the head expects; a skip connection's share times `scale`"
    extra = getattr(head, 'skip', 0)
    extra = DIM if extra is True else int(extra)
    h = torch.randn(n, WIDTH + extra, generator=gen(1))
    h[:, WIDTH:] *= scale
    return h


def shake(head):
    with torch.no_grad():
        for p in head.parameters():
            p.add_(torch.randn(p.shape, generator=gen(p.numel())) * 0.3)
    return head.eval()


@pytest.mark.parametrize('name', Head.names())
def test_an_untrained_head_knows_the_frequencies(name):
    head = build(name, counts=counts)
    want = ((counts + 0.5) / (counts + 0.5).sum()).log()
    got = head.log_probs(hidden_states(head, scale=0))
    if name == 'independent':
        table = CodeTable(codes(), 4)
        mass = [torch.zeros(4).index_add(0, code, counts + 0.5) for code in table.codes.T]
        want = sum((m / m.sum()).log()[code] for m, code in zip(mass, table.codes.T))
    assert torch.allclose(got, want.expand(5, -1), atol=1e-4)


@pytest.mark.parametrize('name', Head.names())
def test_every_head_keeps_the_contract(name):
    head = shake(build(name, counts=counts))
    h = hidden_states(head)
    log_probs = head.log_probs(h)
    every = torch.arange(V).expand(5, -1)
    slow = torch.stack([-head.nll(h, ids) for ids in every.T], 1)
    assert torch.allclose(log_probs, slow, atol=1e-5)
    total = log_probs.exp().sum(1)
    assert (total < 1 + 1e-5).all()
    if name != 'independent':
        assert torch.allclose(total, torch.ones(5), atol=1e-5)
    ids, sure = head.sample(h, generator=gen())
    again, _ = head.sample(h, generator=gen())
    assert torch.equal(ids, again)
    assert torch.allclose(sure, log_probs.gather(1, ids[:, None])[:, 0], atol=1e-5)


@pytest.mark.parametrize('name', Head.names())
def test_samples_follow_the_probabilities(name):
    n, head = 4000, shake(build(name, counts=counts))
    h = hidden_states(head, 1)
    share = head.log_probs(h)[0].exp()
    share = share / share.sum()
    ids, _ = head.sample(h.expand(n, -1), generator=gen())
    often = n * share > 5
    seen = torch.bincount(ids, minlength=V)
    chi2 = ((seen - n * share) ** 2 / (n * share))[often].sum().item()
    df = int(often.sum()) - 1
    assert chi2 < df + 5 * math.sqrt(2 * df)


@pytest.mark.parametrize('name', Head.names())
def test_every_head_learns(name):
    head = build(name, counts=counts)
    h, ids = hidden_states(head, 64), torch.randint(V, (64,), generator=gen(2))
    opt = torch.optim.Adam(head.parameters(), 1e-2)
    before = head.eval().nll(h, ids).mean().item()
    head.train()
    for _ in range(60):
        opt.zero_grad()
        head.nll(h, ids).mean().backward()
        opt.step()
    assert head.eval().nll(h, ids).mean().item() < before - 0.2


def test_parts_that_are_missing_are_refused_in_one_line():
    table = CodeTable(codes(), 4)
    for name, lacks in (
        ('feature_tree', 'features'),
        ('tied', 'embedding'),
        ('sampled', 'embedding'),
    ):
        with pytest.raises(CombinationError, match=lacks) as e:
            Head.part(name).build(table=table, width=WIDTH)
        assert '\n' not in str(e.value)
    with pytest.raises(CombinationError, match='skip'):
        Head.part('flat').build(table=table, width=WIDTH, skip=True)
    with pytest.raises(CombinationError, match='cannot start'):
        features = torch.zeros(V, WIDTH - 1)
        Head.part('adaptive').build(table=table, width=WIDTH, features=features, counts=counts)


def test_a_skip_connection_is_added_to_the_query():
    plain, skip = build('tied', skip=False), build('tied', skip=True)
    shake(plain)
    skip.load_state_dict(plain.state_dict())
    h, extra = torch.randn(5, WIDTH), torch.randn(5, WIDTH)
    want = plain.query(h) + extra
    assert torch.allclose(skip.query(torch.cat([h, extra], 1)), want)


def test_node_prior_by_hand():
    table = CodeTable(torch.tensor([[0, 0], [0, 1], [1, 0]]), 2)
    first, second = node_prior(table, torch.tensor([6.0, 1.0, 1.0]))
    assert torch.allclose(first.exp(), torch.tensor([[8.0, 1.5]]) / 9.5)
    assert torch.allclose(second.exp(), torch.tensor([[6.5 / 8, 1.5 / 8], [1.0, 0.0]]))


def test_single_children_cost_nothing():
    "Also in gradients: nothing is computed for them"
    rows = [[0, 0], [1, 0], [2, 0], [2, 1]]
    table = CodeTable(torch.tensor(rows), (3, 2))
    head = shake(HierarchicalSoftmaxHead(table, WIDTH))
    parts = head.code_nll(torch.randn(4, WIDTH), torch.arange(4))
    assert parts[:2, 1].tolist() == [0, 0] and (parts[2:, 1] > 0).all()


def test_node_features_are_means():
    table, features = CodeTable(codes(), 4), torch.randn(V, DIM)
    got = node_features(features, table, 0)
    for k in range(4):
        below = features[table.codes[:, 0] == k]
        want = below.mean(0) if len(below) else torch.zeros(DIM)
        assert torch.allclose(got[k], want, atol=1e-6)


@pytest.mark.parametrize('nodes', [1, 5, 70])
def test_node_scores_by_loops(nodes):
    children, node = torch.randn(nodes, 3, 6), torch.randint(nodes, (9,))
    query = torch.randn(9, 6)
    want = torch.stack([children[i] @ q for i, q in zip(node, query)])
    assert torch.allclose(node_scores(query, children, node), want, atol=1e-5)
    assert node_scores(query[:0], children, node[:0]).shape == (0, 3)


@pytest.mark.parametrize('nodes', [1, 2, 8, 9, 40])
def test_node_scores_where_no_shape_depends_on_values(monkeypatch, nodes):
    "All nodes at once up to as many as dimensions, else by copies of the children: scores and gradients are those"
    g = torch.Generator().manual_seed(0)
    query, children = torch.randn(15, 8, generator=g), torch.randn(nodes, 3, 8, generator=g)
    node, query = torch.randint(nodes, (15,), generator=g), query.requires_grad_()
    want = (children[node] @ query[..., None])[..., 0]
    monkeypatch.setattr(feature_tree, 'needs_fixed_shapes', lambda x: True)
    called = []
    original = feature_tree._scores_of_all_nodes
    monkeypatch.setattr(feature_tree, '_scores_of_all_nodes', lambda *x: called.append(1) or original(*x))
    scores = node_scores(query, children, node)
    torch.testing.assert_close(scores, want)
    torch.testing.assert_close(*(torch.autograd.grad(x.square().sum(), query)[0] for x in (scores, want)))
    assert bool(called) == (1 < nodes <= 8)


def test_a_feature_tree_without_features_is_the_plain_tree():
    table = CodeTable(codes(), 4)
    head = shake(FeatureTreeHead(table, torch.zeros(V, DIM), WIDTH))
    for layer in head.node_proj:
        nn.init.zeros_(layer.weight)
    plain = HierarchicalSoftmaxHead(table, WIDTH).eval()
    plain.load_state_dict(head.state_dict(), strict=False)
    h = torch.randn(5, WIDTH)
    assert torch.allclose(head.log_probs(h), plain.log_probs(h), atol=1e-6)


def test_the_sampled_loss_tends_to_the_full_one():
    head = shake(build('sampled', counts=counts, skip=False))
    h, ids = torch.randn(200, WIDTH), torch.randint(V, (200,))
    full = head.nll(h, ids).mean()
    head.train()
    head.n = 20_000
    torch.manual_seed(0)
    assert abs(head.nll(h, ids).mean() - full) < 0.02
    assert torch.allclose(full, F.cross_entropy(head.logits(h), ids))


def test_whoever_trains_the_input_trains_a_tied_output():
    head = shake(build('tied', counts=counts, skip=False))
    h = hidden_states(head)
    before = head.log_probs(h)
    with torch.no_grad():
        head.emb.weight[0] *= 2
    assert (head.log_probs(h) - before).abs().max() > 1e-3


def test_rows_of_an_adaptive_head_start_at_the_features_of_their_tokens():
    "Sorted by frequency: the most frequent tokens make the short list"
    features = torch.randn(300, 64, generator=gen())
    often = torch.randint(0, 50, (300,), generator=gen()).float()
    head = AdaptiveHead(300, 32, features, cutoffs=(20, 100))
    head.set_prior(often)
    assert torch.equal(head.ids, often.argsort(descending=True, stable=True))
    rows = rms_normalize(features)[head.ids]
    assert torch.equal(head.soft.head.weight[:20], rows[:20, :32])
    for tail, first, last in zip(head.soft.tail, (20, 100), (100, 300)):
        assert torch.equal(tail[1].weight, rows[first:last, : tail[0].out_features])


def test_few_samples_read_too_low():
    "The logarithm of a noisy mean is on average too small"
    head = shake(build('sampled', counts=counts, skip=False))
    h, ids = torch.randn(200, WIDTH, generator=gen()), torch.randint(V, (200,), generator=gen())
    full = head.nll(h, ids).mean().item()
    head.train()
    head.n = 2
    torch.manual_seed(0)
    few = torch.stack([head.nll(h, ids).mean() for _ in range(20)]).mean().item()
    assert few < full - 0.05


def test_what_follows_from_the_codes_is_not_stored():
    "A state holds no table that the head builds anyway"
    assert 'inverse' not in build('hierarchical').state_dict()
    assert 'proposal' not in build('sampled', counts=counts).state_dict()


@pytest.mark.parametrize('name', ['flat', 'tied', 'sampled'])
def test_before_anything_is_counted_all_tokens_are_alike(name):
    assert torch.allclose(build(name).prior.exp(), torch.full((V,), 1 / V))


def test_a_vocabulary_that_ends_at_a_cutoff_has_one_cluster_less():
    head = AdaptiveHead(V, WIDTH, cutoffs=(4, V))
    assert len(head.soft.tail) == 1
    assert torch.allclose(head.log_probs(torch.randn(2, WIDTH)).exp().sum(1), torch.ones(2), atol=1e-5)
