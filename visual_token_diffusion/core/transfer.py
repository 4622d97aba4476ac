"""From the CPU to a device without waiting: the copy goes on while the next lines run."""

import torch

__all__ = ['needs_fixed_shapes', 'to_device']


def to_device(x, device):
    "A tensor of the CPU on `device`; to CUDA from pinned memory, so that nobody waits for it"
    if x.device == device:
        return x
    if device.type == 'cuda' and x.device.type == 'cpu':
        x = x.pin_memory()
    return x.to(device, non_blocking=device.type not in ('cpu', 'mps'))


def needs_fixed_shapes(x) -> bool:
    "Whether no shape should depend on values: on a device that would be waited for, and in code that is compiled"
    return x.device.type != 'cpu' or torch.compiler.is_compiling()
