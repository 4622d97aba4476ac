"""From what somebody asks for to a sampler that undoes a process, or a line that names those which do."""

from ..core.errors import CombinationError
from ..core.given import check_type
from .base import Sampler

__all__ = ['fitting_sampler']


def fitting_sampler(
    asked,  # a `Sampler`, or a text such as 'heun' or 'ddim,eta=1'
    process,  # that it must undo
) -> Sampler:
    "A sampler for a process. Raises `CombinationError` for one that undoes other processes"
    sampler = Sampler.from_text(asked) if isinstance(asked, str) else asked
    check_type(sampler, Sampler, "a sampler or its text, such as 'entropy_bound,bound=.5'")
    if process.name in sampler.processes:
        return sampler
    fits = ', '.join(name for name in Sampler.names() if process.name in Sampler.part(name).processes)
    raise CombinationError(
        f"the sampler '{sampler.name}' undoes {' and '.join(sampler.processes)}; "
        f"this model has the process '{process.name}', take {fits}"
    )
