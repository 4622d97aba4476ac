"Every registered head: a distribution, its cost, and its samples are one and the same thing."

import pytest
import torch
from support.parts import V, WIDTH, gen, heads, randn
from support.standin import DEVICE, StandIn, on_device, stand_in_device

PARTS = heads()
# The tuples of independent codes are not all tokens', so its probabilities may sum to less than one.
IMPROPER = {'independent'}


@pytest.fixture(params=list(PARTS))
def head(request):
    return PARTS[request.param].eval()


def test_log_probs_are_a_distribution(head):
    log_probs = head.log_probs(randn(5, WIDTH))
    assert log_probs.shape == (5, V) and log_probs.dtype == torch.float32
    total = log_probs.exp().sum(1)
    if head.name in IMPROPER:
        assert (total <= 1 + 1e-5).all()
    else:
        torch.testing.assert_close(total, torch.ones(5), rtol=1e-4, atol=1e-4)


def test_nll_is_what_log_probs_say(head):
    h, ids = randn(V, WIDTH, seed=1), torch.arange(V)
    expected = -head.log_probs(h)[ids, ids]
    torch.testing.assert_close(head.nll(h, ids), expected, rtol=1e-4, atol=1e-4)


def test_samples_follow_log_probs(head):
    "Chi-square of 4,000 draws from one hidden state"
    h = randn(1, WIDTH, seed=2)
    p = head.log_probs(h)[0].double().softmax(0)
    ids, log_probs = head.sample(h.expand(4000, -1), generator=gen(3))
    counts = torch.bincount(ids, minlength=V).double()
    often = p * 4000 > 5
    expected = p * 4000
    chi = ((counts - expected)[often] ** 2 / expected[often]).sum().item()
    degrees = int(often.sum()) - 1
    assert chi < degrees + 5 * (2 * degrees) ** 0.5, (chi, degrees)
    of_ids = head.log_probs(h)[0][ids]
    torch.testing.assert_close(log_probs, of_ids, rtol=1e-3, atol=1e-3)


def test_one_generator_one_result(head):
    h = randn(30, WIDTH, seed=4)
    first, again = (head.sample(h, generator=gen(5))[0] for _ in range(2))
    assert torch.equal(first, again)


def test_temperature_zero_does_not_need_chance(head):
    h = randn(30, WIDTH, seed=6)
    assert torch.equal(head.sample(h, 0.0, gen(1))[0], head.sample(h, 0.0, gen(2))[0])


def test_the_prior_moves_the_start(head):
    before = head.log_probs(torch.zeros(1, WIDTH)).clone()
    state = {k: v.clone() for k, v in head.state_dict().items()}
    counts = torch.ones(V)
    counts[7] = 1000
    head.set_prior(counts)
    after = head.log_probs(torch.zeros(1, WIDTH))
    head.load_state_dict(state)
    assert after[0, 7] > before[0, 7]


def test_on_the_stand_in_device(head):
    with stand_in_device():
        moved = on_device(head)
        h = randn(6, WIDTH).to(DEVICE).requires_grad_()
        ids = torch.arange(6).to(DEVICE)
        moved.nll(h, ids).sum().backward()
        drawn, log_probs = moved.sample(h.detach(), generator=gen())
        moved.set_prior(torch.ones(V).to(DEVICE))
        assert all(isinstance(x, StandIn) for x in (moved.log_probs(h), drawn, log_probs))


@pytest.mark.parametrize('options', [dict(temperature=-1.0), dict(top_p=0.0), dict(top_p=1.5)])
def test_bad_options_are_refused_in_one_line(head, options):
    with pytest.raises(ValueError) as e:
        head.sample(randn(2, WIDTH), generator=gen(), **options)
    assert '\n' not in str(e.value)
