"""Half the bits for the forward pass on any device, and a loss scale where small gradients would vanish."""

import torch
from fastai.callback.core import Callback, CancelStepException

__all__ = ['AutocastCB', 'is_faster_in_bf16', 'chosen_precision']


def is_faster_in_bf16(device: torch.device) -> bool:
    "Whether a device has instructions for products of bfloat16; where it has none they are slow"
    if device.type == 'cuda':
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != 'cpu':
        return False
    signs = ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
    return any(getattr(torch.cpu, sign, bool)() for sign in signs)


def chosen_precision(
    precision: str,  # 'auto', 'fp32', 'bf16' or 'fp16'
    device: torch.device,
) -> str:
    "What 'auto' means on a device: 'bf16' where it is faster, else 'fp32'"
    if precision != 'auto':
        return precision
    return 'bf16' if is_faster_in_bf16(device) else 'fp32'


class AutocastCB(Callback):
    "Run the forward pass in `dtype` on the batch's device; the loss is float32. `skipped` counts steps left out"

    order = 10

    def __init__(
        self,
        dtype: str = 'bf16',  # or 'fp16'
    ):
        if dtype not in ('bf16', 'fp16'):
            raise ValueError(f"mixed precision is 'bf16' or 'fp16', got '{dtype}'")
        self.fp16, self.hooks = dtype == 'fp16', []
        self.scale = 2.0**16 if self.fp16 else 1.0  # doubled after 2000 good steps, as in torch's GradScaler
        self.good, self.skipped = 0, 0

    def remove(self):
        for hook in self.hooks:
            hook.remove()
        self.hooks = []

    def after_loss(self):
        self.remove()

    def after_cancel_batch(self):
        self.remove()

    def before_backward(self):
        if self.fp16:
            self.learn.loss_grad = self.loss_grad * self.scale

    def state_dict(self):
        return dict(scale=self.scale, good=self.good, skipped=self.skipped)

    def load_state_dict(self, state):
        self.scale, self.good = state['scale'], state['good']
        self.skipped = state['skipped']

    def before_batch(self):
        "The next forward pass is one of lower precision"
        self.remove()
        context = torch.autocast(self.xb[0].device.type, torch.float16 if self.fp16 else torch.bfloat16)

        def enter(*_):
            context.__enter__()

        def leave(module, inputs, out):
            context.__exit__(None, None, None)
            return _as_float(out)

        before = self.model.register_forward_pre_hook(enter)
        after = self.model.register_forward_hook(leave, always_call=True)  # also when forward fails
        self.hooks = [before, after]

    def before_step(self):
        "Undo the scale; leave the step out if a gradient is not finite"
        if not self.fp16:
            return
        grads = [p.grad for p in self.model.parameters() if p.grad is not None]
        torch._foreach_mul_(grads, 1 / self.scale)
        if not all(g.isfinite().all() for g in grads):
            self.skip_step()
        self.good += 1
        if self.good % 2000 == 0:
            self.scale *= 2

    def skip_step(self):
        "Halve the scale and go on with the next batch"
        self.scale, self.good = self.scale / 2, 0
        self.skipped += 1
        raise CancelStepException()


def _as_float(out):
    return out.float() if torch.is_tensor(out) and out.is_floating_point() else out
