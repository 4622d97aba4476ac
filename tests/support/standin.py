"""A device that is not there: tensors on it lie in memory like all others, and refuse what a GPU's would refuse.

`numpy()` raises, a tensor of the device is never mixed with one of the CPU of one or more dimensions, and a CPU
generator draws nothing on it. Code that passes here still has to be run on a GPU, but its commonest mistakes
fail on every machine.
"""

import copy
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten

DEVICE = torch.device('privateuseone', 0)
_MOVES = {torch.Tensor.to, torch.Tensor.type_as, torch.Tensor.copy_, torch.Tensor.__setitem__}
_TO_NUMPY = {torch.Tensor.numpy, torch.Tensor.__array__}
_FACTORIES = {
    torch.zeros, torch.ones, torch.empty, torch.full, torch.arange, torch.linspace, torch.eye,
    torch.rand, torch.randn, torch.randint, torch.randperm, torch.tensor, torch.as_tensor,
    torch.zeros_like, torch.ones_like, torch.empty_like, torch.full_like, torch.rand_like,
    torch.randn_like,
}


def is_ours(device):
    "Whether this names the stand-in device"
    if device is None or isinstance(device, int):
        return False
    return torch.device(device).type == DEVICE.type


def plain(x):
    "The tensor as one of the CPU"
    with torch._C.DisableTorchFunctionSubclass():
        return x.as_subclass(torch.Tensor)


def gradient(x):
    "The gradient, which autograd keeps as a plain tensor, as one of the device"
    with torch._C.DisableTorchFunctionSubclass():
        return None if x.grad is None else x.grad.as_subclass(StandIn)


def tensors_of(*trees):
    "All tensors in arguments"
    return [x for x in tree_flatten(trees)[0] if isinstance(x, torch.Tensor)]


def target_of(args, kwargs):
    "The device that a call of `to` names, or None"
    for x in [*args[1:], kwargs.get('device'), kwargs.get('other')]:
        if isinstance(x, torch.Tensor):
            return DEVICE if isinstance(x, StandIn) else torch.device('cpu')
        if isinstance(x, torch.device):
            return x
        if isinstance(x, str):
            return torch.device(x)
    return None


class StandIn(torch.Tensor):
    "A tensor on the stand-in device"

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in _TO_NUMPY:
            raise TypeError("can't convert a tensor of the stand-in device to numpy; use .cpu() first")
        if func == torch.Tensor.device.__get__:
            return DEVICE
        if func == torch.Tensor.grad.__get__:
            return gradient(args[0])
        if func is torch.Tensor.cpu:
            return plain(args[0])
        if func is torch.Tensor.__format__:
            return format(plain(args[0]), *args[1:])
        if func is torch.Tensor.to:
            return moved(args, kwargs)
        if func is torch._has_compatible_shallow_copy_type:
            return False
        if func is torch.Tensor.as_subclass:
            return args[0]  # a type of fastai's is left off, the device is not
        if func not in _MOVES:
            refuse_mixture(func, args, kwargs)
        kwargs = {k: 'cpu' if k == 'device' and is_ours(v) else v for k, v in kwargs.items()}
        return super().__torch_function__(func, types, args, kwargs)


def moved(args, kwargs):
    "`x.to(...)`, with the stand-in as source or target"
    target = target_of(args, kwargs)
    if target is None:
        target = DEVICE if isinstance(args[0], StandIn) else torch.device('cpu')
    rest = ['cpu' if isinstance(x, (str, torch.device)) and is_ours(x) else x for x in args[1:]]
    rest = [plain(x) if isinstance(x, StandIn) else x for x in rest]
    kwargs = {k: 'cpu' if k == 'device' and is_ours(v) else v for k, v in kwargs.items()}
    with torch._C.DisableTorchFunctionSubclass():
        res = args[0].as_subclass(torch.Tensor).to(*rest, **kwargs)
        return res.as_subclass(StandIn) if is_ours(target) else res


def refuse_mixture(func, args, kwargs):
    "A GPU takes CPU numbers (no dimension) and CPU indices into its own tensors, and nothing else"
    found = tensors_of(args, kwargs)
    if func is torch.Tensor.__getitem__ and isinstance(args[0], StandIn):
        return
    strange = [x for x in found if not isinstance(x, StandIn) and plain(x).dim() > 0]
    if not strange:
        return
    name = getattr(func, '__name__', func)
    raise RuntimeError(f'expected all tensors on one device, {name} got the stand-in and cpu')


_READ = {
    torch.Tensor.item, torch.Tensor.tolist, torch.Tensor.cpu, torch.Tensor.__bool__, torch.Tensor.__int__,
    torch.Tensor.__float__, torch.Tensor.__index__, torch.Tensor.__contains__, torch.Tensor.__format__,
    torch.Tensor.__repr__, torch.Tensor.nonzero, torch.nonzero, torch.Tensor.masked_select, torch.masked_select,
    torch.Tensor.unique, torch.unique, torch.equal, torch.Tensor.equal, torch.allclose, torch.bincount,
    torch.Tensor.bincount,
}


class NoWaiting(TorchFunctionMode):
    "Refuses what a CPU has to wait for a GPU for, as `torch.cuda.set_sync_debug_mode('error')` does"

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if waits(func, args, kwargs):
            raise RuntimeError(f'{getattr(func, "__name__", func)} waits for the stand-in device')
        return func(*args, **kwargs)


def waits(func, args, kwargs):
    "Whether a call reads the device, or makes a tensor whose shape depends on values there"
    if func is torch.Tensor.to and not isinstance(args[0], StandIn):
        return is_ours(target_of(args, kwargs)) and not kwargs.get('non_blocking')
    if not any(isinstance(x, StandIn) for x in tensors_of(args)):
        return False
    if func is torch.Tensor.to:
        return target_of(args, kwargs) == torch.device('cpu')
    if func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__):
        return any(x.dtype == torch.bool and plain(x).dim() for x in tensors_of(args[1]))
    if func is torch.repeat_interleave or func is torch.Tensor.repeat_interleave:
        return isinstance(args[1], torch.Tensor) and 'output_size' not in kwargs
    return func in _READ or func is torch.where and len(args) == 1


class StandInMode(TorchFunctionMode):
    "Makes tensors with `device=DEVICE`, and moves plain ones there"

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.to and not isinstance(args[0], StandIn):
            return moved(args, kwargs)
        if func in _FACTORIES and is_ours(kwargs.get('device')):
            return made(func, args, kwargs)
        return func(*args, **kwargs)


def made(func, args, kwargs):
    "What a factory makes on the stand-in device; a CPU generator makes nothing there"
    if kwargs.get('generator') is not None:
        raise RuntimeError("expected a generator of the stand-in device, got one of the cpu")
    args = [plain(x) if isinstance(x, StandIn) else x for x in args]
    return func(*args, **{**kwargs, 'device': 'cpu'}).as_subclass(StandIn)


@contextmanager
def stand_in_device():
    "Within this block `DEVICE` can be used like a GPU"
    was = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with StandInMode():
            yield DEVICE
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(was)


def on_device(part):
    "A copy of a part with every tensor that it holds on the stand-in device"
    if isinstance(part, torch.nn.Module):
        return copy.deepcopy(part).to(DEVICE)
    if isinstance(part, torch.Tensor):
        return part.to(DEVICE)
    if hasattr(part, 'to'):
        return part.to(DEVICE)
    moved_part = copy.copy(part)
    for name, value in vars(part).items():
        if isinstance(value, (torch.Tensor, torch.nn.Module)) or hasattr(value, 'to'):
            setattr(moved_part, name, on_device(value))
    return moved_part
