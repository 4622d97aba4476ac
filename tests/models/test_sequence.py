"Sequence models: what is masked, or still to come, is not seen, whatever the parts."

import pytest
import torch
from support.parts import V, features, gen, lm_processes, table

from visual_token_diffusion.diffusion.base import antithetic_times
from visual_token_diffusion.networks.embeddings import FeatureEmbedding, LogBilinear, TokenEmbedding
from visual_token_diffusion.networks.heads.base import Head
from visual_token_diffusion.models.sequence import SequenceModel

L, WIDTH = 6, 16
PROCESSES = lm_processes()


def make(process=None, is_causal=False):
    torch.manual_seed(0)
    partial = process is not None and process.needs_codes
    embed = FeatureEmbedding(table(), features(), WIDTH, partial=partial)
    head = Head.part('feature_tree').build(table=table(), width=WIDTH, features=features())
    skip = LogBilinear(features().shape[1], (-2, -1) if is_causal else (-2, -1, 1, 2))
    model = SequenceModel(embed, head, WIDTH, 2, 2, is_causal, skip, process=process)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    return model.eval()


ids = torch.randint(V, (3, L), generator=gen(1))


def test_masked_tokens_are_not_seen():
    model, mask = make(), torch.rand(3, L, generator=gen(2)) < 0.5
    other = torch.where(mask, (ids + 1) % V, ids)
    assert torch.equal(model.hidden_states(ids, mask), model.hidden_states(other, mask))
    changed = torch.where(mask, ids, (ids + 1) % V)
    assert not torch.equal(model.hidden_states(ids, mask), model.hidden_states(changed, mask))


def test_masked_codes_are_not_seen():
    model, mask = make(PROCESSES['partial']), torch.rand(3, L, 3, generator=gen(2)) < 0.4
    codes = table().codes[ids]
    other = torch.where(mask, (codes + 1) % 3, codes)
    assert torch.equal(model.hidden_states(codes, mask), model.hidden_states(other, mask))


@pytest.mark.parametrize('at', range(L))
def test_a_causal_model_does_not_look_ahead(at):
    model, later = make(is_causal=True), ids.clone()
    later[:, at:] = (later[:, at:] + 1) % V
    a, b = model.hidden_states(ids), model.hidden_states(later)
    assert torch.allclose(a[:, : at + 1], b[:, : at + 1], atol=1e-5)
    assert at + 1 == L or not torch.allclose(a[:, at + 1 :], b[:, at + 1 :], atol=1e-3)


def test_a_causal_model_is_a_distribution():
    "The probabilities of all sequences of two tokens sum to one"
    pairs = torch.cartesian_prod(torch.arange(V), torch.arange(V))
    with torch.no_grad():
        nll = make(is_causal=True)(pairs).double()
    assert abs((-nll).exp().sum().item() - 1) < 1e-4


@pytest.mark.parametrize('name', list(PROCESSES))
def test_the_loss_is_the_processes_own(name):
    process = PROCESSES[name]
    model = make(process, process.is_causal)
    noisy = process.corrupt(ids, torch.tensor([0.2, 0.6, 1.0]), generator=gen(3))
    loss = model(ids, noisy.mask, noisy.weight)
    assert loss.shape == (3,) and (loss > 0).all()
    assert torch.equal(loss, process.loss(model, ids, noisy))


def untrained(name, is_causal):
    "A model with the head of this name, and the frequencies that it starts from"
    torch.manual_seed(0)
    counts, skip = torch.arange(1.0, V + 1), None
    embed = TokenEmbedding(V, WIDTH)
    if name == 'feature_tree':
        embed = FeatureEmbedding(table(), features(), WIDTH)
        skip = LogBilinear(features().shape[1], (-2, -1) if is_causal else (-2, -1, 1, 2))
    given = dict(features=features(), embedding=embed, counts=counts, skip=skip is not None)
    head = Head.part(name).build(table=table(), width=WIDTH, **given)
    log_freq = ((counts + 0.5) / (counts + 0.5).sum()).log()
    return SequenceModel(embed, head, WIDTH, 2, 2, is_causal, skip), log_freq


@pytest.mark.parametrize('name', ['feature_tree', 'tied', 'flat'])
@pytest.mark.parametrize('is_causal', [False, True])
def test_untrained_models_are_the_unigram_model(name, is_causal):
    "Whichever head they have and whichever way they look: exactly from the left, on average with masks"
    model, log_freq = untrained(name, is_causal)
    windows = torch.multinomial(log_freq.exp(), 256 * L, replacement=True, generator=gen()).view(256, L)
    by_hand = -log_freq[windows].sum(1)
    noisy = model.process.corrupt(windows, antithetic_times(256, gen()), generator=gen(1))
    with torch.no_grad():
        loss = model(windows, noisy.mask, noisy.weight)
    if is_causal:
        torch.testing.assert_close(loss, by_hand, atol=1e-3, rtol=1e-4)
    assert abs(loss.mean() - by_hand.mean()) < 4 * (loss - by_hand).std() / 16 + 1e-3
