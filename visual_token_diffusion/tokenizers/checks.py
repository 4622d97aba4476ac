"""What a tokenizer of pictures refuses before it builds anything."""

from ..core.given import check_type
from ..quantizers.base import Quantizer

__all__ = ['check_quantizer']


def check_quantizer(
    quantizer,  # what came
):
    "The quantizer. Raises `CallError` for a name, a class, or anything else"
    advice = "make one, such as VectorQuantizer(8, 64) or seam_base('quantizer').make('fsq', 3)"
    return check_type(quantizer, Quantizer, 'a `Quantizer`', advice)
