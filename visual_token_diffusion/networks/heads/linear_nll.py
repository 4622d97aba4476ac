"""A linear layer and a cross-entropy in one: chunk by chunk, so that no table of all logits is ever in memory."""

# Every token's cost has an upstream gradient of its own, known on the way back only; so a chunk's logits are
# computed twice, and one number a token is kept between. (Liger's kernel computes gradients on the way forward,
# for a mean of all costs.) torch has the like from 2.14 on, `torch.nn.functional.linear_cross_entropy`, without
# soft caps and second derivatives, and on a CPU slower than a table (experiments/speed/linear_cross_entropy.py).

import torch
import torch.nn.functional as F

__all__ = ['CHUNK', 'LARGE_CHUNK', 'chunk_size', 'linear_nll', 'table_nll']

CHUNK = 2**22  # logits of a chunk on a CPU: with more a table is no faster, as was measured
LARGE_CHUNK = 2**25  # and on a device, which is asked less often; not measured


def chunk_size(h):
    "Logits of a chunk on the device of hidden states"
    return CHUNK if h.device.type == 'cpu' else LARGE_CHUNK


def _capped(logits, soft_cap):
    return logits if soft_cap is None else soft_cap * torch.tanh(logits / soft_cap)


def _logits(h, weight, bias, soft_cap):
    "(n,V) in the type that sums are kept in, float32 at least"
    logits = F.linear(h, weight)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if bias is not None:
        logits += bias
    return _capped(logits, soft_cap)


def table_nll(h, weight, ids, bias=None, *, soft_cap=None, ignore_index=-100):
    "The same as `linear_nll`, by one table of all logits"
    logits = F.linear(h, weight)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    logits = _capped(logits if bias is None else logits + bias, soft_cap)
    return F.cross_entropy(logits, ids, reduction='none', ignore_index=ignore_index)


