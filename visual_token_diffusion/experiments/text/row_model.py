"A small causal model of whole rows of ids, with the bits that it pays for each of them."

import torch
import torch.nn.functional as F
from torch import nn

from ...networks.transformer import Backbone

__all__ = ['RowModel']


class RowModel(nn.Module):
    "A causal transformer over ids; a row begins with the number of its language and ends with one id of its own"

    def __init__(
        self,
        size: int,  # of the vocabulary
        starts: int,  # languages
        width: int = 64,  # features of a place
        depth: int = 2,  # layers
        heads: int = 2,  # attention heads
    ):
        super().__init__()
        self.end = size
        self.embed = nn.Embedding(size + 1 + starts, width)
        self.backbone = Backbone(width, depth, heads, offsets=(-2, -1))
        self.out = nn.Linear(width, size + 1)

    def nll(
        self,
        rows,  # B lists of ids
        starts,  # B numbers of languages
    ):
        "(B,) nats of whole rows (lists of ids), their ends included, given their languages"
        longest = max(map(len, rows)) + 1
        target = torch.full((len(rows), longest), self.end)
        real = torch.zeros(len(rows), longest, dtype=torch.bool)
        for i, row in enumerate(rows):
            target[i, : len(row)] = torch.tensor(row)
            real[i, : len(row) + 1] = True
        first = torch.tensor(starts)[:, None] + self.end + 1
        hidden = self.backbone(self.embed(torch.cat([first, target[:, :-1]], 1)), 'causal')
        logits = self.out(hidden[real])
        found = torch.zeros(real.shape).masked_scatter(real, F.cross_entropy(logits, target[real], reduction='none'))
        return found.sum(1)

    def fit(
        self,
        draw,  # a function of the step: rows and their languages
        steps: int,
        lr: float = 3e-3,  # highest learning rate of one cycle
    ):
        "Train on nats an id; returns the model"
        opt = torch.optim.AdamW(self.parameters(), lr)
        schedule = torch.optim.lr_scheduler.OneCycleLR(opt, lr, max(steps, 4), pct_start=0.2 if steps > 9 else 0.5)
        for step in range(steps):
            rows, starts = draw(step)
            loss = self.nll(rows, starts).sum() / sum(len(row) + 1 for row in rows)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            opt.step()
            schedule.step()
        return self.eval()

    @torch.no_grad()
    def bits(self, rows, starts, batch: int = 128):
        "(n,) bits of each row"
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        found = torch.zeros(len(rows))
        for i in range(0, len(order), batch):
            part = order[i : i + batch]
            found[part] = self.nll([rows[j] for j in part], [starts[j] for j in part])
        return found / torch.log(torch.tensor(2.0))
