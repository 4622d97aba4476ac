"""A masked language model over the codes of a picture: how hard they are to model, and new pictures from nothing."""

import torch
from torch import nn

from ..core.sampling import sample_categorical
from ..diffusion.masked import MaskedDiffusion, masked_nelbo
from ..networks.transformer import Backbone
from ..samplers.masked import sample_masked

__all__ = ['CodeModel']


class CodeModel(nn.Module):
    """Codes (B,N,M) as rows of N*M masked tokens, each place with a vocabulary of its own (in the manner of MaskGIT;
    Chang and others, 2022, https://arxiv.org/abs/2202.04200; with the bound of masked diffusion as its loss)"""

    def __init__(
        self,
        n_places: int,  # N
        codebook_sizes,  # (M,) entries of each codebook
        width: int = 64,  # features of a token
        depth: int = 2,  # layers
        heads: int = 2,  # attention heads
    ):
        super().__init__()
        self.n_places, self.codebook_sizes = n_places, tuple(codebook_sizes)
        self.length = n_places * len(self.codebook_sizes)
        self.process = MaskedDiffusion()
        sizes = torch.tensor(self.codebook_sizes).repeat(n_places)
        self.register_buffer('sizes', sizes, persistent=False)
        most = max(self.codebook_sizes)
        starts = most * (torch.arange(self.length) % len(self.codebook_sizes))
        self.register_buffer('starts', starts, persistent=False)
        self.embed = nn.Embedding(most * len(self.codebook_sizes) + 1, width)  # the last row says: masked
        self.place = nn.Parameter(0.02 * torch.randn(self.length, width))
        self.backbone = Backbone(width, depth, heads, offsets=())
        self.out = nn.Linear(width, most * len(self.codebook_sizes))

    def _rows(self, codes):
        "Codes (B,N,M) as rows (B,N*M). Raises `ValueError`"
        expected = self.n_places, len(self.codebook_sizes)
        if tuple(codes.shape[1:]) != expected:
            raise ValueError(f'expected codes (B,{expected[0]},{expected[1]}), got {tuple(codes.shape)}')
        rows = codes.flatten(1)
        if rows.numel() and (rows.min() < 0 or (rows >= self.sizes).any()):
            raise ValueError(f'codes must lie below the codebook sizes {self.codebook_sizes}')
        return rows

    def log_probs(self, rows, mask):
        "(B,L,K) log-probabilities of the codes at every place, K entries of the largest codebook"
        last = len(self.embed.weight) - 1
        seen = (rows + self.starts).masked_fill(mask, last)
        h = self.backbone(self.embed(seen) + self.place)
        most, n = max(self.codebook_sizes), len(self.codebook_sizes)
        logits = self.out(h).unflatten(-1, (n, most))
        which = (self.starts // most)[None, :, None, None].expand(len(h), -1, 1, most)
        logits = logits.gather(2, which)[:, :, 0]
        beyond = torch.arange(most, device=h.device) >= self.sizes[:, None]
        return logits.masked_fill(beyond, -1e9).log_softmax(-1)

    def nelbo(self, codes, generator=None, t=None):
        "(B,) nats: bound on the negative log-likelihood of codes (B,N,M), one draw of the mask"
        rows = self._rows(codes)
        if t is None:
            t = (torch.rand((), generator=generator) + torch.arange(len(rows)) / len(rows)) % 1
        corrupted = self.process.corrupt(rows, t.clamp(min=1e-9), generator=generator)
        mask = corrupted.mask
        nll = -self.log_probs(rows, mask)[mask].gather(1, rows[mask][:, None])[:, 0]
        return masked_nelbo(nll, mask, corrupted.weight)

    def fit(
        self,
        codes,  # (n,N,M) long, or a function of a generator: a batch (B,N,M)
        steps: int = 800,
        seed: int = 0,
        batch: int = 128,
        lr: float = 3e-3,  # highest learning rate of one cycle
    ):
        "Train on codes; returns the model"
        generator = torch.Generator().manual_seed(seed)
        opt = torch.optim.AdamW(self.parameters(), lr)
        warm_up = 0.2 if steps > 9 else 0.5
        schedule = torch.optim.lr_scheduler.OneCycleLR(opt, lr, total_steps=max(steps, 4), pct_start=warm_up)
        self.train()
        for _ in range(steps):
            if callable(codes):
                part = codes(generator)
            else:
                part = codes[torch.randint(len(codes), (batch,), generator=generator)]
            loss = self.nelbo(part.to(self.place.device), generator).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()
        return self.eval()

    @torch.no_grad()
    def bound(self, codes, draws: int = 32, seed: int = 0):
        "(n,) nats: the bound on each row of codes (n,N,M), mean of several masks"
        generator = torch.Generator().manual_seed(seed)
        return sum(self.nelbo(codes, generator) for _ in range(draws)) / draws

    @torch.no_grad()
    def generate(
        self,
        n: int,  # pictures
        steps: int = 0,  # network calls; 0 writes one code a call
        generator=None,  # torch generator on the CPU
        order: str = 'random',  # of `sample_masked`
    ) -> torch.Tensor:
        "(n,N,M) long: new codes"

        def denoise(x, mask, where):
            log_probs = self.log_probs(x, mask)[where]
            drawn = sample_categorical(log_probs.exp(), generator)
            return drawn, log_probs.gather(1, drawn[:, None])[:, 0]

        start = torch.zeros(n, self.length, dtype=torch.long, device=self.place.device)
        steps = steps or self.length
        *_, last = sample_masked(denoise, self.process, start, steps=steps, generator=generator, order=order)
        return last.x.view(n, self.n_places, -1)
