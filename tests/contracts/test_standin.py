"The stand-in device catches the mistakes that die on a GPU, and lets right code pass."

import hashlib

import pytest
import torch

from support.standin import DEVICE, StandIn, stand_in_device


@pytest.fixture(autouse=True)
def device():
    with stand_in_device():
        yield


def data(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).to(DEVICE)


def test_the_old_fingerprint_is_caught():
    "It called numpy() on a tensor that lay on the GPU"
    grids = data(4, 3, 8, 8)
    with pytest.raises(TypeError, match='numpy'):
        hashlib.sha256((grids * 255).round().byte().numpy().tobytes())
    assert hashlib.sha256((grids * 255).round().byte().cpu().numpy().tobytes()).hexdigest()


def test_noise_of_a_cpu_generator_added_to_device_data_is_caught():
    x = data(2, 3)
    noise = torch.randn(2, 3, generator=torch.Generator().manual_seed(1))
    with pytest.raises(RuntimeError, match='one device'):
        x + noise
    assert isinstance(x + noise.to(x.device), StandIn)


def test_a_cpu_generator_draws_nothing_on_the_device():
    with pytest.raises(RuntimeError, match='generator'):
        torch.rand(3, generator=torch.Generator(), device=DEVICE)


def test_an_index_table_left_behind_is_caught():
    table, ids = torch.arange(12).view(4, 3), torch.tensor([1, 2]).to(DEVICE)
    with pytest.raises(RuntimeError, match='one device'):
        table[ids]
    assert isinstance(table.to(ids.device)[ids], StandIn)


def test_float_of_numpy_is_caught():
    with pytest.raises(TypeError, match='numpy'):
        float(data(3).sum().numpy())
    assert isinstance(data(3).sum().item(), float)


def test_a_mask_of_the_cpu_is_caught():
    with pytest.raises(RuntimeError, match='one device'):
        torch.where(torch.ones(3, dtype=torch.bool), data(3), data(3))


def test_a_module_moves_and_trains():
    "Right code passes: parameters move, gradients flow, the optimizer steps, weights come back"
    layers = torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.Linear(4, 1)
    model = torch.nn.Sequential(*layers).to(DEVICE)
    assert all(isinstance(p, StandIn) for p in model.parameters())
    before = model[0].weight.detach().cpu().clone()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, foreach=False)
    loss = model(data(5, 3)).square().mean()
    loss.backward()
    optimizer.step()
    after = model[0].weight.detach().cpu()
    assert type(after) is torch.Tensor and not torch.equal(before, after)


def test_factories_make_tensors_of_the_device():
    x = data(2, 3)
    made = [torch.zeros(2, device=x.device), torch.arange(3, device=x.device)]
    made += [x.new_ones(2), torch.zeros_like(x)]
    assert all(isinstance(m, StandIn) and m.device == DEVICE for m in made)
