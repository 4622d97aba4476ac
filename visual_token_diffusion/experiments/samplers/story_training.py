"""Small models of windows of stories, trained by a loop of ten lines, for experiments with processes."""

import torch

from ...diffusion.autoregressive import Autoregressive
from ...diffusion.base import antithetic_times
from ...models.sequence import SequenceModel
from ...networks.embeddings import TokenEmbedding
from ...networks.heads.flat import FlatHead
from ...worlds.stories import stories, story_stream

__all__ = ['LENGTH', 'STEPS', 'process_loss', 'story_denoiser', 'train_on_stories', 'warm_cosine']

LENGTH = 32  # words of a window
STEPS = 600
BATCH = 16
WIDTH = 64


def story_denoiser(
    process,  # a `Process`
    seed: int,  # of the weights
    width: int = WIDTH,
    depth: int = 2,
):
    "A `SequenceModel` of the stories' word numbers, the end of a sentence included"
    torch.manual_seed(seed)
    vocab_size = len(stories().words) + 1
    is_causal = isinstance(process, Autoregressive)
    parts = TokenEmbedding(vocab_size, width), FlatHead(vocab_size, width)
    model = SequenceModel(*parts, width, depth, 2, is_causal, process=process)
    first = next(iter(story_stream(1000, LENGTH, seed=1)))
    model.head.set_prior(torch.bincount(first.flatten(), minlength=vocab_size).float())
    return model


def process_loss(
    model,  # with a `process`
    x,  # (B,L) long
    generator,  # torch generator on the CPU
):
    "Nats a token: one draw of the process's own loss"
    noisy = model.process.corrupt(x, antithetic_times(len(x), generator), generator=generator)
    return model.process.loss(model, x, noisy).mean() / x.shape[1]


def warm_cosine(
    step: int,
    steps: int,
    warm: float = 0.1,  # share of the steps with a rising learning rate
) -> float:
    "The share of the highest learning rate"
    done = step / steps
    if done < warm:
        return (step + 1) / (steps * warm)
    return 0.5 * (1 + torch.cos(torch.tensor(torch.pi * (done - warm) / (1 - warm))).item())


def train_on_stories(
    model,
    seed: int,  # of data and noise
    steps: int = STEPS,
    lr: float = 3e-3,  # highest learning rate
    loss=process_loss,  # function (model, x, generator) -> nats
    batch: int = BATCH,
    length: int = LENGTH,
):
    "The model, trained with AdamW, a warm-up and a cosine, every window a new one"
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warm_cosine(step, steps))
    model.train()
    for x, _ in zip(story_stream(batch, length, seed=seed + 1000), range(steps)):
        nats = loss(model, x, generator)
        optimizer.zero_grad()
        nats.backward()
        optimizer.step()
        schedule.step()
    return model.eval()
