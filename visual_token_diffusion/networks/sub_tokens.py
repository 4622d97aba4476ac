"""Several codes at one position, predicted one after another: the small autoregressive head of FQGAN's generator."""

import torch
from torch import nn

from ..core.sampling import sample_logits
from .attention_masks import causal
from .transformer import Backbone

__all__ = ['SubTokenHead']


class SubTokenHead(nn.Module):
    """Hidden states (N,width) of positions to codes (N,M), each given those before it (FAR; Bai and others, 2024,
    https://arxiv.org/abs/2411.16681). Probabilities of all rows of codes sum to one"""

    def __init__(
        self,
        codebook_sizes,  # (M,) entries of each codebook
        width: int = 64,  # features of a hidden state
        depth: int = 1,  # layers
        heads: int = 2,  # attention heads
    ):
        super().__init__()
        self.codebook_sizes = tuple(codebook_sizes)
        if not self.codebook_sizes or min(self.codebook_sizes) < 1:
            raise ValueError(f'a head needs entries in each codebook, got sizes {self.codebook_sizes}')
        self.embed = nn.ModuleList(nn.Embedding(size, width) for size in self.codebook_sizes[:-1])
        self.backbone = Backbone(width, depth, heads, offsets=())
        self.out = nn.ModuleList(nn.Linear(width, size) for size in self.codebook_sizes)
        for layer in self.out:
            nn.init.zeros_(layer.weight)

    def states(self, h, codes):
        "(N,m+1,width): what is known of a position before each of its codes, from the first m of them (N,m)"
        tokens = [h] + [embed(code) for embed, code in zip(self.embed, codes.T)]
        return self.backbone(torch.stack(tokens, 1), attention_mask=causal)

    def sub_token_log_probs(self, h, codes):
        "(N,M) nats: log-probability of each code (N,M), given those before it. Raises `ValueError`"
        if codes.dim() != 2 or codes.shape[1] != len(self.codebook_sizes):
            raise ValueError(f'expected codes (N,{len(self.codebook_sizes)}), got {tuple(codes.shape)}')
        states = self.states(h, codes[:, :-1])
        pairs = zip(self.out, states.unbind(1), codes.T)
        found = [out(s).float().log_softmax(-1).gather(1, c[:, None]) for out, s, c in pairs]
        return torch.cat(found, 1)

    def log_probs(self, h, codes):
        "(N,) nats: log-probability of whole rows of codes (N,M)"
        return self.sub_token_log_probs(h, codes).sum(1)

    def nll(self, h, codes):
        "(N,) nats: what rows of codes (N,M) cost"
        return -self.log_probs(h, codes)

    def sample(
        self,
        h,  # (N,width) hidden states
        temperature: float = 1.0,  # 0 takes the most likely
        generator=None,  # torch generator on the CPU
        top_p: float = 1.0,  # keep the likeliest codes that together reach this probability
    ):
        "Codes (N,M), and their log-probabilities (N,) at temperature 1"
        codes = torch.empty(len(h), 0, dtype=torch.long, device=h.device)
        total = torch.zeros(len(h), device=h.device)
        for out in self.out:
            logits = out(self.states(h, codes)[:, -1]).float()
            code = sample_logits(logits, temperature, generator, top_p)[:, None]
            total = total + logits.log_softmax(-1).gather(1, code)[:, 0]
            codes = torch.cat([codes, code], 1)
        return codes, total
