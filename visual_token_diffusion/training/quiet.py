"""A training that prints nothing."""

from contextlib import contextmanager

import fastai.callback.progress  # noqa: F401  (brings `no_bar` and `no_logging`)

__all__ = ['quietly']


@contextmanager
def quietly(
    learn,  # a `Learner`
    quiet: bool = True,  # False leaves table and bar
):
    "Within this, a Learner shows neither its table nor its bar"
    if not quiet:
        yield learn
        return
    with learn.no_bar(), learn.no_logging():
        yield learn
