"""Enumerable toys: a perfect denoiser as the model that processes and samplers ask for."""

import torch

from visual_token_diffusion.codebooks.table import CodeTable
from visual_token_diffusion.metrics.toy import Denoiser, Toy


def toy_table(toy):
    "The codes of a toy's tokens as a `CodeTable`"
    return CodeTable(toy.codes, int(toy.codes.max()) + 1)


class LogProbHead:
    "A head whose hidden states are log-probabilities already"

    def nll(self, h, ids):
        return -h.gather(-1, ids[..., None])[..., 0]

    def log_probs(self, h):
        return h

    def sample(self, h, temperature=1.0, generator=None, top_p=1.0):
        from visual_token_diffusion.core.sampling import sample_logits

        ids = sample_logits(h, temperature, generator, top_p)
        return ids, h.gather(-1, ids[:, None])[:, 0]


class ToyModel:
    "The perfect denoiser of a toy with the interface of a language model"

    def __init__(self, denoiser, is_causal=False):
        self.denoiser, self.head = denoiser, LogProbHead()
        self.is_causal = is_causal

    def hidden_states(self, x, mask=None):
        ids = self.token_ids(x)
        if not self.is_causal:
            return self.denoiser(ids, mask)
        columns = torch.arange(ids.shape[1])
        answers = [self.denoiser(ids, (columns >= i).expand(ids.shape))[:, i] for i in columns.tolist()]
        return torch.stack(answers, 1)

    def token_ids(self, x):
        "Codes (B,L,M) as tokens, any token where they are masked"
        if x.dim() == 2:
            return x
        toy = self.denoiser.toy
        return toy_table(toy).ids(x).clamp(min=0)


def perfect_model(toy=None, is_causal=False):
    return ToyModel(Denoiser(toy or Toy()).eval(), is_causal)
