"The head that predicts the codes of a position one after another."

import itertools

import pytest
import torch
from support.parts import gen, randn, seeded, shaken
from support.standin import DEVICE, StandIn, on_device, stand_in_device

from visual_token_diffusion.networks.sub_tokens import SubTokenHead

SIZES = 3, 4, 2


def head():
    return shaken(seeded(lambda: SubTokenHead(SIZES, 8))).eval()


def every_row():
    return torch.tensor(list(itertools.product(*map(range, SIZES))))


def test_all_rows_of_codes_together_have_probability_one():
    rows = every_row()
    for h in randn(3, 8):
        log_probs = head().log_probs(h.expand(len(rows), -1), rows)
        assert log_probs.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_each_code_sees_those_before_it_only():
    h = randn(1, 8).expand(2, -1)
    rows = torch.tensor([[1, 2, 0], [1, 3, 0]])
    found = head().sub_token_log_probs(h, rows)
    assert found[0, 0] == found[1, 0]
    assert found[0, 2] != found[1, 2]
    other = head().sub_token_log_probs(h, torch.tensor([[1, 2, 1], [1, 2, 0]]))
    torch.testing.assert_close(other[:, :2], found[:1, :2].expand(2, -1))


def test_an_untrained_head_is_uniform():
    fresh = seeded(lambda: SubTokenHead(SIZES, 8))
    for layer in fresh.out:
        torch.nn.init.zeros_(layer.bias)
    nll = fresh.nll(randn(5, 8), every_row()[:5])
    torch.testing.assert_close(nll, torch.full((5,), 24.0).log())


def test_samples_come_as_often_as_they_should():
    rows = every_row()
    h = randn(1, 8, seed=1)
    p = head().log_probs(h.expand(len(rows), -1), rows).exp()
    with torch.no_grad():
        codes, log_probs = head().sample(h.expand(20000, -1), generator=gen())
    torch.testing.assert_close(log_probs, head().log_probs(h.expand(20000, -1), codes), rtol=1e-4, atol=1e-4)
    which = (codes * torch.tensor([8, 2, 1])).sum(1)
    share = which.bincount(minlength=24) / 20000
    assert (share - p).abs().max() < 0.012


def test_the_coldest_sample_is_the_most_likely_code_each_time():
    h = randn(4, 8)
    codes, _ = head().sample(h, temperature=0)
    first = head().out[0](head().states(h, codes[:, :0])[:, 0])
    assert torch.equal(codes[:, 0], first.argmax(-1))


@pytest.mark.parametrize(
    'call,why',
    [
        (lambda: SubTokenHead((), 8), 'entries in each codebook'),
        (lambda: SubTokenHead((4, 0), 8), 'entries in each codebook'),
        (lambda: head().nll(randn(2, 8), torch.zeros(2, 2).long()), r'codes \(N,3\)'),
    ],
)
def test_bad_input_is_one_line(call, why):
    with pytest.raises(ValueError, match=why) as e:
        call()
    assert '\n' not in str(e.value)


def test_on_the_stand_in_device():
    with stand_in_device():
        moved = on_device(head())
        h = randn(3, 8).to(DEVICE)
        codes, _ = moved.sample(h, generator=gen())
        moved.nll(h, codes).mean().backward()
        assert isinstance(codes, StandIn)
