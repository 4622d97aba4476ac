"""Where meaning comes in: a row of numbers for every token, from whatever source."""

from ..core.registry import Registered, unwritten

__all__ = ['MissingWords', 'Semantics', 'check_known']


class MissingWords(ValueError):
    "Tokens that a source knows nothing about"


def check_known(
    tokens,  # list of strings
    known,  # container of the strings that the source knows
    source: str,  # what to call it
    remedy: str,  # what to do
):
    "Raises `MissingWords` if the source does not know every token"
    missing = [token for token in tokens if token not in known]
    if not missing:
        return
    what = f"{source} knows nothing of {len(missing)} of {len(tokens)} words"
    raise MissingWords(f"{what}, such as '{missing[0]}'; {remedy}")


class Semantics(Registered):
    """A source of meaning: options when it is made, then a row of features for every token.

    A part states `name` and writes `features(tokens) -> (V,D)`; `build` too where it reads the training text."""

    def features(
        self,
        tokens: list,  # V strings
    ):
        "(V,D) float32. Raises `MissingWords` for tokens that the source does not know"
        unwritten(self, 'features')

    @classmethod
    def build(cls, *, ids=None, dim=128, window=4, seed=0):
        "The source for a model with training tokens `ids` (N,); `features` then gets its vocabulary"
        return cls()
