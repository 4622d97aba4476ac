"Memory and time on paper: what torch keeps is counted, states are exact, and two small models predict a third."

import torch

from visual_token_diffusion.experiments.speed import scaling
from visual_token_diffusion.experiments.speed.scaling import fitted, kept_bytes, predicted_step, state_bytes


def test_what_a_layer_keeps_is_counted_once():
    layer, x = torch.nn.Linear(4, 4), torch.randn(8, 4)
    assert kept_bytes(layer, lambda m: m(x).square().sum()) == 2 * 8 * 4 * 4
    assert kept_bytes(layer, lambda m: (m(x) * m(x)).sum()) == 3 * 8 * 4 * 4
    assert kept_bytes(layer, lambda m: m.weight.sum()) == 0


def test_states_of_adam_and_of_muon():
    assert state_bytes(10) == dict(weights=40, gradients=40, optimizer=80)
    assert state_bytes(10, 10)['optimizer'] == 40


def test_two_sizes_predict_themselves_and_the_optimizers_states():
    found = scaling.main(['--quick'])
    fit = fitted(*found)
    for m in found:
        p = predicted_step(m['width'], m['depth'], m['positions'], m['parameters'], m['matrices'], fit)
        assert abs(p['activations'] / m['activations'] - 1) < 1e-6
        assert abs(p['optimizer'] / m['optimizer'] - 1) < 1e-3
        assert 'seconds' not in p and m['seconds'] > 0


def made(width, depth, seconds_of):
    return dict(width=width, depth=depth, positions=100, activations=0, seconds=seconds_of(width, depth))


def test_time_is_fitted_exactly_where_it_is_of_that_form():
    def seconds(width, depth):
        return 100 * width * (depth * (2e-7 + 3e-9 * width) + 5e-7)

    fit = fitted(*(made(w, d, seconds) for w, d in ((64, 1), (64, 2), (128, 4))))
    assert abs(predicted_step(256, 3, 100, 1, 0, fit)['seconds'] / seconds(256, 3) - 1) < 1e-9


def test_a_step_on_a_card():
    "A million operations a token, a thousand tokens, half of two TFLOP/s"
    width, depth = 10, 1
    operations = 6 * 12 * depth * width**2
    assert scaling.step_seconds(width, depth, 1000, 0, 2.0, 0.5) == operations * 1000 / 1e12
