"""What a tokenizer of pictures refuses before it builds anything."""

from torch import nn

from ..core.given import check_type
from ..quantizers.base import Quantizer

__all__ = ['check_quantizer']


def check_quantizer(
    quantizer,  # what came
):
    "The quantizer, or a module that stands for one. Raises `CallError` for a name, a class, or anything else"
    if isinstance(quantizer, nn.Module) and hasattr(quantizer, 'dim'):
        return quantizer
    advice = "make one, such as VectorQuantizer(8, 64) or seam_base('quantizer').make('fsq', 3)"
    return check_type(quantizer, Quantizer, 'a `Quantizer`', advice)
