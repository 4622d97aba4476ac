"""Next-token prediction in the interface of a process: nothing is masked, no time passes, and the loss is exact."""

import torch

from ..core.transfer import needs_fixed_shapes
from .base import Corrupted, Process
from .left_to_right import LeftPredictor, LeftToRight

__all__ = ['Autoregressive']


class Autoregressive(Process):
    "Next-token prediction: nothing is masked, and the loss is exact"

    name = 'autoregressive'
    lm = is_causal = True
    sampler = 'autoregressive'

    def corrupt(self, x0, t=None, *, maskable=None, generator=None) -> Corrupted:
        "`x0` as it is: no mask, no weight"
        return Corrupted(x0)

    def prior(self, shape, generator=None):
        "(shape) long: before anything is written, ids do not count"
        return torch.zeros(shape, dtype=torch.long)

    def loss(
        self,
        model,  # causal, with `hidden_states(x, mask)` and a `head`
        x0,  # (B,L) long: ids
        corrupted=None,  # of `corrupt`; not asked
    ):
        "(B,) nats: the exact negative log-likelihood of each sequence"
        h = model.hidden_states(x0, None)
        return model.head(h.flatten(0, 1), x0.flatten()).view(x0.shape).sum(1)

    def denoiser(self, model, temperature=1.0, top_p=1.0, generator=None):
        "The function `(x, mask, where) -> (ids, log_probs)` that the sampler calls"

        reader = LeftToRight(model)

        def denoise(x, mask, where, asked=None):
            asked = asked if needs_fixed_shapes(x) else None
            return model.head.sample(reader.states(x, mask, where, asked), temperature, generator, top_p)

        denoise.takes_asked = True
        return denoise

    def predictor(self, model):
        "A `LeftPredictor`: `(x, mask, where) -> log_probs` (N,V) at the True positions of `where`, (B,L,V) without it"
        return LeftPredictor(model)
