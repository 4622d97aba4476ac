"Every registered quantizer: shapes, dtypes, round trip, determinism, the device, refusals."

import pytest
import torch
from support.parts import WIDTH, quantizers, randn
from support.standin import DEVICE, StandIn, on_device, stand_in_device

PARTS = quantizers()


@pytest.fixture(params=list(PARTS))
def quantizer(request):
    return PARTS[request.param].eval()


def test_forward_gives_codes_and_finite_losses(quantizer):
    z = randn(2, 5, WIDTH)
    out = quantizer(z)
    assert out.z.shape == z.shape and out.z.dtype == z.dtype
    assert out.codes.dtype == torch.long and out.codes.shape[:2] == (2, 5)
    assert out.codes.shape[-1] == len(quantizer.codebook_sizes)
    sizes = torch.tensor(quantizer.codebook_sizes)
    assert (out.codes >= 0).all() and (out.codes < sizes).all()
    assert all(torch.isfinite(torch.as_tensor(v)).all() for v in out.losses.values())


def test_encode_and_decode_agree_with_forward(quantizer):
    z = randn(7, WIDTH, seed=1)
    out = quantizer(z)
    assert torch.equal(quantizer.encode(z), out.codes)
    torch.testing.assert_close(quantizer.decode(out.codes), out.z, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('name', ['vq', 'lfq'])
def test_what_was_quantized_once_is_a_fixed_point(name):
    "Not so where the output lies in another space (fsq, factorized), or where stages are chosen greedily (residual)"
    quantizer = PARTS[name].eval()
    codes = quantizer.encode(randn(9, WIDTH, seed=2))
    assert torch.equal(quantizer.encode(quantizer.decode(codes)), codes)


def test_gradients_pass_straight_through(quantizer):
    z = randn(4, WIDTH, seed=3).requires_grad_()
    quantizer(z).z.sum().backward()
    assert z.grad is not None and z.grad.abs().sum() > 0


def test_two_calls_agree(quantizer):
    z = randn(6, WIDTH, seed=4)
    first, second = quantizer(z), quantizer(z)
    assert torch.equal(first.z, second.z) and torch.equal(first.codes, second.codes)


def test_on_the_stand_in_device(quantizer):
    z = randn(4, WIDTH)
    expected = quantizer(z)
    with stand_in_device():
        moved = on_device(quantizer).train()
        out = moved(z.to(DEVICE).requires_grad_())
        (out.z.sum() + sum(out.losses.values())).backward()
        assert isinstance(out.codes, StandIn)
        assert isinstance(moved.decode(out.codes), StandIn)
    assert expected.codes.shape == out.codes.shape


@pytest.mark.parametrize('bad', [randn(3, WIDTH + 1), torch.ones(2, WIDTH).long()])
def test_bad_input_is_refused_in_one_line(quantizer, bad):
    with pytest.raises(ValueError) as e:
        quantizer(bad)
    assert '\n' not in str(e.value)


def test_bad_codes_are_refused_in_one_line(quantizer):
    codes = quantizer.encode(randn(2, WIDTH)) + 10**6
    with pytest.raises(ValueError) as e:
        quantizer.decode(codes)
    assert '\n' not in str(e.value)
