"Outliers among token norms: by hand, at any scale, and what is refused."

import pytest
import torch

from visual_token_diffusion.metrics.token_norms import relative_norms, outlier_share


def test_ratios_by_hand():
    tokens = torch.tensor([[[3.0, 4.0], [0.0, 5.0], [0.0, 20.0]]])  # norms 5, 5, 20
    assert relative_norms(tokens).tolist() == [[1.0, 1.0, 4.0]]
    assert outlier_share(tokens) == pytest.approx(1 / 3)
    assert outlier_share(tokens, 4.0) == 0.0  # more than the factor, not as much


@pytest.mark.parametrize('shape', [(40, 8), (5, 8, 8), (2, 3, 7, 8)])
def test_planted_outliers_are_found_at_any_scale(shape):
    tokens = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    n = tokens[..., 0].numel()
    tokens.view(n, -1)[::10] *= 10
    assert relative_norms(tokens).shape == shape[:-1]
    shares = [outlier_share(scale * tokens) for scale in (1e-4, 1.0, 1e4)]
    assert shares == pytest.approx([len(range(0, n, 10)) / n] * 3)


def test_half_precision_is_measured_in_single():
    tokens = 300 * torch.ones(4, 64, dtype=torch.float16)  # the squares overflow half precision
    assert relative_norms(tokens).tolist() == [1.0] * 4


@pytest.mark.parametrize(
    'tokens,why',
    [
        (torch.ones(3), 'expected tokens'),
        (torch.ones(0, 3), 'expected tokens'),
        (torch.zeros(4, 3), 'above 0'),
        (torch.full((4, 3), float('inf')), 'finite'),
    ],
)
def test_bad_input_is_one_line(tokens, why):
    with pytest.raises(ValueError, match=why) as e:
        outlier_share(tokens)
    assert '\n' not in str(e.value)
