"""Batches on their way to a device while it still computes, and a loss that is read when somebody asks."""

import torch
from fastai.callback.core import Callback
from fastai.data.core import TfmdDL
from fastai.learner import AvgSmoothLoss

from ..core.transfer import to_device

__all__ = ['DeviceDL', 'DeviceLossCB', 'SmoothLoss']


class DeviceDL(TfmdDL):
    "A `TfmdDL` that copies without waiting, a batch ahead; on the CPU it is a `TfmdDL`"

    def _next(self, batches):
        "The next batch, without fastai's copy, for which it would wait; None at the end"
        device, self._device = self.device, None
        try:
            batch = next(batches, None)
        finally:
            self._device = device
        return None if batch is None else tuple(to_device(x, device) for x in batch)

    def __iter__(self):
        if self.device is None or self.device.type == 'cpu':
            yield from super().__iter__()
            return
        batches = super().__iter__()
        ahead = self._next(batches)
        while ahead is not None:
            batch, ahead = ahead, self._next(batches)
            yield batch


class SmoothLoss(AvgSmoothLoss):
    "fastai's average of losses, kept where the loss is: to read it is to wait for the device"

    def accumulate(self, learn):
        loss = learn.loss.detach().mean()
        self.count += 1
        self.val = torch.lerp(loss, to_device(self.val, loss.device), self.beta)


class DeviceLossCB(Callback):
    "Puts a `SmoothLoss` into fastai's recorder, whose own one waits for the device in every step"

    order = 40

    def before_fit(self):
        if self.dls.device.type != 'cpu':
            self.recorder.smooth_loss = SmoothLoss(self.recorder.smooth_loss.beta)

    def after_train(self):
        "Curves are drawn on the CPU"
        losses = self.recorder.losses
        if losses and losses[-1].device.type != 'cpu':
            losses[:] = torch.stack([to_device(x, losses[-1].device) for x in losses]).cpu().unbind()
