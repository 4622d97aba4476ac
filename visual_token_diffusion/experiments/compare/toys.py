"""Sixty-four sequences with their probabilities, as the perfect language model that processes and samplers ask for."""

import torch

from ...codebooks.table import CodeTable
from ...core.sampling import sample_logits
from ...metrics.bound_audit import audit
from ...metrics.toy import Denoiser, Toy

__all__ = ['PerfectModel', 'audit_process', 'toy_table']


def toy_table(toy):
    "The codes of a toy's tokens as a `CodeTable`"
    return CodeTable(toy.codes, int(toy.codes.max()) + 1)


class _Head:
    "A head whose hidden states are log-probabilities already"

    def nll(self, h, ids):
        return -h.gather(-1, ids[..., None])[..., 0]

    __call__ = nll

    def log_probs(self, h):
        return h

    def sample(self, h, temperature=1.0, generator=None, top_p=1.0):
        ids = sample_logits(h, temperature, generator, top_p)
        return ids, h.gather(-1, ids[:, None])[:, 0]


class PerfectModel:
    "The perfect denoiser of a toy with the interface of a language model"

    def __init__(self, toy, is_causal=False, denoiser=None):
        self.toy, self.head = toy, _Head()
        self.denoiser, self.is_causal = denoiser or Denoiser(toy).eval(), is_causal

    def hidden_states(self, x, mask=None):
        "(B,L,V) log-probabilities"
        ids = x if x.dim() == 2 else toy_table(self.toy).ids(x).clamp(min=0)
        if not self.is_causal:
            return self.denoiser(ids, mask)
        columns = torch.arange(ids.shape[1])
        answers = [self.denoiser(ids, (columns >= i).expand(ids.shape))[:, i] for i in columns.tolist()]
        return torch.stack(answers, 1)


def audit_process(
    part,  # class of a process of language models
    rows: int = 512,
    reps: int = 8,
):
    "The `AuditResult` of a process's loss with the perfect denoiser"
    toy = Toy()
    process = part.build(toy_table(toy))

    def estimate(denoiser, x, generator):
        denoiser.eval()
        t = 1 - torch.rand(len(x), generator=generator, dtype=torch.float64)
        model = PerfectModel(toy, process.is_causal, denoiser)
        return process.loss(model, x, process.corrupt(x, t, generator=generator))

    return audit(estimate, toy=toy, rows=rows, reps=reps)
