"""A softmax in chunks gives the values and gradients of one table, and keeps no table of all logits."""

import pytest
import torch

from visual_token_diffusion.networks.heads.chunks import chunked_nll
from visual_token_diffusion.networks.heads.flat import FlatHead


def _head(vocab_size=50, width=8):
    torch.manual_seed(0)
    head = FlatHead(vocab_size, width)
    torch.nn.init.normal_(head.out.weight)
    return head, torch.randn(33, width), torch.randint(vocab_size, (33,))


@pytest.mark.parametrize('most', [1, 50, 120, 50 * 32, 50 * 33])
def test_values_and_gradients_are_those_of_one_table(most):
    head, h, ids = _head()
    found = []
    for limit in (10**9, most):
        h = h.detach().requires_grad_()
        head.zero_grad()
        nll = chunked_nll(head.logits, h, ids, 50, limit)
        (nll * torch.arange(33)).sum().backward()
        found.append((nll.detach(), h.grad, head.out.weight.grad.clone(), head.mix.weight.grad.clone()))
    for whole, parts in zip(*found):
        assert torch.allclose(whole, parts, rtol=1e-4, atol=1e-4)


def test_no_more_logits_are_kept_than_allowed():
    head, h, ids = _head()
    seen = []

    def logits(part):
        seen.append(len(part))
        return head.logits(part)

    nll = chunked_nll(logits, h.requires_grad_(), ids, 50, most=500)
    assert max(seen) == 10 and sum(seen) == 33
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        chunked_nll(head.logits, h, ids, 50, most=500)
    assert max(kept) < 33 * 50 and nll.shape == (33,)


def test_without_gradients_the_values_are_the_same():
    head, h, ids = _head()
    with torch.no_grad():
        assert torch.allclose(chunked_nll(head.logits, h, ids, 50, 100), head.nll(h, ids))


@pytest.mark.parametrize('most,calls', [(50 * 33, 1), (50 * 32, 4)])
def test_what_fits_is_computed_once(most, calls):
    "One table if the rows just fit; in two chunks, each is computed again backwards"
    head, h, ids = _head()
    seen = []

    def logits(part):
        seen.append(len(part))
        return head.logits(part)

    chunked_nll(logits, h.requires_grad_(), ids, 50, most).sum().backward()
    assert len(seen) == calls
