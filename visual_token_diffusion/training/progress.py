"""A bar where there is a terminal, a line per epoch everywhere, and after every epoch a model that can be used."""

import time
from pathlib import Path

from tqdm import tqdm

from ..core.errors import CheckpointError, SaveError
from .callbacks import EpochCB

__all__ = ['CheckpointCB', 'ProgressCB']


class ProgressCB(EpochCB):
    "A progress bar on a terminal and one line per epoch; keeps what the lines say in `history`"

    order = 60

    def __init__(
        self,
        epochs: int,  # of the training
        steps: int,  # batches of an epoch
        tokens: int,  # of a batch, of all processes
        out=print,  # function of a line; None keeps silent
        history=(),  # of the epochs before, when a training continues
        accumulate: int = 1,  # batches of a step of the optimizer
    ):
        self.epochs, self.steps = epochs, steps
        self.tokens, self.accumulate = tokens, accumulate
        self.out, self.history = out, list(history)

    def before_fit(self):
        disable = None if self.out else True  # None: only where there is a terminal
        self.bar = tqdm(total=self.steps * self.epochs, disable=disable, unit='step', leave=False)
        self.bar.update(self.steps * len(self.history))

    def before_train(self):
        super().before_train()
        self.began, self.n_batches = time.perf_counter(), 0

    def after_fit(self):
        self.bar.close()

    def after_cancel_fit(self):
        self.bar.close()

    def tokens_per_second(self):
        return self.tokens * self.n_batches / (time.perf_counter() - self.began)

    def after_batch(self):
        "Move the bar; its text, which needs the loss, every five batches where there is a terminal"
        if not self.training:
            return
        self.bar.update()
        self.n_batches += 1
        if self.iter % 5 or self.bar.disable:
            return
        self.bar.set_postfix_str(
            f'loss {self.learn.smooth_loss:.3f}, {self.tokens_per_second():,.0f} tokens/s'
        )

    def after_train(self):
        "The rate without validation"
        self.rate = self.tokens_per_second()

    def trained_epoch(self):
        "Keep the epoch's losses, and say them"
        train, valid = self.recorder.log[1:3]
        step = self.steps * (self.epoch + 1) // self.accumulate
        row = dict(epoch=self.epoch + 1, step=step, train=train, valid=valid)
        self.history.append(row | dict(tokens_per_s=round(self.rate)))
        if not self.out:
            return
        self.bar.clear()
        self.out(
            f'step {step:6}   train {train:.3f}   valid {valid:.3f} nats/token   {self.rate:,.0f} tokens/s'
        )


class CheckpointCB(EpochCB):
    "Saves the model after every epoch, and the best one in `best`. Raises `SaveError` where the disk refuses"

    order = 70  # before the averaged weights make room again (80)

    def __init__(
        self,
        path,  # folder
        progress,  # `ProgressCB`, which has the history
    ):
        self.path, self.progress = Path(path), progress

    def is_best(self):
        best = min(self.progress.history, key=lambda row: row['valid'])
        return best['epoch'] == self.epoch + 1

    def trained_epoch(self):
        folders = [self.path, self.path / 'best'] if self.is_best() else [self.path]
        try:
            for folder in folders:
                self.unwrapped.save_pretrained(folder)
        except (OSError, RuntimeError, CheckpointError) as e:
            said = str(e).splitlines()[0]
            raise SaveError(f"cannot save the model in {self.path}: is the disk full? ({said})") from None
