"Excess bits by hand."

import math
import numpy as np, pytest
from visual_token_diffusion.metrics.likelihood import excess_bits

rng = np.random.default_rng(0)


def test_excess():
    x = rng.normal(5, 1, 1000)
    e = excess_bits(x, 4.5)
    assert e.mean == pytest.approx((x.mean() - 4.5) / math.log(2)) and e.possible
    assert e.se == pytest.approx(x.std(ddof=1) / math.sqrt(1000) / math.log(2))
    assert not excess_bits(x, 6.0).possible
    assert excess_bits(x, x)[:2] == (0.0, 0.0) and excess_bits(x, x).possible
    assert excess_bits(x, 4.5, 'bits').mean == pytest.approx(x.mean() - 4.5)
    assert excess_bits([1.0, math.inf], 1.0).mean == math.inf


@pytest.mark.parametrize(
    'f',
    [
        lambda: excess_bits([1.0], 0.0),
        lambda: excess_bits([1.0, 2.0], [1.0, 2.0, 3.0]),
        lambda: excess_bits([1.0, math.nan], 1.0),
        lambda: excess_bits([1.0, 2.0], math.nan),
        lambda: excess_bits([1.0, 2.0], 1.0, 'dits'),
    ],
)
def test_bad_input_is_one_clear_line(f):
    with pytest.raises(ValueError) as e:
        f()
    assert type(e.value) is ValueError and '\n' not in str(e.value) and len(str(e.value)) > 20
