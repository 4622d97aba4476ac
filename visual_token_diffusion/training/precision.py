"""Half the bits for the forward pass on any device, and a loss scale where small gradients would vanish."""

import torch
from fastai.callback.core import Callback, CancelStepException

__all__ = ['AutocastCB', 'HalfWeightsCB', 'chosen_precision', 'is_faster_in_bf16', 'precision_callbacks']


def is_faster_in_bf16(device: torch.device) -> bool:
    "Whether a device has instructions for products of bfloat16; where it has none they are slow"
    if device.type == 'cuda':
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != 'cpu':
        return False
    signs = ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
    return any(getattr(torch.cpu, sign, bool)() for sign in signs)


def chosen_precision(
    precision: str,  # 'auto', 'fp32', 'bf16', 'bf16_weights' or 'fp16'
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


class HalfWeightsCB(Callback):
    """Weights of the backbone's linear layers in bfloat16 in a training step, with float32 master weights.

    They are rounded once a batch and not at each use, and gradients pass in bfloat16; the optimizer changes the
    float32 weights, which are the model before and after each batch and in every file. For one process.
    On a card it has not been measured."""

    order = 9  # before the forward pass is hooked

    def __init__(self):
        self.kept = []  # (parameter, float32 weights, gradient of earlier batches)

    def before_fit(self):
        if hasattr(self.learn.model, 'module'):
            raise ValueError("precision 'bf16_weights' is for one process; take precision=bf16")

    def before_batch(self):
        self.restore()
        if not self.training:
            return
        layers = [m for m in self.model.backbone.modules() if isinstance(m, torch.nn.Linear)]
        self.kept = [(p, p.data, p.grad) for p in (layer.weight for layer in layers)]
        for p, weight, _ in self.kept:
            p.grad = None
            p.data = weight.bfloat16()

    def restore(self):
        "Float32 weights again, and float32 sums of gradients"
        for p, weight, before in self.kept:
            half, p.grad = p.grad, None
            p.data = weight
            p.grad = before
            if half is not None:
                p.grad = half.float() if before is None else before.add_(half)
        self.kept = []

    def after_backward(self):
        self.restore()

    def after_cancel_batch(self):
        self.restore()

    def after_cancel_fit(self):
        self.restore()


def precision_callbacks(
    precision: str,  # as `chosen_precision` gives it
) -> list:
    "What a Learner needs for a precision"
    if precision == 'fp32':
        return []
    if precision == 'bf16_weights':
        return [HalfWeightsCB(), AutocastCB('bf16')]
    return [AutocastCB(precision)]
