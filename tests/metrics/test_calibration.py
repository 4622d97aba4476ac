"Calibration by loops, and the temperature that mends it."

import pytest, torch
from visual_token_diffusion.metrics.calibration import (
    calibration,
    fit_temperature,
    scale_temperature,
)

gen = lambda s=0: torch.Generator().manual_seed(s)


def test_calibration_by_loops():
    p = torch.rand(300, generator=gen()).double()
    y = torch.rand(300, generator=gen(1)) < p
    c = calibration(p, y, bins=7, generator=gen(2))
    order = p.argsort().tolist()
    want = 0
    for b in range(7):
        mine = [order[j] for j in range(300) if j * 7 // 300 == b]
        want += abs(sum(p[k].item() - float(y[k]) for k in mine)) / 300
    assert c.ece == pytest.approx(want) and c.calibrated and len(c.confidence) == 7
    assert not calibration(p.sqrt(), y, generator=gen(2)).calibrated


def test_temperature():
    lp = torch.randn(3000, 8, generator=gen()).double().log_softmax(1)
    y = torch.multinomial(lp.exp(), 1, generator=gen(1))[:, 0]
    for k in (0.3, 1.0, 5.0):
        T = fit_temperature(lp * k, y)
        nll = lambda t: -scale_temperature(lp * k, t).gather(1, y[:, None]).mean().item()
        assert T == pytest.approx(k, rel=0.1)
        assert all(nll(T) <= nll(T * f) + 1e-9 for f in (0.8, 0.95, 1.05, 1.3))
    assert torch.equal(scale_temperature(lp, 7.0).argmax(1), lp.argmax(1))


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: calibration(torch.tensor([0.5]), torch.tensor([True])), 'at least 15'),
        (lambda: calibration(torch.full((20,), 2.0), torch.ones(20).bool()), 'probabilities'),
        (lambda: calibration(torch.full((20,), torch.nan), torch.ones(20)), 'probabilities'),
        (lambda: fit_temperature(torch.zeros(3, 2), torch.zeros(2).long()), 'expected'),
    ],
)
def test_bad_input_is_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)
