"Next-token prediction as a process."

import torch
from support.pairs import PAIRS, TABLE

from visual_token_diffusion.diffusion.autoregressive import Autoregressive
from visual_token_diffusion.diffusion.base import antithetic_times


class Listed:
    "The listed world from left to right; its hidden states are log-probabilities"

    @staticmethod
    def head(h, ids):
        return -h.gather(1, ids[:, None])[:, 0]

    def hidden_states(self, x, mask):
        second = (TABLE / TABLE.sum(1, keepdim=True))[x[:, 0]]
        return torch.stack([TABLE.sum(1).expand(len(x), -1), second], 1).log()


def test_the_loss_is_the_likelihood():
    x = torch.tensor(PAIRS)
    corrupted = Autoregressive().corrupt(x, antithetic_times(len(x)))
    assert torch.equal(corrupted.x_t, x) and corrupted.mask is None and corrupted.weight is None
    loss = Autoregressive().loss(Listed(), x, corrupted)
    torch.testing.assert_close(loss, -TABLE.log().flatten())
