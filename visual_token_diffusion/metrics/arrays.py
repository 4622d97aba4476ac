"""What metrics take: tensors on any device, arrays and lists, as numpy arrays."""

import numpy as np
import torch

__all__ = ['as_array']


def as_array(
    x,  # tensor, array, list or number
) -> np.ndarray:
    "`x` as numpy. Raises `ValueError` for rows of different lengths"
    if isinstance(x, torch.Tensor):
        return x.detach().cpu().numpy()
    try:
        return np.asarray(x)
    except ValueError:
        raise ValueError("expected numbers in equal rows, got rows of different lengths") from None
