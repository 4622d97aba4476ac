"""The layers and the head of a language model by `torch.compile`, each by itself, while it is trained."""

import torch
from fastai.callback.core import Callback

__all__ = ['CompileCB', 'compile_parts', 'is_compiled']


def is_compiled(
    setting: str,  # 'auto', 'on' or 'off'
    device: torch.device,
) -> bool:
    "Whether to compile: what the setting says; 'auto' is on CUDA, where torch finds Triton"
    if setting != 'auto':
        return setting == 'on'
    return device.type == 'cuda' and torch.utils._triton.has_triton()


def compile_parts(
    model,  # a `SequenceModel`
    **options,  # of `torch.compile`
):
    "Compile every layer, which are alike and compile once, and the head; its parts, changed in place"
    parts = [*model.backbone.blocks, model.head]
    for part in parts:
        part.compile(**options)
    return parts


class CompileCB(Callback):
    "Compiled code in training, where every batch has one shape; validation and sampling, where they vary, without"

    order = 5

    def __init__(
        self,
        is_strict: bool = False,  # raise what the compiler raises; else go on without it
        **options,  # of `torch.compile`
    ):
        self.is_strict, self.options = is_strict, dict(dynamic=False) | options
        self.compiled = None  # parts of the model, and what calls them compiled

    def before_fit(self):
        self.suppressed = torch._dynamo.config.suppress_errors
        torch._dynamo.config.suppress_errors = not self.is_strict

    def after_fit(self):
        torch._dynamo.config.suppress_errors = self.suppressed

    def after_cancel_fit(self):
        self.after_fit()

    def before_train(self):
        if self.compiled is None:
            parts = compile_parts(self.learn.unwrapped, **self.options)
            self.compiled = [(part, part._compiled_call_impl) for part in parts]
        for part, call in self.compiled:
            part._compiled_call_impl = call

    def after_train(self):
        for part, _ in self.compiled:
            part._compiled_call_impl = None

    def after_cancel_train(self):
        self.after_train()