@torch.library.custom_op('visual_token_diffusion::linear_nll', mutates_args=())
def _forward(
    h: torch.Tensor,
    weight: torch.Tensor,
    ids: torch.Tensor,
    bias: torch.Tensor | None,
    soft_cap: float | None,
    ignore_index: int,
    rows: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    "`(nll (N,), logsumexp (N,))`"
    kind = torch.promote_types(h.dtype, torch.float32)
    nll, total = (h.new_empty(len(h), dtype=kind) for _ in range(2))
    weight = weight.to(h.dtype)
    for first in range(0, len(h), rows):
        part = slice(first, first + rows)
        logits, true = _logits(h[part], weight, bias, soft_cap), ids[part]
        total[part] = logits.logsumexp(1)
        ignored = true == ignore_index
        own = logits.gather(1, torch.where(ignored, 0, true)[:, None])[:, 0]
        nll[part] = torch.where(ignored, 0.0, total[part] - own)
    return nll, total


@_forward.register_fake
def _(h, weight, ids, bias, soft_cap, ignore_index, rows):
    kind = torch.promote_types(h.dtype, torch.float32)
    return h.new_empty(len(h), dtype=kind), h.new_empty(len(h), dtype=kind)


def _logit_gradients(logits, true, total, upstream, soft_cap):
    "Gradients (n,V) of what the linear layer gave, in place of `logits`"
    slope = None if soft_cap is None else 1 - (logits / soft_cap) ** 2
    gradients = logits.sub_(total[:, None]).exp_()
    gradients.scatter_add_(1, true[:, None], gradients.new_full((len(true), 1), -1.0))
    gradients.mul_(upstream[:, None])
    return gradients if slope is None else gradients.mul_(slope)


@torch.library.custom_op('visual_token_diffusion::linear_nll_backward', mutates_args=())
def _backward(
    upstream: torch.Tensor,
    h: torch.Tensor,
    weight: torch.Tensor,
    ids: torch.Tensor,
    bias: torch.Tensor | None,
    total: torch.Tensor,
    soft_cap: float | None,
    ignore_index: int,
    rows: int,
    of_weight: bool,
    of_bias: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    "Gradients of `h`, `weight` and `bias`, empty where nobody asks; sums are kept in the type of `total`"
    of_h = torch.empty_like(h)
    weight_sum = torch.zeros(weight.shape if of_weight else 0, dtype=total.dtype, device=h.device)
    bias_sum = torch.zeros(len(weight) if of_bias else 0, dtype=total.dtype, device=h.device)
    ignored = ids == ignore_index
    upstream, ids = torch.where(ignored, 0.0, upstream), torch.where(ignored, 0, ids)
    weight = weight.to(h.dtype)
    for first in range(0, len(h), rows):
        part = slice(first, first + rows)
        logits = _logits(h[part], weight, bias, soft_cap)
        gradients = _logit_gradients(logits, ids[part], total[part], upstream[part], soft_cap)
        if of_bias:
            bias_sum += gradients.sum(0)
        gradients = gradients.to(h.dtype)
        of_h[part] = gradients @ weight
        if of_weight and h.dtype == total.dtype:
            weight_sum.addmm_(gradients.T, h[part])
        elif of_weight:
            weight_sum += gradients.T @ h[part]
    return of_h, weight_sum, bias_sum


@_backward.register_fake
def _(upstream, h, weight, ids, bias, total, soft_cap, ignore_index, rows, of_weight, of_bias):
    weight_sum = total.new_empty(weight.shape if of_weight else 0)
    return torch.empty_like(h), weight_sum, total.new_empty(len(weight) if of_bias else 0)


def _keep(ctx, inputs, output):
    h, weight, ids, bias, *ctx.numbers = inputs
    ctx.save_for_backward(h, weight, ids, bias, output[1])
    ctx.mark_non_differentiable(output[1])


def _second_order(ctx, upstream, h, weight, ids, bias):
    "Gradients that can be differentiated again, by one table"
    asked = [x for x, needed in zip((h, weight, bias), _needed(ctx)) if needed]
    soft_cap, ignore_index, _ = ctx.numbers
    nll = table_nll(h, weight, ids, bias, soft_cap=soft_cap, ignore_index=ignore_index)
    found = iter(torch.autograd.grad(nll, asked, upstream, create_graph=True))
    return [next(found) if needed else None for needed in _needed(ctx)]


def _needed(ctx):
    "Whether gradients of hidden states, weight and bias are asked for"
    return ctx.needs_input_grad[0], ctx.needs_input_grad[1], ctx.needs_input_grad[3]


def _gradients(ctx, upstream, _):
    h, weight, ids, bias, total = ctx.saved_tensors
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():
        of_h, of_weight, of_bias = _second_order(ctx, upstream, h, weight, ids, bias)
        return of_h, of_weight, None, of_bias, None, None, None
    of_h, of_weight, of_bias = _backward(upstream, h, weight, ids, bias, total, *ctx.numbers, *_needed(ctx)[1:])
    of_weight = of_weight.to(weight.dtype) if ctx.needs_input_grad[1] else None
    of_bias = of_bias.to(bias.dtype) if ctx.needs_input_grad[3] else None
    return of_h, of_weight, None, of_bias, None, None, None


_forward.register_autograd(_gradients, setup_context=_keep)


def linear_nll(
    h,  # (N,D)
    weight,  # (V,D)
    ids,  # (N,) long
    bias=None,  # (V,), added to the logits
    *,
    soft_cap: float = None,  # logits are bent to lie within this, by a hyperbolic tangent
    ignore_index: int = -100,  # a token that costs nothing
    chunk: int = None,  # logits in memory at once; None: `chunk_size`
):
    """(N,) nats: the cross-entropy of `ids` under softmax(h @ weight.T + bias), with memory for `chunk` logits.

    Exactly `table_nll` but for rounding; one product of matrices more on the way back. Under autocast the products
    are of its type; costs, and the sums of gradients over chunks, are float32."""
    device = h.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        h = h.to(torch.get_autocast_dtype(device))
    rows = max(1, (chunk or chunk_size(h)) // len(weight))
    return _forward(h, weight, ids, bias, soft_cap, ignore_index, rows)[0]
